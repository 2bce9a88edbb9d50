"""Bounded decoding of JPEG and PNG: what a picture claims to be is checked before a pixel is decoded.

The orientation in a picture's EXIF data is applied: sizes and coordinates are those of the picture as people see
it. Of an animated PNG the still picture counts; animated formats (GIF, WebP) are refused as all others are.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

import cv2
import numpy as np
import simplejpeg
from numpy.typing import NDArray

from cloud_apis import png
from cloud_apis.contract import MAX_BYTES, MAX_PIXELS, MAX_SIDE_PX
from cloud_apis.errors import ApiError, not_an_image, too_large
from cloud_apis.orientation import UPRIGHT, jpeg_orientation, swaps_sides, upright

# A progressive JPEG of a few megabytes can name thousands of scans, each a pass over all pixels.
MAX_JPEG_SCANS = 64
_JPEG_MAGIC = b"\xff\xd8\xff"
_SCAN_MARKER = b"\xff\xda"
_END_MARKER = b"\xff\xd9"
# Formats that people try: where their mark stands, the mark, their name.
_OTHERS = (
    (0, b"GIF8", "GIF"),
    (8, b"WEBP", "WebP"),
    (0, b"II*\0", "TIFF"),
    (0, b"MM\0*", "TIFF"),
    (0, b"BM", "BMP"),
    (4, b"ftypheic", "HEIC"),
    (4, b"ftypavif", "AVIF"),
    (0, b"%PDF", "PDF"),
)


class ImageFormat(StrEnum):
    """The formats that are taken."""

    JPEG = "image/jpeg"
    PNG = "image/png"


@dataclass(frozen=True, slots=True)
class ImageInfo:
    """What a picture's header says: format, width and height in pixels as it is seen, whether it has ink colours,
    and its orientation by EXIF (1 to 8; 1: it is stored upright)."""

    format: ImageFormat
    width_px: int
    height_px: int
    cmyk: bool = False
    orientation: int = UPRIGHT


def inspect(data: bytes) -> ImageInfo:
    """Look at a picture's header and refuse what must not be decoded.

    Raises `ApiError`: 413 beyond `MAX_BYTES`, `MAX_PIXELS` or `MAX_SIDE_PX`, 400 when it is no JPEG or PNG, or
    cut off.
    """
    if len(data) > MAX_BYTES:
        raise too_large(f"the picture has {len(data)} bytes; at most {MAX_BYTES} are taken")
    cmyk = False
    if data.startswith(_JPEG_MAGIC):
        kind = ImageFormat.JPEG
        width, height, cmyk = _jpeg_header(data)
    elif data.startswith(png.MAGIC):
        kind = ImageFormat.PNG
        width, height = png.size(data)
    else:
        raise _other_format(data)
    check_size(width, height)
    if kind is ImageFormat.PNG:
        orientation = png.check(data)
    elif data.count(_SCAN_MARKER) > MAX_JPEG_SCANS:
        raise not_an_image(f"the JPEG has more than {MAX_JPEG_SCANS} scans")
    else:
        orientation = jpeg_orientation(data)
    if swaps_sides(orientation):
        width, height = height, width
    return ImageInfo(kind, width, height, cmyk, orientation)


def decode_grey(data: bytes, info: ImageInfo, least_size_px: tuple[int, int] = (0, 0)) -> NDArray[np.uint8]:
    """Decode to grey, uint8 (height, width), upright; a JPEG's luma is taken as it is, without a way over colour.

    `info` is what `inspect` said. With `least_size_px` (width, height) a JPEG of at least twice that size is
    decoded at a reduced size, never below it. Raises `ApiError` 400 where decoding fails.
    """
    if info.format is ImageFormat.PNG or info.cmyk:
        return upright(_decode_with_opencv(data, cv2.IMREAD_GRAYSCALE), info.orientation)
    least_width, least_height = least_size_px
    if least_width * 2 > info.width_px or least_height * 2 > info.height_px:
        least_width = least_height = 0
    elif swaps_sides(info.orientation):
        least_width, least_height = least_height, least_width
    return upright(_decode_jpeg(data, "GRAY", least_width, least_height)[:, :, 0], info.orientation)


def decode_bgr(data: bytes, info: ImageInfo) -> NDArray[np.uint8]:
    """Decode to colour, uint8 (height, width, 3) in BGR order, upright; transparency is dropped, 16 bits become 8.

    `info` is what `inspect` said. Raises `ApiError` 400 where decoding fails.
    """
    if info.format is ImageFormat.PNG or info.cmyk:
        return upright(_decode_with_opencv(data, cv2.IMREAD_COLOR), info.orientation)
    return upright(_decode_jpeg(data, "BGR"), info.orientation)


def encode_jpeg(image: NDArray[np.uint8], quality: int = 90) -> bytes:
    """Encode a BGR picture, uint8 (height, width, 3), as JPEG."""
    encoded: bytes = simplejpeg.encode_jpeg(
        np.ascontiguousarray(image), quality=quality, colorspace="BGR", colorsubsampling="420"
    )
    return encoded


def _other_format(data: bytes) -> ApiError:
    if not data:
        return not_an_image("the picture is empty")
    for at, mark, name in _OTHERS:
        if data[at : at + len(mark)] == mark:
            return not_an_image(f"the picture is a {name}; send a JPEG or a PNG")
    return not_an_image("the picture is neither a JPEG nor a PNG")


def check_start(start: bytes) -> None:
    """Refuse what begins like no JPEG or PNG: `ApiError` 400."""
    if not start.startswith((_JPEG_MAGIC, png.MAGIC)):
        raise _other_format(start)


def check_size(width_px: int, height_px: int) -> None:
    """Refuse a picture without pixels with `ApiError` 400, one with too many, or too long a side, with 413."""
    if width_px < 1 or height_px < 1:
        raise not_an_image("the picture has no pixels")
    size = f"the picture has {width_px} x {height_px} pixels"
    if width_px * height_px > MAX_PIXELS:
        raise too_large(f"{size}; at most {MAX_PIXELS} are taken")
    if max(width_px, height_px) > MAX_SIDE_PX:
        raise too_large(f"{size}; at most {MAX_SIDE_PX} on a side are taken")


def _jpeg_header(data: bytes) -> tuple[int, int, bool]:
    """Width, height and whether the colours are those of ink."""
    try:
        height, width, colourspace, _ = simplejpeg.decode_jpeg_header(data, strict=False)
    except (ValueError, KeyError) as error:  # KeyError: a header so broken that it has no colour space
        raise not_an_image("the JPEG is broken or cut off within its header") from error
    return width, height, colourspace in ("CMYK", "YCCK")


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
        image = cv2.imdecode(np.frombuffer(png.still(data), np.uint8), flags | cv2.IMREAD_IGNORE_ORIENTATION)
    except cv2.error as error:
        raise not_an_image("the picture cannot be decoded") from error
    if image is None:
        raise not_an_image("the picture cannot be decoded")
    return image.astype(np.uint8, copy=False)
