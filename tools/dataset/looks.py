"""The first look at a picture: can it be read, does it show anything, and what are its fingerprints?"""

from __future__ import annotations

import hashlib
import os
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from cloud_apis.errors import ApiError
from cloud_apis.images import decode_grey, inspect
from tools.dataset.errors import DatasetError
from tools.dataset.hashing import dhash, phash
from tools.dataset.outcomes import Outcome
from tools.training.datasets.pictures import PictureError, read_picture

SMALL_PX = 64
"""Pictures are decoded no finer than twice this, where their format allows it."""
MAX_BYTES = 256_000_000
"""No more is read into memory: such a file is no photo."""
_TOO_LARGE = 413
_OWN_FORMATS = (b"\xff\xd8\xff", b"\x89PNG\r\n\x1a\n")


@dataclass(frozen=True)
class LookJob:
    """Looks at the pictures of a catalogue. Sides below ``least_px`` are too small, a range of greys of at most
    ``blank_range`` shows nothing."""

    root: bytes
    least_px: int = 32
    blank_range: int = 8

    def worker(self) -> LookJob:
        return self

    def __call__(self, number: int, path: bytes) -> Outcome:
        """Raises DatasetError where the fault is the machine's, such as a disk that fails, and not the picture's."""
        file = os.path.join(self.root, path)  # noqa: PTH118 bytes
        try:
            with open(file, "rb") as stream:  # noqa: PTH123
                size = os.fstat(stream.fileno()).st_size
                if size > MAX_BYTES:
                    return Outcome("out", "broken", f"it has {size} bytes")
                data = stream.read(MAX_BYTES)
        except FileNotFoundError:
            return Outcome("out", "missing", "it is gone")
        except OSError as error:
            told = f"cannot read {os.fsdecode(file)}: {error.strerror}"
            raise DatasetError(f"{told}; the same command goes on here when that is mended") from error
        if not data.strip(b"\0"):
            return Outcome("out", "empty", f"it has {len(data)} bytes" + (", all of them 0" if data else ""))
        try:
            grey, width, height = _decode(data, os.fsdecode(file))
        except (ApiError, PictureError) as error:
            return Outcome("out", "broken", str(error))
        if min(width, height) < self.least_px:
            return Outcome("out", "small", f"it has {width} x {height} pixels")
        if int(grey.max()) - int(grey.min()) <= self.blank_range:
            return Outcome("out", "blank", "it is of one colour")
        values = {
            "sha256": hashlib.sha256(data).hexdigest(),
            "phash": phash(grey),
            "dhash": dhash(grey).hex(),
            "width": width,
            "height": height,
        }
        return Outcome("kept", values=values)


def _decode(data: bytes, file: str) -> tuple[NDArray[np.uint8], int, int]:
    """Grey pixels, and the width and height of the whole picture. Raises ApiError or PictureError."""
    if data.startswith(_OWN_FORMATS):
        try:
            info = inspect(data)
            return decode_grey(data, info, (SMALL_PX, SMALL_PX)), info.width_px, info.height_px
        except ApiError as error:
            if error.status != _TOO_LARGE:  # larger than the APIs take, which is no fault here
                raise
    grey = read_picture(Path(file)).image
    return grey, grey.shape[1], grey.shape[0]
