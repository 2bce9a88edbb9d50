"""How many of a drive's plates were read."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from tools.demo.truth import DriveTruth, PlateTruth

READABLE_WIDTH_PX = 60.0
READABLE_FRAMES = 8


@dataclass(frozen=True, slots=True)
class PlateScore:
    """What became of one plate: ``read`` is the exact or the closest text, ``errors`` its wrong characters."""

    plate: PlateTruth
    readable: bool
    read: str | None
    errors: int

    @property
    def correct(self) -> bool:
        """Whether it was read exactly."""
        return self.read == self.plate.text


@dataclass(frozen=True, slots=True)
class DriveScore:
    """All plates of a drive, and the reads that belong to none of them."""

    plates: tuple[PlateScore, ...]
    foreign: tuple[str, ...]

    @property
    def readable(self) -> int:
        """How many plates were large enough for long enough."""
        return sum(p.readable for p in self.plates)

    @property
    def correct(self) -> int:
        """How many of the readable plates were read exactly."""
        return sum(p.correct for p in self.plates if p.readable)


def is_readable(plate: PlateTruth, frame_width_px: int = 1280) -> bool:
    """Whether a person could read it: at least 60 px wide (of 1280) in at least 8 frames."""
    needed = READABLE_WIDTH_PX * frame_width_px / 1280
    return sum(box[2] - box[0] >= needed for box in plate.boxes.values()) >= READABLE_FRAMES


def distance(first: str, second: str) -> int:
    """The edit distance of two texts (Levenshtein)."""
    row = list(range(len(second) + 1))
    for i, a in enumerate(first, start=1):
        previous, row[0] = row[0], i
        for j, b in enumerate(second, start=1):
            previous, row[j] = row[j], min(row[j] + 1, row[j - 1] + 1, previous + (a != b))
    return row[-1]


def score(truth: DriveTruth, reads: Iterable[str]) -> DriveScore:
    """Sets the texts that were read beside the plates; a read within 2 errors counts as an attempt at a plate."""
    texts = sorted(set(reads))
    known = {p.text for p in truth.plates}
    scored = []
    attempts: set[str] = set(texts) & known
    for plate in truth.plates:
        best: str | None = None
        errors = len(plate.text)
        if plate.text in texts:
            best, errors = plate.text, 0
        else:
            near = [(distance(plate.text, t), t) for t in texts if t not in known]
            if near and min(near)[0] <= 2:
                errors, best = min(near)
                attempts.update(t for d, t in near if d <= 2)
        scored.append(PlateScore(plate, is_readable(plate, truth.width_px), best, errors))
    for plate in truth.plates:  # second tries at a plate that was read
        attempts.update(t for t in texts if t not in known and distance(plate.text, t) <= 2)
    return DriveScore(tuple(scored), tuple(t for t in texts if t not in attempts))


def load_reads(path: Path) -> list[str]:
    """The texts of ``dashcam reads export --format json``; raises ValueError when it is not that."""
    try:
        data = json.loads(path.read_text(encoding="utf-8"))
        return [str(entry["text"]) for entry in data if entry["text"]]  # others are cars whose plate was not read
    except (KeyError, TypeError, ValueError) as error:
        raise ValueError(f"{path} is not an export of reads: {error}") from error
