"""The stream of the page: JPEG pictures, encoded once for all viewers and only when somebody looks."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

import cv2
import numpy as np
import simplejpeg

from edge_client.types import Image

BOUNDARY = "frame"
PART_TIMEOUT_S = 5.0
"""A picture is sent again after this time without a newer one, which shows whether the viewer is still
there.
"""


class PictureStream:
    """The newest picture for any number of viewers, each at its own pace.

    Encoding is done by the thread of whichever viewer asks first, at most `max_rate_hz` times a second; the
    others get the same bytes. A slow viewer skips pictures and holds up nobody.
    """

    def __init__(self, *, width_px: int, jpeg_quality: int, max_rate_hz: float, max_viewers: int = 8) -> None:
        """Settings of the stream: wider pictures are reduced to `width_px`; quality is libjpeg's, 1 to 100."""
        self._width_px = width_px
        self._quality = jpeg_quality
        self._period_s = 1.0 / max_rate_hz
        self._max_viewers = max_viewers
        self._changed = threading.Condition()
        self._newest: Image | None = None
        self._newest_serial = 0
        self._jpeg = b""
        self._jpeg_serial = 0
        self._encoding = False
        self._due_s = 0.0
        self._viewers = 0
        self._closed = False

    @property
    def viewers(self) -> int:
        """How many look at the stream now."""
        with self._changed:
            return self._viewers

    def publish(self, image: Image) -> None:
        """Makes this (uint8 BGR, not changed any more) the newest picture; never waits."""
        with self._changed:
            self._newest = image
            self._newest_serial += 1
            if self._viewers:
                self._changed.notify_all()

    def close(self) -> None:
        """Ends the stream of every viewer."""
        with self._changed:
            self._closed = True
            self._changed.notify_all()

    @contextmanager
    def viewer(self) -> Iterator[bool]:
        """Counts a viewer in and out; the value is false when there are too many already."""
        with self._changed:
            welcome = self._viewers < self._max_viewers and not self._closed
            self._viewers += welcome
        try:
            yield welcome
        finally:
            with self._changed:
                self._viewers -= welcome
                if not self._viewers:  # the next viewer shall not begin with a picture of long ago
                    self._jpeg, self._jpeg_serial = b"", 0

    def next_jpeg(self, seen: int, timeout_s: float = PART_TIMEOUT_S) -> tuple[int, bytes] | None:
        """The newest picture after the one of serial number `seen`, as (serial number, JPEG).

        After the timeout it is the last picture once more (serial number 0 and no bytes if there was none).
        None when the stream has ended.
        """
        give_up_s = time.monotonic() + timeout_s
        with self._changed:
            while True:
                now_s = time.monotonic()
                if self._closed:
                    return None
                if self._jpeg_serial > seen or now_s >= give_up_s:
                    return self._jpeg_serial, self._jpeg
                wait_s = give_up_s - now_s
                if self._newest is not None and self._newest_serial > self._jpeg_serial and not self._encoding:
                    if now_s >= self._due_s:
                        image, serial = self._newest, self._newest_serial
                        self._encoding = True
                        self._due_s = now_s + self._period_s
                        break
                    wait_s = min(wait_s, self._due_s - now_s)
                self._changed.wait(wait_s)
        jpeg = b""
        try:
            jpeg = self._encode(image)
        finally:
            with self._changed:
                self._encoding = False
                if jpeg:
                    self._jpeg, self._jpeg_serial = jpeg, serial
                self._changed.notify_all()
        return serial, jpeg

    def _encode(self, image: Image) -> bytes:
        rows, columns = image.shape[:2]
        if columns > self._width_px:
            size = (self._width_px, max(1, round(rows * self._width_px / columns)))
            image = np.asarray(cv2.resize(image, size, interpolation=cv2.INTER_LINEAR), np.uint8)
        return bytes(
            simplejpeg.encode_jpeg(
                np.ascontiguousarray(image),
                quality=self._quality,
                colorspace="BGR",
                colorsubsampling="420",
                fastdct=True,
            )
        )


def part(jpeg: bytes) -> bytes:
    """One picture of a `multipart/x-mixed-replace` body, closed by the boundary so that it shows at once."""
    head = f"Content-Type: image/jpeg\r\nContent-Length: {len(jpeg)}\r\n\r\n".encode()
    return head + jpeg + f"\r\n--{BOUNDARY}\r\n".encode()
