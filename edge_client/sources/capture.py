"""An OpenCV capture that one thread reads and another may close."""

from __future__ import annotations

import threading

import cv2
import numpy as np

from edge_client.types import Image


class SharedCapture:
    """Wraps an opened `cv2.VideoCapture`, which crashes the process when it is released amid a read."""

    def __init__(self, capture: cv2.VideoCapture) -> None:
        self._capture = capture
        self._in_use = threading.Lock()
        self._closed = threading.Event()

    def get(self, prop: int) -> float:
        """A property (`cv2.CAP_PROP_…`)."""
        with self._in_use:
            return self._capture.get(prop)

    def read(self) -> Image | None:
        """The next frame, BGR; None at the end, on an error, or when closed."""
        with self._in_use:
            if self._closed.is_set():
                self._capture.release()
                return None
            read, frame = self._capture.read()
            if self._closed.is_set():
                self._capture.release()
        return np.asarray(frame, np.uint8) if read else None

    def close(self) -> None:
        """Release the capture, at once or at the end of the read that is under way; never waits."""
        self._closed.set()
        if self._in_use.acquire(blocking=False):
            try:
                self._capture.release()
            finally:
                self._in_use.release()
