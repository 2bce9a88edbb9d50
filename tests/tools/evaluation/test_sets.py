"""Loading of the labelled sets, on a small one made here and on the real ones."""

from __future__ import annotations

import json
from pathlib import Path

import cv2
import numpy as np
import pytest

from tools.evaluation.sets import DETECTION_SOURCES, load_crops, load_pictures, opened, read_picture, reader_dev
from tools.training.common.crops import part_of
from tools.training.datasets.problems import Kind, Problems
from tools.training.yolov3.dataset import in_dev


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


def write_pictures(root: Path, *names: str) -> None:
    (root / "plates" / "s").mkdir(exist_ok=True)
    for name in names:
        cv2.imwrite(str(root / "plates" / name), np.zeros((30, 40, 3), np.uint8))


def test_boxes_become_corners_and_illegible_plates_are_plates(tmp_path: Path) -> None:
    write_set(tmp_path)
    write_pictures(tmp_path, "s/a.png", "s/b.png")
    problems = Problems()
    (first, image), (second, _) = opened(load_pictures(tmp_path, "s", "val", problems), "s", problems)
    assert first.path == tmp_path / "plates" / "s" / "a.png"
    assert first.boxes.shape == (0, 4)
    assert (first.width_px, first.height_px, image.shape) == (40, 30, (30, 40, 3))
    assert second.boxes.tolist() == [[1, 2, 11, 6], [20, 2, 25, 7]]
    assert second.texts == ("AB1", None)
    assert not problems.counts


def test_what_is_wrong_is_counted_and_the_rest_used(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    write_set(tmp_path)
    write_pictures(tmp_path, "s/b.png")
    annotations = tmp_path / "plates" / "s_val.json"
    coco = json.loads(annotations.read_text())
    coco["images"] += [{"id": 3, "file_name": "s/broken.png", "width": 40, "height": 30}]
    coco["annotations"] += [
        {"id": 3, "image_id": 2, "bbox": [30, 20, 15, 8], "text": "ЖЖ1"},
        {"id": 4, "image_id": 2, "bbox": [50, 40, 10, 5]},
        {"id": 5, "image_id": 2, "bbox": "none"},
    ]
    annotations.write_text(json.dumps(coco))
    (tmp_path / "plates" / "s" / "broken.png").write_bytes(b"\x89PNG")
    problems = Problems()
    ((only, _),) = opened(load_pictures(tmp_path, "s", "val", problems), "s", problems)
    assert only.boxes.tolist() == [[1, 2, 11, 6], [20, 2, 25, 7], [30, 20, 40, 28]]
    assert only.texts == ("AB1", None, None)
    assert problems.counts == {
        Kind.BROKEN_LABEL: 1,
        Kind.MISSING_PICTURE: 1,
        Kind.BROKEN_PICTURE: 1,
        Kind.CLIPPED_BOX: 1,
        Kind.OUTSIDE_BOX: 1,
        Kind.OTHER_LETTERS: 1,
    }
    for name in ("a.png", "broken.png", "s_val.json"):
        assert name in caplog.text


def test_dev_and_train_part_the_train_sets(tmp_path: Path) -> None:
    plates = tmp_path / "plates"
    plates.mkdir()
    names = [f"s/{i}.png" for i in range(100)]
    images = [{"id": i, "file_name": name, "width": 40, "height": 30} for i, name in enumerate(names)]
    boxes = [{"id": i, "image_id": i, "bbox": [1, 2, 10, 4], "text": f"AB{i}"} for i in range(100)]
    (plates / "s_train.json").write_text(json.dumps({"images": images, "annotations": boxes}))
    dev, train = (load_pictures(tmp_path, "s", part, Problems()) for part in ("dev", "train"))
    assert [f"s/{p.file.name}" for p in dev] == [n for n in sorted(names) if in_dev(n)]
    assert 0 < len(dev) < len(train) == 100 - len(dev)
    held_out = [p for p in (*dev, *train) if reader_dev(p)]
    assert {p.boxes[0].text for p in held_out} == {f"AB{i}" for i in range(100) if part_of(f"AB{i}", "train") == "dev"}


def test_crops_are_chosen_by_split_and_source(tmp_path: Path) -> None:
    write_set(tmp_path)
    assert [c.text for c in load_crops(tmp_path, "val")] == ["AB/1", "CD2"]
    assert [c.text for c in load_crops(tmp_path, "val", ["t"])] == ["CD2"]
    assert [c.text for part in ("dev", "train") for c in load_crops(tmp_path, part)] == ["X"]


def test_a_missing_set_is_named(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match=r"nowhere_val\.json"):
        load_pictures(tmp_path, "nowhere", "val", Problems())


def test_an_unreadable_picture_is_named(tmp_path: Path) -> None:
    (tmp_path / "cut.png").write_bytes(b"\x89PNG")
    with pytest.raises(OSError, match=r"cut\.png"):
        read_picture(tmp_path / "cut.png")
    cv2.imwrite(str(tmp_path / "good.png"), np.zeros((3, 4), np.uint8))
    assert read_picture(tmp_path / "good.png").shape == (3, 4, 3)


def test_the_real_sets_are_complete(shared_data: Path) -> None:
    problems = Problems()
    for source in DETECTION_SOURCES:
        pictures = load_pictures(shared_data, source, "val", problems)
        assert len(pictures) > 50
        assert all(p.file.is_file() and p.boxes for p in pictures)
    assert len(load_crops(shared_data, "val", problems=problems)) > 500
    assert not problems.counts
