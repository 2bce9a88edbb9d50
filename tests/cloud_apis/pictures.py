"""Pictures for the tests, among them what the tiny networks find."""

from __future__ import annotations

import io
import struct
import zlib

import numpy as np
import simplejpeg
from numpy.typing import NDArray
from PIL import Image

Grey = NDArray[np.uint8]


def grey_jpeg(image: Grey, quality: int = 95) -> bytes:
    data: bytes = simplejpeg.encode_jpeg(image[:, :, None], quality=quality, colorspace="GRAY")
    return data


def bgr_jpeg(image: Grey, quality: int = 95) -> bytes:
    data: bytes = simplejpeg.encode_jpeg(image, quality=quality, colorspace="BGR")
    return data


def encoded(image: Image.Image, kind: str, **options: object) -> bytes:
    buffer = io.BytesIO()
    image.save(buffer, kind, **options)
    return buffer.getvalue()


def scene(width: int = 416, height: int = 234) -> Grey:
    """A dark picture with one bright spot, which the tiny detector takes for a plate.

    The spot fills the cell in column 6, row 3 of the coarsest grid: pixels 192..224, 85..117 in the picture.
    """
    image = np.full((height, width), 20, np.uint8)
    image[85:117, 192:224] = 255
    return image


def coloured(red: int, green: int, blue: int, width: int = 96, height: int = 64) -> Grey:
    """A picture of one colour, BGR (height, width, 3)."""
    image = np.empty((height, width, 3), np.uint8)
    image[:] = blue, green, red
    return image


def crop() -> Grey:
    """A dark crop of 96 x 48 with a bright bar, which the tiny line finder takes for a line of text."""
    image = np.zeros((48, 96), np.uint8)
    image[16:32, 16:80] = 255
    return image


def png_header(width: int, height: int) -> bytes:
    """A PNG that claims a size and holds next to nothing."""
    header = struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + png_chunk(b"IHDR", header) + png_chunk(b"IEND", b"")


def png_chunk(kind: bytes, content: bytes) -> bytes:
    return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))
