"""The chunks of a PNG (PNG specification, third edition, section 5), looked at before a decoder sees them."""

from __future__ import annotations

import struct
import zlib
from collections.abc import Iterable, Iterator

from cloud_apis.errors import not_an_image
from cloud_apis.orientation import UPRIGHT, tiff_orientation

MAGIC = b"\x89PNG\r\n\x1a\n"
MAX_CHUNKS = 10_000
_NEEDED = (b"IHDR", b"PLTE", b"tRNS", b"IDAT", b"IEND")
"""What a decoder needs for the still picture; packed texts and profiles can be large when they are unpacked."""
_SAMPLES = {0: 1, 2: 3, 3: 1, 4: 2, 6: 4}
"""Samples of a pixel by the header's type of colour."""
_PASSES = ((0, 0, 8, 8), (4, 0, 8, 8), (0, 4, 4, 8), (2, 0, 4, 4), (0, 2, 2, 4), (1, 0, 2, 2), (0, 1, 1, 2))
"""Adam7: first column and row, distance of columns and rows."""
_STEP_BYTES = 256 * 1024


def size(data: bytes) -> tuple[int, int]:
    """Width and height in pixels by the header. Raises `ApiError` 400."""
    if len(data) < 33 or data[8:16] != b"\0\0\0\rIHDR":
        raise not_an_image("the PNG is cut off within its header")
    width, height = struct.unpack_from(">II", data, 16)
    return width, height


def check(data: bytes) -> int:
    """Refuse a PNG that is cut off, damaged or unpacks to more than its header says; gives its orientation 1..8.

    Raises `ApiError` 400.
    """
    orientation = UPRIGHT
    pixels = []
    for kind, start, end in _chunks(data):
        if zlib.crc32(memoryview(data)[start + 4 : end - 4]) != struct.unpack_from(">I", data, end - 4)[0]:
            raise not_an_image("the PNG is damaged: a checksum does not match")
        if kind == b"eXIf":
            orientation = tiff_orientation(data[start + 8 : end - 4])
        elif kind == b"IDAT":
            pixels.append(memoryview(data)[start + 8 : end - 4])
    _check_pixels(pixels, _unpacked_bytes(data))
    return orientation


def _check_pixels(packed: Iterable[memoryview], expected: int) -> None:
    """Unpack without keeping anything, up to what is expected: decoders go on to the end, however far that is."""
    unpacker = zlib.decompressobj()
    size = 0
    try:
        for part in packed:
            rest: bytes | memoryview = part
            while len(rest) and not unpacker.eof:
                size += len(unpacker.decompress(rest, _STEP_BYTES))
                if size > expected:
                    raise not_an_image("the PNG holds more pixels than its header says")
                rest = unpacker.unconsumed_tail
    except zlib.error as error:
        raise not_an_image("the PNG is damaged: its pixels cannot be unpacked") from error


def _unpacked_bytes(data: bytes) -> int:
    """How many bytes all rows take by the header, each with the byte that names its filter."""
    width, height, depth, colours, _, _, interlaced = struct.unpack_from(">IIBBBBB", data, 16)
    bits = depth * _SAMPLES.get(colours, 0)
    if not bits:
        raise not_an_image("the PNG's header names a type of colours that there is not")
    total = 0
    for left, top, across, down in _PASSES if interlaced else ((0, 0, 1, 1),):
        columns, rows = -(-(width - left) // across), -(-(height - top) // down)
        if columns > 0 and rows > 0:
            total += rows * (1 + -(-columns * bits // 8))
    return total


def still(data: bytes) -> bytes:
    """A PNG without its animation, texts and profiles: the picture that is shown where animations are not.

    Whatever is no PNG stays as it is.
    """
    if not data.startswith(MAGIC):
        return data
    return MAGIC + b"".join(data[start:end] for kind, start, end in _chunks(data) if kind in _NEEDED)


def _chunks(data: bytes) -> Iterator[tuple[bytes, int, int]]:
    """Kind, start and end of each chunk up to IEND. Raises `ApiError` 400 when that never comes."""
    at = len(MAGIC)
    for _ in range(MAX_CHUNKS):
        if at + 12 > len(data):
            break
        (length,) = struct.unpack_from(">I", data, at)
        end = at + 12 + length
        if end > len(data):
            break
        kind = data[at + 4 : at + 8]
        yield kind, at, end
        if kind == b"IEND":
            return
        at = end
    else:
        raise not_an_image(f"the PNG has more than {MAX_CHUNKS} chunks")
    raise not_an_image("the PNG is cut off")
