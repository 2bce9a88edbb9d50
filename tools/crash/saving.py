"""The process that is killed: saves reads for ever, as a drive does, and prints what is written.

It is run as `python -m tools.crash.saving FILE DRIVE` by `tools.crash.reads`.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path

from cloud_apis.contract import PlateBox, Word
from edge_client.config import EdgeSettings
from edge_client.errors import StoreError
from edge_client.store.drive_store import open_drive_store
from edge_client.store.drives import DriveStart, Position
from edge_client.types import SingleRead, TrackRead

START = datetime(2026, 1, 1, tzinfo=UTC)
_CROP = b"\xff\xd8" + bytes(range(256)) * 8
_BETTER_EVERY, _SUPERSEDES_EVERY, _POSITIONS_EVERY = 3, 7, 5
_PAUSE_S = 0.05


def save_for_ever(path: Path, drive: str) -> None:
    """`+uid` is printed for a read that is written, `?uid` for one that may be superseded from here on.

    A read that cannot be written is tried again until it can; `!` and why not is printed.
    """
    store = open_drive_store(EdgeSettings(), path)
    store.begin_drive(DriveStart(drive, START))
    for number in range(1, 1_000_000):
        read = read_of(drive, number)
        superseded = f"{drive}-{number - 1}" if number % _SUPERSEDES_EVERY == 0 else None
        if superseded is not None:
            read = replace(read, supersedes=(superseded,))
            print(f"?{superseded}", flush=True)  # from here on it may be gone
        _insist(partial(store.save, read))
        print(f"+{read.uid}", flush=True)
        if number % _BETTER_EVERY == 0:
            _insist(partial(store.save, replace(read, text="B999XYZ", confidence=0.99)))
        if number % _POSITIONS_EVERY == 0:
            position = Position(START + timedelta(seconds=number), 45.75, 21.22)
            _insist(partial(store.add_positions, drive, [position]))


def _insist(save: Callable[[], None]) -> None:
    while True:
        try:
            save()
        except StoreError as error:
            print(f"!{error}", flush=True)
            time.sleep(_PAUSE_S)
        else:
            return


def read_of(drive: str, number: int) -> TrackRead:
    """A read with two single reads; its uid is `DRIVE-NUMBER`."""
    seen = START + timedelta(seconds=number)
    text = f"B{number % 1000:03}XYZ"
    confidences = (0.9,) * len(text)
    single = SingleRead(
        track_id=number,
        frame_number=number,
        utc=seen,
        words=(Word(text, ((0.0, 0.0), (60.0, 0.0), (60.0, 20.0), (0.0, 20.0)), confidences),),
        text=text,
        confidences=confidences,
        crop_jpeg=_CROP,
        crop_width_px=64,
        crop_height_px=20,
        sharpness=1.0,
        box=PlateBox(0.0, 0.0, 60.0, 20.0, 0.9, (0.9,)),
        fix=None,
        fix_age_s=None,
    )
    singles = (single, replace(single, frame_number=number + 1))
    return TrackRead(
        f"{drive}-{number}", text, 0.9, confidences, seen, seen, None, None, None, _CROP, singles, drive=drive
    )


if __name__ == "__main__":
    save_for_ever(Path(sys.argv[1]), sys.argv[2])
