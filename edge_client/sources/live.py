"""A stream or a camera, read through OpenCV; a lost stream is opened again for a while."""

from __future__ import annotations

import logging
import math
import threading
import time
from collections.abc import Iterator

import cv2

from edge_client.config import SourceSettings
from edge_client.errors import SourceError
from edge_client.sources.capture import SharedCapture
from edge_client.types import Image, SourceState, SourceStatus

_LOG = logging.getLogger(__name__)
_FALLBACK_RATE_HZ = 25.0
_MAX_RATE_HZ = 240.0
_FIRST_PAUSE_S = 0.2
_LONGEST_PAUSE_S = 5.0


class LiveSource:
    """Frames of an RTSP or HTTP stream or of a V4L2 device, BGR.

    A URL whose length is known is a recording that lies elsewhere: it is not live and not opened again.
    Raises `SourceError` when it cannot be opened, or stays lost.
    """

    def __init__(self, name: str, settings: SourceSettings) -> None:
        self._name = name
        self._settings = settings
        self._closed = threading.Event()
        capture = self._open()
        if capture is None:
            kind = "camera" if name.startswith("/dev/") else "stream"
            raise SourceError(f"cannot open the {kind} {_without_password(name)}: is it there and free?")
        self._capture = capture
        rate = capture.get(cv2.CAP_PROP_FPS)
        self._rate_hz = rate if math.isfinite(rate) and 0 < rate <= _MAX_RATE_HZ else _FALLBACK_RATE_HZ
        count = capture.get(cv2.CAP_PROP_FRAME_COUNT)
        recorded = not name.startswith("/dev/") and math.isfinite(count) and count > 0
        self._count = int(count) if recorded else None

    @property
    def frame_rate_hz(self) -> float:
        """Frames per second as the stream states them; 25 when it states nonsense."""
        return self._rate_hz

    @property
    def frame_count(self) -> int | None:
        """Frames of a recording that lies elsewhere, None for what is live."""
        return self._count

    @property
    def live(self) -> bool:
        """Whether frames that are not taken in time are gone."""
        return self._count is None

    def __iter__(self) -> Iterator[Image]:
        skip = self._settings.frames_to_skip
        while not self._closed.is_set():
            frame = self._capture.read()
            if frame is None:
                if not self.live or self._closed.is_set():
                    return
                self._reopen()
                continue
            if skip > 0:
                skip -= 1
                continue
            yield frame

    def status(self) -> SourceStatus:
        """Where the source stands."""
        return SourceStatus(SourceState.RUNNING)

    def close(self) -> None:
        """Close the stream; one that is being opened again is given up."""
        self._closed.set()
        self._capture.close()

    def _open(self) -> SharedCapture | None:
        if self._name.startswith("/dev/"):
            capture = cv2.VideoCapture(self._name, cv2.CAP_V4L2)
        else:
            settings = self._settings
            capture = cv2.VideoCapture(
                self._name,
                cv2.CAP_FFMPEG,
                [
                    cv2.CAP_PROP_OPEN_TIMEOUT_MSEC,
                    round(settings.open_timeout_s * 1000),
                    cv2.CAP_PROP_READ_TIMEOUT_MSEC,
                    round(settings.read_timeout_s * 1000),
                    cv2.CAP_PROP_N_THREADS,
                    settings.decoder_threads,
                ],
            )
        return SharedCapture(capture) if capture.isOpened() else None

    def _reopen(self) -> None:
        name = _without_password(self._name)
        _LOG.warning("lost %s, trying to open it again", name)
        self._capture.close()
        give_up_s = time.monotonic() + self._settings.reconnect_s
        pause_s = _FIRST_PAUSE_S
        while not self._closed.is_set():
            capture = self._open()
            if capture is not None:
                self._capture = capture
                if self._closed.is_set():  # closed meanwhile, which only reached the lost one
                    capture.close()
                return
            if time.monotonic() + pause_s > give_up_s:
                raise SourceError(f"lost {name} and could not open it again")
            self._closed.wait(pause_s)
            pause_s = min(2 * pause_s, _LONGEST_PAUSE_S)


def _without_password(url: str) -> str:
    scheme, separator, rest = url.partition("://")
    host = rest.rpartition("@")[2] if "@" in rest.partition("/")[0] else rest
    return f"{scheme}{separator}{host}"
