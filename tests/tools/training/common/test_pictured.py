from __future__ import annotations

import json
from pathlib import Path

import cv2
import numpy as np
import pytest

from tools.training.common.crops import RealCrop
from tools.training.common.pictured import cut, likeness, pictured


def photo(seed: int) -> np.ndarray[tuple[int, ...], np.dtype[np.uint8]]:
    """Soft blotches, which survive a reduction."""
    noise = np.random.default_rng(seed).integers(0, 256, (30, 40)).astype(np.uint8)
    return cv2.resize(noise, (640, 480), interpolation=cv2.INTER_CUBIC).astype(np.uint8)


def data(root: Path, plates: list[tuple[str, int]]) -> list[RealCrop]:
    """A detection set of photos at half their size, with one plate each, and the plates' crops at full size."""
    (root / "plates" / "open_lpr").mkdir(parents=True)
    images, annotations, crops = [], [], []
    for number, (text, seed) in enumerate(plates):
        full, name = photo(seed), f"open_lpr/{number}.png"
        cv2.imwrite(str(root / "plates" / name), cv2.resize(full, (320, 240), interpolation=cv2.INTER_AREA))
        images.append({"id": number, "file_name": name})
        annotations.append({"image_id": number, "bbox": [100, 80, 60, 20], "text": text})
        crop = cut(full, [200, 160, 120, 40])
        crops.append(RealCrop(f"crops/{number}.webp", text, "open_lpr", crop, 1.0))
    (root / "plates" / "open_lpr_train.json").write_text(json.dumps({"images": images, "annotations": annotations}))
    return crops


def test_plates_are_found_again_in_the_smaller_pictures(tmp_path: Path) -> None:
    crops = data(tmp_path, [("AB12CDE", 1), ("XY34ZZZ", 2)])
    found = pictured(tmp_path, crops)
    assert [f.text for f in found] == ["AB12CDE", "XY34ZZZ"]
    assert [f.file_name for f in found] == [c.file_name for c in crops]
    for small, crop in zip(found, crops, strict=True):
        assert small.scale == pytest.approx(0.5, abs=0.02)
        assert small.image.shape[0] == pytest.approx(crop.image.shape[0] / 2, abs=1)
        assert likeness(small.image, crop.image) > 0.95


def test_plates_that_stand_twice_or_look_otherwise_are_left_out(tmp_path: Path) -> None:
    crops = data(tmp_path, [("TWICE", 1), ("TWICE", 2), ("OTHER", 3)])
    other = RealCrop("crops/2.webp", "OTHER", "open_lpr", cut(photo(9), [200, 160, 120, 40]), 1.0)
    assert pictured(tmp_path, [*crops[:2], other]) == []
    unknown = RealCrop("crops/9.webp", "NOWHERE", "elsewhere", crops[0].image, 1.0)
    assert pictured(tmp_path, [unknown]) == []
