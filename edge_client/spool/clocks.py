"""Keeps what the clock of each drive turned out to be wrong by, for evidence that another process will read.

One file for each drive stands beside its evidence, a line of JSON for each correction.
"""

from __future__ import annotations

import contextlib
import json
import math
import os
import re
from collections.abc import Collection
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path

from edge_client.clock import Correction, Timeline
from edge_client.pipeline.events import Sighting
from edge_client.spool.evidence import Evidence
from edge_client.types import UtcSource

_NAME = re.compile(r"([0-9A-Za-z]{1,64})\.clock")


def note_correction(folder: Path, correction: Correction) -> None:
    """Add a correction to its drive's file, durably. Raises OSError."""
    line = {
        "shift_s": correction.shift.total_seconds(),
        "source": correction.source.value,
        "at": correction.at.isoformat(),
        "monotonic_s": correction.monotonic_s,
    }
    with (folder / f"{correction.drive}.clock").open("a", encoding="ascii") as file:
        file.write(json.dumps(line) + "\n")
        file.flush()
        os.fsync(file.fileno())


def corrections_of(folder: Path, drive: str) -> list[Correction]:
    """The corrections of a drive in their order; a damaged line ends them."""
    found: list[Correction] = []
    try:
        lines = (folder / f"{drive}.clock").read_text(encoding="ascii").splitlines()
    except (OSError, ValueError):
        return found
    with contextlib.suppress(ValueError, KeyError, TypeError, OverflowError):
        for line in lines:
            values = json.loads(line)
            at, monotonic_s = datetime.fromisoformat(values["at"]), float(values["monotonic_s"])
            if at.tzinfo is None or not math.isfinite(monotonic_s):
                break
            shift = timedelta(seconds=float(values["shift_s"]))
            found.append(Correction(drive, shift, UtcSource(values["source"]), at, monotonic_s))
    return found


def forget_clocks(folder: Path, drives: Collection[str]) -> None:
    """Remove the files of all drives but these. Raises OSError."""
    for file in folder.iterdir():
        match = _NAME.fullmatch(file.name)
        if match is not None and match[1] not in drives:
            file.unlink(missing_ok=True)


def corrected(evidence: Evidence, corrections: Collection[Correction]) -> Evidence:
    """The evidence with its times as they are known now."""
    timeline = Timeline()
    for correction in corrections:
        timeline.add(correction)
    seen = evidence.sighting
    utc, source = timeline.corrected(seen.utc, seen.utc_source, seen.captured_monotonic_s)
    sighting: Sighting = replace(seen, utc=utc, utc_source=source)
    crop = evidence.crop
    if crop is not None:
        began, _ = timeline.corrected(crop.began, seen.utc_source, crop.began_monotonic_s)
        crop = replace(crop, sighting=sighting, began=min(began, utc))
    return replace(evidence, sighting=sighting, crop=crop)
