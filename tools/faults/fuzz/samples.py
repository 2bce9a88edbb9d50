"""Intact pictures of our own making, in the formats that people send."""

from __future__ import annotations

import io
import struct
import zlib
from collections.abc import Iterator
from typing import Final

import numpy as np
from PIL import Image

PNG_MAGIC: Final = b"\x89PNG\r\n\x1a\n"


def drawn(width_px: int = 96, height_px: int = 64) -> Image.Image:
    """A picture (RGB) with edges, a gradient and noise, the same each time."""
    rng = np.random.default_rng(5)
    pixels = np.empty((height_px, width_px, 3), np.uint8)
    pixels[:, :, 0] = np.linspace(0, 255, width_px)[None]
    pixels[:, :, 1] = rng.integers(0, 40, (height_px, width_px))
    pixels[:, :, 2] = 30
    pixels[height_px // 3 : height_px // 2, width_px // 4 : width_px // 2] = 250
    return Image.fromarray(pixels)


def encoded(picture: Image.Image, kind: str, **options: object) -> bytes:
    """The picture as a file's bytes, by Pillow's name of the format."""
    buffer = io.BytesIO()
    picture.save(buffer, kind, **options)
    return buffer.getvalue()


def jpegs() -> list[bytes]:
    """JPEGs: colours, grey, ink, progressive, with an orientation, with restart markers."""
    colours, exif = drawn(), Image.Exif()
    exif[0x0112], exif[0x010F] = 6, "a camera"
    return [
        encoded(colours, "JPEG", quality=80),
        encoded(colours.convert("L"), "JPEG", quality=60),
        encoded(colours.convert("CMYK"), "JPEG"),
        encoded(colours, "JPEG", progressive=True, optimize=True),
        encoded(colours, "JPEG", exif=exif, subsampling=0),
        encoded(colours, "JPEG", restart_marker_blocks=2),
    ]


def pngs() -> list[bytes]:
    """PNGs: colours, grey, transparent, with a palette, of 16 bits, of one bit, animated, with an orientation."""
    colours, exif = drawn(), Image.Exif()
    exif[0x0112] = 8
    deep = Image.fromarray(np.linspace(0, 65535, 64 * 48).astype(np.uint16).reshape(48, 64))
    frames = [Image.new("L", (32, 24), value) for value in (10, 100, 200)]
    return [
        encoded(colours, "PNG"),
        encoded(colours.convert("L"), "PNG"),
        encoded(colours.convert("RGBA"), "PNG"),
        encoded(colours.convert("P"), "PNG", transparency=3),
        encoded(deep, "PNG"),
        encoded(colours.convert("1"), "PNG"),
        encoded(frames[0], "PNG", save_all=True, append_images=frames[1:]),
        encoded(colours, "PNG", exif=exif),
    ]


def others() -> list[bytes]:
    """Pictures in formats that are refused: WebP still, lossless and moving, and GIF."""
    colours = drawn()
    moving = [drawn(48, 32), drawn(48, 32).convert("L").convert("RGB")]
    return [
        encoded(colours, "WEBP"),
        encoded(colours, "WEBP", lossless=True),
        encoded(moving[0], "WEBP", save_all=True, append_images=moving[1:]),
        encoded(colours, "GIF"),
    ]


def png_chunk(kind: bytes, content: bytes) -> bytes:
    """A chunk with a right checksum."""
    return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))


def png_chunks(data: bytes) -> Iterator[tuple[bytes, bytes]]:
    """Kind and content of the chunks that can be made out in a PNG."""
    at = len(PNG_MAGIC)
    while at + 12 <= len(data):
        (length,) = struct.unpack_from(">I", data, at)
        yield data[at + 4 : at + 8], data[at + 8 : at + 8 + length]
        at += 12 + length
