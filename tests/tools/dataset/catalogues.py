"""Small catalogues for the tests."""

from __future__ import annotations

import io
import zlib
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image


def scene(seed: int, width: int = 96, height: int = 72) -> NDArray[np.uint8]:
    """Soft patches of colour, BGR, of which no two seeds look alike."""
    patches = np.random.default_rng(seed).integers(0, 256, (7, 9, 3), np.uint8)
    return np.asarray(cv2.resize(patches, (width, height), interpolation=cv2.INTER_CUBIC), np.uint8)


def jpeg(picture: NDArray[np.uint8], quality: int = 88) -> bytes:
    stream = io.BytesIO()
    Image.fromarray(picture[:, :, ::-1]).save(stream, "JPEG", quality=quality)
    return stream.getvalue()


def write(root: Path, path: str, content: bytes) -> Path:
    file = root / path
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_bytes(content)
    return file


def listings(root: Path, make_model: str, year: int, count: int, pictures: int, first: int = 0) -> None:
    """So many listings with so many pictures each, all different."""
    for listing in range(first, first + count):
        for name in range(pictures):
            seed = zlib.crc32(f"{make_model} {year} {listing} {name}".encode())
            write(root, f"{make_model}/{year}/{listing:05d}/{name}.jpg", jpeg(scene(seed)))
