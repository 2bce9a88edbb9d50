"""Bounded decoding of JPEG and PNG: what a picture claims to be is checked before a pixel is decoded.

Orientation tags (EXIF) are not applied: coordinates in answers are pixels of the picture as it was sent.
"""

from __future__ import annotations

import struct
import zlib
from dataclasses import dataclass
from enum import StrEnum

import cv2
import numpy as np
import simplejpeg
from numpy.typing import NDArray

from cloud_apis.contract import MAX_BYTES, MAX_PIXELS
from cloud_apis.errors import not_an_image, too_large

# A progressive JPEG of a few megabytes can name thousands of scans, each a pass over all pixels.
MAX_JPEG_SCANS = 64
_PNG_MAGIC = b"\x89PNG\r\n\x1a\n"
_JPEG_MAGIC = b"\xff\xd8\xff"
_SCAN_MARKER = b"\xff\xda"
_END_MARKER = b"\xff\xd9"


class ImageFormat(StrEnum):
    """The formats that are taken."""

    JPEG = "image/jpeg"
    PNG = "image/png"


@dataclass(frozen=True, slots=True)
class ImageInfo:
    """What a picture's header says: format, width and height in pixels, and whether it has ink colours."""

    format: ImageFormat
    width_px: int
    height_px: int
    cmyk: bool = False


def inspect(data: bytes) -> ImageInfo:
    """Look at a picture's header and refuse what must not be decoded.

    Raises `ApiError`: 413 beyond `MAX_BYTES` or `MAX_PIXELS`, 400 when it is no JPEG or PNG, or cut off.
    """
    if len(data) > MAX_BYTES:
        raise too_large(f"the picture has {len(data)} bytes; at most {MAX_BYTES} are taken")
    if data.startswith(_JPEG_MAGIC):
        info = _inspect_jpeg(data)
    elif data.startswith(_PNG_MAGIC):
        info = _inspect_png(data)
    else:
        raise not_an_image("the picture is neither a JPEG nor a PNG" if data else "the picture is empty")
    if info.width_px < 1 or info.height_px < 1:
        raise not_an_image("the picture has no pixels")
    if info.width_px * info.height_px > MAX_PIXELS:
        size = f"{info.width_px} x {info.height_px}"
        raise too_large(f"the picture has {size} pixels; at most {MAX_PIXELS} are taken")
    if info.format is ImageFormat.PNG:
        _check_png_chunks(data)
    elif data.count(_SCAN_MARKER) > MAX_JPEG_SCANS:
        raise not_an_image(f"the JPEG has more than {MAX_JPEG_SCANS} scans")
    return info


def decode_grey(data: bytes, info: ImageInfo, least_size_px: tuple[int, int] = (0, 0)) -> NDArray[np.uint8]:
    """Decode to grey, uint8 (height, width); a JPEG's luma is taken as it is, without a way over colour.

    `info` is what `inspect` said. With `least_size_px` (width, height) a JPEG of at least twice that size is
    decoded at a reduced size, never below it. Raises `ApiError` 400 where decoding fails.
    """
    if info.format is ImageFormat.PNG or info.cmyk:
        return _decode_with_opencv(data, cv2.IMREAD_GRAYSCALE)
    least_width, least_height = least_size_px
    if least_width * 2 > info.width_px or least_height * 2 > info.height_px:
        least_width = least_height = 0
    return _decode_jpeg(data, "GRAY", least_width, least_height)[:, :, 0]


def decode_bgr(data: bytes, info: ImageInfo) -> NDArray[np.uint8]:
    """Decode to colour, uint8 (height, width, 3) in BGR order; transparency is dropped, 16 bits become 8.

    `info` is what `inspect` said. Raises `ApiError` 400 where decoding fails.
    """
    if info.format is ImageFormat.PNG or info.cmyk:
        return _decode_with_opencv(data, cv2.IMREAD_COLOR)
    return _decode_jpeg(data, "BGR")


def encode_jpeg(image: NDArray[np.uint8], quality: int = 90) -> bytes:
    """Encode a BGR picture, uint8 (height, width, 3), as JPEG."""
    encoded: bytes = simplejpeg.encode_jpeg(
        np.ascontiguousarray(image), quality=quality, colorspace="BGR", colorsubsampling="420"
    )
    return encoded


def _inspect_jpeg(data: bytes) -> ImageInfo:
    try:
        height, width, colourspace, _ = simplejpeg.decode_jpeg_header(data, strict=False)
    except (ValueError, KeyError) as error:  # KeyError: a header so broken that it has no colour space
        raise not_an_image("the JPEG is broken or cut off within its header") from error
    return ImageInfo(ImageFormat.JPEG, width, height, cmyk=colourspace in ("CMYK", "YCCK"))


def _inspect_png(data: bytes) -> ImageInfo:
    if len(data) < 33 or data[8:16] != b"\0\0\0\rIHDR":
        raise not_an_image("the PNG is cut off within its header")
    width, height = struct.unpack_from(">II", data, 16)
    return ImageInfo(ImageFormat.PNG, width, height)


def _check_png_chunks(data: bytes) -> None:
    """Refuse a PNG that is cut off or damaged; see the PNG specification, section 5 (chunk layout)."""
    view, at = memoryview(data), len(_PNG_MAGIC)
    while at + 12 <= len(data):
        (length,) = struct.unpack_from(">I", data, at)
        end = at + 12 + length
        if end > len(data):
            break
        if zlib.crc32(view[at + 4 : end - 4]) != struct.unpack_from(">I", data, end - 4)[0]:
            raise not_an_image("the PNG is damaged: a checksum does not match")
        if data[at + 4 : at + 8] == b"IEND":
            return
        at = end
    raise not_an_image("the PNG is cut off")


def _decode_jpeg(data: bytes, colourspace: str, least_width_px: int = 0, least_height_px: int = 0) -> NDArray[np.uint8]:
    image: NDArray[np.uint8]
    for strict in (True, False):
        try:
            image = simplejpeg.decode_jpeg(
                data, colourspace, min_width=least_width_px, min_height=least_height_px, strict=strict
            )
        except ValueError as error:
            # Many cameras leave stray bytes before a marker; the picture is whole all the same.
            if not (strict and "extraneous bytes" in str(error) and _END_MARKER in data[-64:]):
                raise not_an_image("the JPEG is damaged or cut off") from error
        else:
            break
    return image


def _decode_with_opencv(data: bytes, flags: int) -> NDArray[np.uint8]:
    try:
        image = cv2.imdecode(np.frombuffer(data, np.uint8), flags | cv2.IMREAD_IGNORE_ORIENTATION)
    except cv2.error as error:
        raise not_an_image("the picture cannot be decoded") from error
    if image is None:
        raise not_an_image("the picture cannot be decoded")
    return image.astype(np.uint8, copy=False)
