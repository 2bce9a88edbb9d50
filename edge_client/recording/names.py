"""What the files of a segment are called.

A segment is a few files with one stem in one folder: ``00000012_20260501T100000Z.mp4`` with the video,
``….jsonl`` with its track, and ``….locked`` while it is locked. The number alone gives the order, so that names
sort and stay apart whatever the clock says; the time is only for people.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

VIDEO, TRACK, LOCK = ".mp4", ".jsonl", ".locked"
_STEM = re.compile(r"(\d{8,12})_(\d{8}T\d{6}Z)")


@dataclass(frozen=True, slots=True, order=True)
class SegmentName:
    """Number (from 1) and start time, to the second, of a segment, as its files' names state them."""

    number: int
    stem: str

    @classmethod
    def of(cls, number: int, utc: datetime) -> SegmentName:
        """The name of a segment that begins at this time, by whatever clock."""
        return cls(number, f"{number:08d}_{utc.astimezone(UTC):%Y%m%dT%H%M%SZ}")

    @classmethod
    def parse(cls, file_name: str) -> SegmentName | None:
        """The segment that a file belongs to, None for files of others."""
        stem, dot, extension = file_name.partition(".")
        match = _STEM.fullmatch(stem)
        if match is None or (dot and dot + extension not in {VIDEO, TRACK, LOCK}):
            return None
        name = cls(int(match[1]), stem)
        try:
            _ = name.utc
        except ValueError:  # a thirteenth month
            return None
        return name

    @property
    def utc(self) -> datetime:
        """Start, to the second, by whatever clock."""
        return datetime.strptime(self.stem.partition("_")[2], "%Y%m%dT%H%M%SZ").replace(tzinfo=UTC)

    def video(self, folder: Path) -> Path:
        """Its video, fragmented MP4."""
        return folder / f"{self.stem}{VIDEO}"

    def track(self, folder: Path) -> Path:
        """Its track, JSON lines."""
        return folder / f"{self.stem}{TRACK}"

    def lock(self, folder: Path) -> Path:
        """The mark that it is locked."""
        return folder / f"{self.stem}{LOCK}"
