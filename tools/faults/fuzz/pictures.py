"""Spoiled JPEG, PNG and WebP before the server's decoder: refused with 400 or 413, or decoded to what it announced."""

from __future__ import annotations

import contextlib
import random
import struct
import zlib
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Final

from cloud_apis.contract import MAX_PIXELS
from cloud_apis.errors import ApiError
from cloud_apis.images import decode_bgr, decode_grey, inspect
from tools.faults.fuzz.format import Feed, Format
from tools.faults.fuzz.mutate import BYTES, Mutation
from tools.faults.fuzz.samples import PNG_MAGIC, jpegs, others, png_chunk, png_chunks, pngs

_SIDES: Final = (0, 1, 2, 7, 64, 4999, 5001, 65_500, 65_535)
_KINDS: Final = (b"acTL", b"fcTL", b"fdAT", b"eXIf", b"tRNS", b"PLTE", b"iCCP", b"zTXt", b"iTXt", b"gAMA", b"IHDR")


def _segments(data: bytes) -> list[tuple[int, int]]:
    """Where a JPEG's marker segments before the first scan begin and end."""
    found, at = [], 2
    while at + 4 <= len(data) and data[at] == 0xFF and data[at + 1] != 0xDA:
        end = at + 2 + max(2, struct.unpack_from(">H", data, at + 2)[0])
        found.append((at, end))
        at = end
    return found


def _jpeg_segment(random_: random.Random, data: bytes) -> bytes:
    """A marker segment is missing, stands there twice, or is spoiled inside with its length kept."""
    segments = _segments(data) if data.startswith(b"\xff\xd8") else []
    if not segments:
        return data
    start, end = random_.choice(segments)
    segment = data[start:end]
    match random_.randrange(4):
        case 0:
            segment = b""
        case 1:
            segment *= random_.choice((2, 2, 70))
        case 2:
            body = bytearray(segment[4:])
            for _ in range(random_.randint(1, 4)):
                if body:
                    body[random_.randrange(len(body))] = random_.choice((0, 1, 2, 4, 17, 127, 255))
            segment = segment[:4] + bytes(body)
        case _:
            segment = segment[:2] + struct.pack(">H", random_.choice((0, 1, 2, 3, 65535, len(segment)))) + segment[4:]
    return data[:start] + segment + data[end:]


def _jpeg_size(random_: random.Random, data: bytes) -> bytes:
    """The frame header claims other sides, another precision or other components."""
    for start, _ in _segments(data) if data.startswith(b"\xff\xd8") else ():
        if data[start + 1] in (0xC0, 0xC1, 0xC2):
            height, width = random_.choice(_SIDES), random_.choice(_SIDES)
            depth, planes = random_.choice((8, 8, 8, 12)), random_.choice((1, 3, 3, 4, 255))
            head = struct.pack(">BHHB", depth, height, width, planes)
            return data[: start + 4] + head + data[start + 10 :]
    return data


def _jpeg_scans(random_: random.Random, data: bytes) -> bytes:
    """All from the first scan on stands there many times."""
    at = data.find(b"\xff\xda")
    return data if at < 0 else data[:-2] + (data[at:-2]) * random_.choice((1, 10, 62, 70)) + data[-2:]


def _png_chunks(random_: random.Random, data: bytes) -> bytes:
    """Chunks are missing, doubled, moved, of another kind or spoiled inside; their checksums are right."""
    chunks = list(png_chunks(data)) if data.startswith(PNG_MAGIC) else []
    if not chunks:
        return data
    at = random_.randrange(len(chunks))
    kind, content = chunks[at]
    match random_.randrange(6):
        case 0:
            del chunks[at]
        case 1:
            chunks.insert(at, (kind, content))
        case 2:
            random_.shuffle(chunks)
        case 3:
            chunks[at] = random_.choice(_KINDS), content
        case 4:
            chunks.insert(random_.randint(0, len(chunks)), (random_.choice(_KINDS), random_.randbytes(26)))
        case _:
            spoiled = bytearray(content or b"\0")
            spoiled[random_.randrange(len(spoiled))] = random_.randrange(256)
            chunks[at] = kind, bytes(spoiled)
    return PNG_MAGIC + b"".join(png_chunk(kind, content) for kind, content in chunks)


def _png_header(random_: random.Random, data: bytes) -> bytes:
    """The header claims other sides, depths and ways, under a right checksum."""
    if not data.startswith(PNG_MAGIC) or len(data) < 33:
        return data
    header = struct.pack(
        ">IIBBBBB", random_.choice(_SIDES), random_.choice(_SIDES), random_.choice((1, 2, 4, 8, 16, 3)),
        random_.choice((0, 2, 3, 4, 6, 1)), random_.choice((0, 0, 1)), 0, random_.choice((0, 1, 2)),
    )  # fmt: skip
    return PNG_MAGIC + png_chunk(b"IHDR", header) + data[33:]


def _png_pixels(random_: random.Random, data: bytes) -> bytes:
    """The pixels are other, fewer or many more bytes than the header says, packed as they should be."""
    if not data.startswith(PNG_MAGIC):
        return data
    rows = random_.randbytes(random_.choice((0, 1, 100, 5000))) + b"\0" * random_.choice((0, 1000, 2_000_000))
    chunks = [(kind, zlib.compress(rows) if kind == b"IDAT" else content) for kind, content in png_chunks(data)]
    return PNG_MAGIC + b"".join(png_chunk(kind, content) for kind, content in chunks)


_STRUCTURE: Final[tuple[Mutation, ...]] = (
    _jpeg_segment,
    _jpeg_size,
    _jpeg_scans,
    _png_chunks,
    _png_header,
    _png_pixels,
)


def decode(data: bytes) -> str:
    """One input to the decoder."""
    try:
        info = inspect(data)
        grey, bgr = decode_grey(data, info), decode_bgr(data, info)
        small = decode_grey(data, info, (40, 30))
    except ApiError as error:
        if error.status not in (400, 413):
            raise
        return str(error.status)
    shape = (info.height_px, info.width_px)
    if grey.shape != shape or bgr.shape != (*shape, 3) or small.size > grey.size or grey.size > MAX_PIXELS:
        raise AssertionError(f"announced {shape}, decoded to {grey.shape}, {bgr.shape}, {small.shape}")
    return "taken"


@contextlib.contextmanager
def _reader(_: Path) -> Iterator[Feed]:
    yield decode


def intact() -> Sequence[bytes]:
    """Pictures without a flaw."""
    return jpegs() + pngs() + others()


FORMAT: Final = Format("pictures", "JPEG, PNG and WebP pictures", intact, (*BYTES, *_STRUCTURE * 2), _reader)
