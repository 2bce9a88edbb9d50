"""The chunks of a PNG (PNG specification, third edition, section 5), looked at before a decoder sees them."""

from __future__ import annotations

import struct
import zlib
from collections.abc import Iterator

from cloud_apis.errors import not_an_image
from cloud_apis.orientation import UPRIGHT, tiff_orientation

MAGIC = b"\x89PNG\r\n\x1a\n"
_ANIMATION = (b"acTL", b"fcTL", b"fdAT")


def size(data: bytes) -> tuple[int, int]:
    """Width and height in pixels by the header. Raises `ApiError` 400."""
    if len(data) < 33 or data[8:16] != b"\0\0\0\rIHDR":
        raise not_an_image("the PNG is cut off within its header")
    width, height = struct.unpack_from(">II", data, 16)
    return width, height


def check(data: bytes) -> int:
    """Refuse a PNG that is cut off or damaged with `ApiError` 400; gives its orientation 1..8."""
    orientation = UPRIGHT
    for kind, start, end in _chunks(data):
        if zlib.crc32(memoryview(data)[start + 4 : end - 4]) != struct.unpack_from(">I", data, end - 4)[0]:
            raise not_an_image("the PNG is damaged: a checksum does not match")
        if kind == b"eXIf":
            orientation = tiff_orientation(data[start + 8 : end - 4])
    return orientation


def still(data: bytes) -> bytes:
    """A PNG without its animation: what is left is the picture that is shown where animations are not.

    Whatever is no PNG, or not animated, stays as it is.
    """
    if not data.startswith(MAGIC) or b"acTL" not in data:
        return data
    kept = [data[start:end] for kind, start, end in _chunks(data) if kind not in _ANIMATION]
    return MAGIC + b"".join(kept)


def _chunks(data: bytes) -> Iterator[tuple[bytes, int, int]]:
    """Kind, start and end of each chunk up to IEND. Raises `ApiError` 400 when that never comes."""
    at = len(MAGIC)
    while at + 12 <= len(data):
        (length,) = struct.unpack_from(">I", data, at)
        end = at + 12 + length
        if end > len(data):
            break
        kind = data[at + 4 : at + 8]
        yield kind, at, end
        if kind == b"IEND":
            return
        at = end
    raise not_an_image("the PNG is cut off")
