"""A video file, read through OpenCV's FFmpeg."""

from __future__ import annotations

import logging
import math
from collections.abc import Iterator
from pathlib import Path

import cv2

from edge_client.config import SourceSettings
from edge_client.errors import SourceError
from edge_client.sources.capture import SharedCapture
from edge_client.types import Image, SourceState, SourceStatus

_LOG = logging.getLogger(__name__)
_FALLBACK_RATE_HZ = 25.0
_MAX_RATE_HZ = 1000.0


class VideoFile:
    """The frames of a video file, BGR, less those to skip at its start.

    Raises `SourceError` at once when the file cannot be opened or has no frame that can be read; a file that
    breaks off in the middle ends there, with a warning.
    """

    def __init__(self, path: Path, settings: SourceSettings) -> None:
        self._path = path
        if path.stat().st_size == 0:
            raise SourceError(f"the video {path} is empty (0 bytes)")
        options = [cv2.CAP_PROP_N_THREADS, settings.decoder_threads]
        capture = cv2.VideoCapture(str(path), cv2.CAP_FFMPEG, options)
        if not capture.isOpened():
            raise SourceError(f"cannot open {path} as a video: it is cut, or not a video at all")
        self._capture = SharedCapture(capture)
        rate = self._capture.get(cv2.CAP_PROP_FPS)
        self._rate_hz = rate if math.isfinite(rate) and 0 < rate <= _MAX_RATE_HZ else _FALLBACK_RATE_HZ
        count = self._capture.get(cv2.CAP_PROP_FRAME_COUNT)
        self._stated = int(count) if math.isfinite(count) and count > 0 else None
        self._skip = settings.frames_to_skip
        self._state = SourceState.STARTING
        self._first: Image | None = self._capture.read()
        if self._first is None:
            self._capture.close()
            raise SourceError(f"the video {path} has no frame that can be read")

    @property
    def frame_rate_hz(self) -> float:
        """Frames per second as the file states them; 25 when it states nonsense."""
        return self._rate_hz

    @property
    def frame_count(self) -> int | None:
        """Frames to expect, as the file states them."""
        return max(self._stated - self._skip, 0) if self._stated is not None else None

    @property
    def live(self) -> bool:
        """A file waits."""
        return False

    def __iter__(self) -> Iterator[Image]:
        number = 0
        self._state = SourceState.RUNNING
        while (image := self._next()) is not None:
            if number >= self._skip:
                yield image
            number += 1
        if self._state is SourceState.ENDED:  # closed amid it
            return
        self._state = SourceState.ENDED
        if self._skip >= number:
            raise SourceError(f"the video {self._path} has {number} frames, all of which are to be skipped")
        if self._stated is not None and number < self._stated:
            _LOG.warning("%s ends early: %d of %d frames could be read", self._path, number, self._stated)

    def _next(self) -> Image | None:
        if self._first is not None:
            image, self._first = self._first, None
            return image
        return self._capture.read()

    def status(self) -> SourceStatus:
        """Where the source stands."""
        return SourceStatus(self._state)

    def close(self) -> None:
        """Close the file."""
        self._state = SourceState.ENDED
        self._capture.close()
