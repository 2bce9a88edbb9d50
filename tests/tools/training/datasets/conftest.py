from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("defusedxml", reason="defusedxml (extra `train`) is not installed")
Image = pytest.importorskip("PIL.Image", reason="Pillow (extra `train`) is not installed")


def save_picture(file: Path, width: int = 64, height: int = 48, **options: object) -> Path:
    """A grey ramp with a bright plate at 20, 16 to 44, 26."""
    file.parent.mkdir(parents=True, exist_ok=True)
    image = np.tile(np.linspace(0, 100, width, dtype=np.uint8), (height, 1))
    image[16:26, 20:44] = 230
    Image.fromarray(np.stack([image] * 3, axis=2)).save(file, **options)
    return file


@pytest.fixture
def pictures(tmp_path: Path) -> Path:
    """A folder with the pictures a.jpg to d.jpg of 64 x 48 pixels."""
    for name in "abcd":
        save_picture(tmp_path / "images" / f"{name}.jpg")
    return tmp_path
