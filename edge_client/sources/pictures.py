"""A folder of pictures, played in the order of their names."""

from __future__ import annotations

import logging
import re
from collections.abc import Iterator
from pathlib import Path

import cv2
import numpy as np

from edge_client.config import SourceSettings
from edge_client.errors import SourceError
from edge_client.types import Image, SourceState, SourceStatus

_LOG = logging.getLogger(__name__)
_ENDINGS = {".jpg", ".jpeg", ".png", ".webp", ".bmp", ".tif", ".tiff", ".ppm", ".pgm"}
_WARNINGS = 5


def name_order(path: Path) -> list[tuple[int, int | str]]:
    """A key that sorts names as people do: numbers in them by value, so that 9 comes before 10."""
    parts = re.split(r"(\d+)", path.name.lower())
    return [(0, int(part)) if part.isdecimal() else (1, part) for part in parts]


class PictureFolder:
    """The pictures of a folder, BGR, in name order; unreadable ones are left out with a warning."""

    def __init__(self, folder: Path, settings: SourceSettings) -> None:
        try:
            files = [p for p in folder.iterdir() if p.suffix.lower() in _ENDINGS and p.is_file()]
        except OSError as error:
            raise SourceError(f"cannot list the folder {folder}: {error.strerror}") from None
        if not files:
            raise SourceError(f"there is no picture in the folder {folder}")
        self._folder = folder
        self._files = sorted(files, key=name_order)[settings.frames_to_skip :]
        if not self._files:
            raise SourceError(f"the folder {folder} has {len(files)} pictures, all of which are to be skipped")
        # At full rate nothing is played: time, and with it tracking, goes as it went when the pictures were taken.
        self._rate_hz = settings.pictures_taken_hz if settings.rate == "full" else settings.picture_rate_hz
        self._state = SourceState.STARTING

    @property
    def frame_rate_hz(self) -> float:
        """Pictures per second, as set: as played in real time, as taken at full rate."""
        return self._rate_hz

    @property
    def frame_count(self) -> int | None:
        """Pictures in the folder, unreadable ones included."""
        return len(self._files)

    @property
    def live(self) -> bool:
        """A folder waits."""
        return False

    def __iter__(self) -> Iterator[Image]:
        unreadable = 0
        self._state = SourceState.RUNNING
        for file in self._files:
            image = _read(file)
            if image is not None:
                yield image
                continue
            unreadable += 1
            if unreadable <= _WARNINGS:
                _LOG.warning("%s is not a picture that can be read: left out", file)
        self._state = SourceState.ENDED
        if unreadable == len(self._files):
            raise SourceError(f"none of the {unreadable} pictures in {self._folder} can be read")
        if unreadable > _WARNINGS:
            _LOG.warning("%d pictures in %s could not be read", unreadable, self._folder)

    def status(self) -> SourceStatus:
        """Where the source stands."""
        return SourceStatus(self._state)

    def close(self) -> None:
        """Nothing is kept open."""
        self._state = SourceState.ENDED


def _read(file: Path) -> Image | None:
    try:
        data = np.frombuffer(file.read_bytes(), np.uint8)
        image = cv2.imdecode(data, cv2.IMREAD_COLOR) if data.size else None
    except (OSError, cv2.error):
        return None
    return None if image is None else np.asarray(image, np.uint8)
