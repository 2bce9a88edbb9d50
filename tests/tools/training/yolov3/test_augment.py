from __future__ import annotations

import json
from pathlib import Path

import cv2
import numpy as np
import pytest

pytest.importorskip("torch", reason="the train extra is not installed")

from tools.training.yolov3.augment import GREY, clip_boxes, compose, place, warp_boxes
from tools.training.yolov3.dataset import Sample, load
from tools.training.yolov3.evaluate import letterbox


def bright_box_sample(width: int = 200, height: int = 120) -> Sample:
    """A black picture with one white rectangle, which is the labelled box."""
    image = np.zeros((height, width), np.uint8)
    image[50:70, 80:130] = 255
    return Sample("white", "open_lpr", image, np.array([[80, 50, 130, 70]], np.float32))


@pytest.mark.parametrize("seed", range(40))
def test_box_follows_the_picture(seed: int) -> None:
    rng = np.random.default_rng(seed)
    canvas = np.zeros((160, 240), np.uint8)
    boxes = place(canvas, bright_box_sample(), rng, (0, 0, 240, 160))
    ys, xs = np.nonzero(canvas > 200)
    if not len(boxes):  # cut away or too small
        return
    xmin, ymin, xmax, ymax = boxes[0]
    assert xs.size
    # the white pixels fill the box: the hull of a slightly turned rectangle
    assert abs(xs.min() - xmin) < 4 and abs(xs.max() + 1 - xmax) < 4
    assert abs(ys.min() - ymin) < 4 and abs(ys.max() + 1 - ymax) < 4


def test_box_lies_on_the_picture_to_a_part_of_a_pixel() -> None:
    apart = []
    for seed in range(200):
        canvas = np.zeros((160, 240), np.uint8)
        boxes = place(canvas, bright_box_sample(), np.random.default_rng(seed), (0, 0, 240, 160))
        white = np.maximum(canvas.astype(np.float64) - GREY, 0)  # around the picture it is grey
        columns, rows = white.sum(0) > 0, white.sum(1) > 0
        if not len(boxes) or columns[[0, -1]].any() or rows[[0, -1]].any():  # cut by the edge
            continue
        middle = [np.average(np.arange(n) + 0.5, weights=white.sum(axis)) for axis, n in ((0, 240), (1, 160))]
        apart.append((boxes[0, :2] + boxes[0, 2:]) / 2 - middle)
    assert len(apart) > 60
    assert np.abs(apart).max() < 0.5
    assert np.abs(np.mean(apart, 0)).max() < 0.03  # a part of a pixel, always to one side, would be learnt


@pytest.mark.parametrize("mosaic", [False, True])
def test_composed_boxes_lie_inside(mosaic: bool) -> None:
    for seed in range(30):
        picture, boxes, owners = compose([bright_box_sample()] * 4, (128, 192), np.random.default_rng(seed), mosaic)
        assert picture.shape == (128, 192) and picture.dtype == np.uint8
        assert boxes.dtype == np.float32 and boxes.shape[1:] == (4,)
        assert (boxes[:, :2] >= 0).all() and (boxes[:, 2] <= 192).all() and (boxes[:, 3] <= 128).all()
        assert len(boxes) == len(owners) <= (4 if mosaic else 1)
        assert len(set(owners.tolist())) == len(owners)


def test_same_seed_same_picture() -> None:
    first = compose([bright_box_sample()], (96, 96), np.random.default_rng(3), False)
    again = compose([bright_box_sample()], (96, 96), np.random.default_rng(3), False)
    assert np.array_equal(first[0], again[0]) and np.array_equal(first[1], again[1])


def test_boxes_mostly_outside_are_removed() -> None:
    boxes = np.array([[-90, 0, 10, 20], [5, 5, 25, 25], [0, 0, 1, 1]], np.float32)
    assert clip_boxes(boxes, 100, 100).tolist() == [[5, 5, 25, 25]]


def test_warping_by_the_identity_changes_nothing() -> None:
    boxes = np.array([[1, 2, 30, 40]], np.float32)
    assert warp_boxes(boxes, np.eye(3)[:2]).tolist() == boxes.tolist()


def test_a_plain_picture_keeps_its_scale() -> None:
    sample = bright_box_sample()
    height, width = sample.image.shape
    own = sample.boxes[0, 2] - sample.boxes[0, 0]
    seen = []
    for seed in range(40):
        _, boxes, _ = compose([sample], (height, width), np.random.default_rng(seed), False, plain=True)
        seen += [(box[2] - box[0]) / own for box in boxes]
    assert len(seen) > 30
    assert 0.9 < float(np.median(seen)) < 1.1
    assert min(seen) > 0.5 and max(seen) < 1.6


@pytest.mark.parametrize(("width", "height"), [(65_500, 10), (10, 65_500)])
def test_a_very_wide_or_high_picture_is_taken(tmp_path: Path, width: int, height: int) -> None:
    folder = tmp_path / "plates"
    folder.mkdir()
    cv2.imwrite(str(folder / "long.png"), np.full((height, width), 90, np.uint8))
    coco = {"images": [{"id": 1, "file_name": "long.png"}], "annotations": [{"image_id": 1, "bbox": [0, 0, 9, 9]}]}
    (folder / "own_train.json").write_text(json.dumps(coco))
    (sample,) = load(tmp_path, ["own"])
    assert sample.image.shape == ((1, 960) if width > height else (960, 1))
    picture, boxes = letterbox(sample, 416)
    assert picture.shape == (416, 416) and boxes.shape == (1, 4)
    for seed in range(8):
        for mosaic in (False, True):
            assert compose([sample] * 4, (64, 96), np.random.default_rng(seed), mosaic)[0].shape == (64, 96)
