"""Streams and V4L2 cameras as OpenCV opens them."""

from __future__ import annotations

import math
import threading
import time
from pathlib import Path

import cv2
import numpy as np

from edge_client.config import SourceSettings
from edge_client.errors import SourceError
from edge_client.sources.device import Device, Picture

_MAX_RATE_HZ = 240.0


class OpenCvDevice:
    """An opened `cv2.VideoCapture` in the hands of one thread; releasing it amid a read would crash the process."""

    def __init__(self, capture: cv2.VideoCapture, *, recorded: bool, upside_down: bool = False) -> None:
        self._capture = capture
        self._recorded = recorded
        self._upside_down = upside_down
        self._interrupted = threading.Event()

    @property
    def frame_rate_hz(self) -> float | None:
        """As it states it, None where it states nonsense."""
        rate = self._capture.get(cv2.CAP_PROP_FPS)
        return rate if math.isfinite(rate) and 0 < rate <= _MAX_RATE_HZ else None

    @property
    def frame_count(self) -> int | None:
        """Frames of a recording that lies elsewhere, None for what is live."""
        count = self._capture.get(cv2.CAP_PROP_FRAME_COUNT) if self._recorded else 0.0
        return int(count) if math.isfinite(count) and count > 0 else None

    def read(self) -> Picture | None:
        """The next picture; None at the end, on an error, or when interrupted."""
        if self._interrupted.is_set():
            return None
        read, image = self._capture.read()
        taken_s = time.monotonic()
        if not read or self._interrupted.is_set():
            return None
        if self._upside_down:
            image = cv2.flip(image, -1)
        return Picture(np.asarray(image, np.uint8), taken_s)

    def interrupt(self) -> None:
        """End at the next picture, or when OpenCV's own timeout ends the read."""
        self._interrupted.set()

    def close(self) -> None:
        """Release the capture."""
        self._capture.release()


def open_stream(url: str, settings: SourceSettings) -> Device:
    """An RTSP or HTTP stream, by FFmpeg. Raises `SourceError`."""
    capture = cv2.VideoCapture(
        url,
        cv2.CAP_FFMPEG,
        [
            cv2.CAP_PROP_OPEN_TIMEOUT_MSEC,
            round(settings.open_timeout_s * 1000),
            cv2.CAP_PROP_READ_TIMEOUT_MSEC,
            round(2 * settings.read_timeout_s * 1000),  # the watchdog is to be first; this frees the reader it left
            cv2.CAP_PROP_N_THREADS,
            settings.decoder_threads,
        ],
    )
    if not capture.isOpened():
        raise SourceError("is it there, and free?")
    return OpenCvDevice(capture, recorded=True)


def open_camera(device: str, settings: SourceSettings) -> Device:
    """A V4L2 camera, by its device node. Raises `SourceError`."""
    if not Path(device).exists():
        raise SourceError("it is not plugged in; `ls /dev/video*` shows what there is")
    capture = cv2.VideoCapture(device, cv2.CAP_V4L2)
    if not capture.isOpened():
        capture.release()
        raise SourceError("it is no camera, another program has it, or you are not in the group `video`")
    # Uncompressed pictures of this size do not fit through USB 2 at full rate; a camera without MJPG stays as it is.
    capture.set(cv2.CAP_PROP_FOURCC, cv2.VideoWriter.fourcc(*"MJPG"))
    capture.set(cv2.CAP_PROP_FRAME_WIDTH, settings.camera_width_px)
    capture.set(cv2.CAP_PROP_FRAME_HEIGHT, settings.camera_height_px)
    capture.set(cv2.CAP_PROP_FPS, settings.camera_rate_hz)
    return OpenCvDevice(capture, recorded=False, upside_down=settings.camera_upside_down)


def without_password(url: str) -> str:
    """The URL as messages may show it."""
    scheme, separator, rest = url.partition("://")
    host = rest.rpartition("@")[2] if "@" in rest.partition("/")[0] else rest
    return f"{scheme}{separator}{host}"
