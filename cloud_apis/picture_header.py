"""What the first bytes of a picture tell already, while the others are still on their way."""

from __future__ import annotations

import struct
from typing import Final

from cloud_apis import png
from cloud_apis.errors import not_an_image
from cloud_apis.images import check_size, check_start

ENOUGH_BYTES: Final = 64 * 1024
"""A picture that has not told its size by then is looked at when it is all there."""
_PNG_HEADER_BYTES: Final = 33
_FRAMES: Final = frozenset({*range(0xC0, 0xD0)} - {0xC4, 0xC8, 0xCC})
"""JPEG markers of a frame header: all SOF."""
_ALONE: Final = frozenset({0x01, *range(0xD0, 0xD9)})
_SCAN: Final = 0xDA


class HeaderLook:
    """Looks at a picture as it comes. Raises `ApiError` as soon as it is one that would be refused for its header."""

    def __init__(self) -> None:
        self._start = bytearray()
        self._done = False

    def __call__(self, chunk: bytes) -> None:
        """The next bytes; raises `ApiError` 400 or 413."""
        if self._done:
            return
        self._start += chunk[: ENOUGH_BYTES - len(self._start)]
        start = bytes(self._start)
        if len(start) >= len(png.MAGIC):
            check_start(start)
        size = _png_size(start) if start.startswith(png.MAGIC) else jpeg_size(start)
        if size is not None:
            check_size(*size)
        self._done = size is not None or len(start) >= ENOUGH_BYTES
        if self._done:
            self._start.clear()


def _png_size(start: bytes) -> tuple[int, int] | None:
    return png.size(start) if len(start) >= _PNG_HEADER_BYTES else None


def jpeg_size(start: bytes) -> tuple[int, int] | None:
    """Width and height by the first frame header (ITU-T T.81, B.2.2), None where it has not come yet.

    Raises `ApiError` 400 for a scan before any frame.
    """
    at = 2
    while at + 9 <= len(start) and start[at] == 0xFF:
        marker = start[at + 1]
        if marker == 0xFF or marker in _ALONE:  # fill bytes, or no length
            at += 1 if marker == 0xFF else 2
            continue
        if marker == _SCAN:
            raise not_an_image("the JPEG has no frame header")
        if marker in _FRAMES:
            height, width = struct.unpack_from(">HH", start, at + 5)
            return width, height
        at += 2 + max(2, struct.unpack_from(">H", start, at + 2)[0])
    return None
