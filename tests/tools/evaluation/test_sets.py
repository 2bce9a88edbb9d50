"""Loading of the labelled sets, on a small one made here and on the real ones."""

from __future__ import annotations

import json
from pathlib import Path

import cv2
import numpy as np
import pytest

from tools.evaluation.sets import DETECTION_SOURCES, load_crops, load_pictures, read_picture


def write_set(root: Path) -> None:
    plates = root / "plates"
    (plates / "crops").mkdir(parents=True)
    coco = {
        "images": [
            {"id": 2, "file_name": "s/b.png", "width": 40, "height": 30},
            {"id": 1, "file_name": "s/a.png", "width": 40, "height": 30},
        ],
        "annotations": [
            {"id": 1, "image_id": 2, "bbox": [1, 2, 10, 4], "text": "AB1"},
            {"id": 2, "image_id": 2, "bbox": [20, 2, 5, 5], "illegible": True},
        ],
    }
    (plates / "s_val.json").write_text(json.dumps(coco))
    (plates / "texts.csv").write_text(
        "file_name,text,source,split\ncrops/0.png,AB/1,s,val\ncrops/1.png,CD2,t,val\ncrops/2.png,X,s,train\n"
    )


def test_boxes_become_corners_and_illegible_plates_are_plates(tmp_path: Path) -> None:
    write_set(tmp_path)
    first, second = load_pictures(tmp_path, "s", "val")
    assert first.path == tmp_path / "plates" / "s" / "a.png"
    assert first.boxes.shape == (0, 4)
    assert second.boxes.tolist() == [[1, 2, 11, 6], [20, 2, 25, 7]]
    assert second.texts == ("AB1", None)


def test_crops_are_chosen_by_split_and_source(tmp_path: Path) -> None:
    write_set(tmp_path)
    assert [c.text for c in load_crops(tmp_path, "val")] == ["AB/1", "CD2"]
    assert [c.text for c in load_crops(tmp_path, "val", ["t"])] == ["CD2"]


def test_a_missing_set_is_named(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match=r"nowhere_val\.json"):
        load_pictures(tmp_path, "nowhere", "val")


def test_an_unreadable_picture_is_named(tmp_path: Path) -> None:
    (tmp_path / "cut.png").write_bytes(b"\x89PNG")
    with pytest.raises(OSError, match=r"cut\.png"):
        read_picture(tmp_path / "cut.png")
    cv2.imwrite(str(tmp_path / "good.png"), np.zeros((3, 4), np.uint8))
    assert read_picture(tmp_path / "good.png").shape == (3, 4, 3)


def test_the_real_sets_are_complete(shared_data: Path) -> None:
    for source in DETECTION_SOURCES:
        pictures = load_pictures(shared_data, source, "val")
        assert len(pictures) > 50
        assert all(p.path.is_file() for p in pictures)
        assert all((p.boxes[:, 2:] > p.boxes[:, :2]).all() for p in pictures)
    assert len(load_crops(shared_data, "val")) > 500
