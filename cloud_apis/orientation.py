"""Which way up a picture is to be seen: the orientation in its EXIF data, read with care, and turning by it.

See *Exchangeable image file format for digital still cameras: Exif Version 2.32* (CIPA DC-008), section 4.6: a TIFF
header, then directories of entries of 12 bytes. Whatever is not as it should be counts as no orientation.
"""

from __future__ import annotations

import struct

import cv2
import numpy as np
from numpy.typing import NDArray

UPRIGHT = 1
MAX_SEGMENTS = 64
MAX_ENTRIES = 256
_EXIF = b"Exif\0\0"
_TAG = 0x0112
_SHORT, _LONG = 3, 4
_ALONE = {0x01, *range(0xD0, 0xD8)}
"""JPEG markers without a length: TEM and the restart markers."""
_START_OF_SCAN, _END_OF_IMAGE, _APP1 = 0xDA, 0xD9, 0xE1


def jpeg_orientation(data: bytes) -> int:
    """The orientation 1..8 of a JPEG, 1 (upright) where nothing valid is said before the first scan."""
    at = 2
    for _ in range(MAX_SEGMENTS):
        while data[at : at + 2] == b"\xff\xff":  # a marker may follow any number of fill bytes
            at += 1
        if at + 4 > len(data) or data[at] != 0xFF or data[at + 1] in (_START_OF_SCAN, _END_OF_IMAGE):
            return UPRIGHT
        if data[at + 1] in _ALONE:
            at += 2
            continue
        (length,) = struct.unpack_from(">H", data, at + 2)
        if data[at + 1] == _APP1 and data[at + 4 : at + 10] == _EXIF:
            return tiff_orientation(data[at + 10 : at + 2 + length])
        at += 2 + max(2, length)
    return UPRIGHT


def tiff_orientation(exif: bytes) -> int:
    """The orientation 1..8 in EXIF data (from its TIFF header on), 1 (upright) where nothing valid is said."""
    order = {b"II*\0": "<", b"MM\0*": ">"}.get(exif[:4])
    try:
        if order is None:
            return UPRIGHT
        (start,) = struct.unpack_from(f"{order}I", exif, 4)
        (entries,) = struct.unpack_from(f"{order}H", exif, start)
        for place in range(start + 2, start + 2 + 12 * min(entries, MAX_ENTRIES), 12):
            tag, kind, count = struct.unpack_from(f"{order}HHI", exif, place)
            if tag == _TAG:
                if count != 1 or kind not in (_SHORT, _LONG):
                    return UPRIGHT
                (value,) = struct.unpack_from(f"{order}{'H' if kind == _SHORT else 'I'}", exif, place + 8)
                return value if 1 <= value <= 8 else UPRIGHT
    except struct.error:  # it ends too early
        pass
    return UPRIGHT


def swaps_sides(orientation: int) -> bool:
    """Whether the picture as seen is as wide as the stored one is high."""
    return orientation >= 5


def upright(image: NDArray[np.uint8], orientation: int) -> NDArray[np.uint8]:
    """The stored picture, uint8 (height, width) or (height, width, 3), as it is to be seen."""
    if swaps_sides(orientation):
        image = np.asarray(cv2.transpose(image), np.uint8)
    # After transposing, 6 (a quarter turn clockwise) lacks a mirroring left to right, 8 one top to bottom.
    axis = {2: 1, 3: -1, 4: 0, 6: 1, 7: -1, 8: 0}.get(orientation)
    return image if axis is None else np.asarray(cv2.flip(image, axis), np.uint8)
