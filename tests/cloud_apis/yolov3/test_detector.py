from __future__ import annotations

import json
from pathlib import Path

import cv2
import numpy as np
import pytest

from cloud_apis.contract import PlateBox
from cloud_apis.errors import ApiError, StartError
from cloud_apis.settings import YoloV3Settings, load_settings
from cloud_apis.yolov3.detector import load_detector
from tests.cloud_apis import tiny_models
from tests.cloud_apis.pictures import grey_jpeg, scene
from tests.cloud_apis.serving import tiny_settings


def settings(models: Path, **changes: object) -> YoloV3Settings:
    return tiny_settings(models, **{f"yolov3__{k}": v for k, v in changes.items()}).yolov3


def iou(box: PlateBox, other: tuple[float, float, float, float]) -> float:
    width = min(box.xmax, other[2]) - max(box.xmin, other[0])
    height = min(box.ymax, other[3]) - max(box.ymin, other[1])
    common = max(0.0, width) * max(0.0, height)
    area = (box.xmax - box.xmin) * (box.ymax - box.ymin) + (other[2] - other[0]) * (other[3] - other[1])
    return common / (area - common)


def test_the_spot_is_found_where_it_is(models: Path) -> None:
    detector = load_detector(models, settings(models))
    (box,) = detector.find(scene())
    width, height = tiny_models.ANCHORS[-2:]
    assert (box.xmin + box.xmax) / 2 == pytest.approx(208, abs=0.1)
    assert (box.ymin + box.ymax) / 2 == pytest.approx(101, abs=0.1)
    assert box.xmax - box.xmin == pytest.approx(width, abs=0.1)
    assert box.ymax - box.ymin == pytest.approx(height, abs=0.1)
    assert 0.9 < box.objectness <= 1
    assert len(box.class_scores) == 1


def test_boxes_are_in_pixels_of_the_picture_sent(models: Path) -> None:
    detector = load_detector(models, settings(models))
    (small,) = detector.find(scene())
    large = cv2.resize(scene(), (1664, 936), interpolation=cv2.INTER_NEAREST).astype(np.uint8)
    for found in (detector.detect([grey_jpeg(large)])[0], detector.find(large)):
        assert not isinstance(found, Exception)
        (box,) = found
        assert iou(box, (small.xmin * 4, small.ymin * 4, small.xmax * 4, small.ymax * 4)) > 0.97


def test_boxes_end_at_the_picture(models: Path) -> None:
    image = np.full((234, 416), 20, np.uint8)
    image[85:117, 0:32] = 255
    (box,) = load_detector(models, settings(models)).find(image)
    assert box.xmin == 0
    image = np.full((1, 1), 255, np.uint8)
    for box in load_detector(models, settings(models)).find(image):
        assert (0 <= box.xmin < box.xmax <= 1) and (0 <= box.ymin < box.ymax <= 1)


def test_a_batch_holds_pictures_of_all_sizes_and_bad_ones(models: Path) -> None:
    detector = load_detector(models, settings(models, batch=8))
    tall = np.full((416, 200), 20, np.uint8)
    good, blank = grey_jpeg(scene()), grey_jpeg(np.full((234, 416), 20, np.uint8))
    found = detector.detect([good, b"broken", blank, grey_jpeg(tall), good])
    assert isinstance(found[1], ApiError)
    assert found[0] == found[4] != ()
    assert found[2] == found[3] == ()


def test_labels_must_be_as_many_as_the_network_has_classes(models: Path) -> None:
    with pytest.raises(StartError, match=r"labels has 2 names, which needs 21 channels"):
        load_detector(models, settings(models, labels=["a", "b"]))


def test_settings_must_be_those_of_the_training(tmp_path: Path) -> None:
    tiny_models.write(tmp_path, "yolov3", tiny_models.yolov3(), anchors=list(range(1, 19)))
    with pytest.raises(StartError, match=r"yolov3\.anchors must be \[1, 2, "):
        load_detector(tmp_path, settings(tmp_path))


def test_what_the_settings_leave_open_the_manifest_says(tmp_path: Path) -> None:
    open_settings = settings(tmp_path, anchors=None, labels=None)
    tiny_models.write(tmp_path, "yolov3", tiny_models.yolov3())
    with pytest.raises(StartError, match=r"yolov3\.labels is needed"):
        load_detector(tmp_path, open_settings)
    tiny_models.write(tmp_path, "yolov3", tiny_models.yolov3(), labels=["license-plate"])
    with pytest.raises(StartError, match=r"yolov3\.anchors is needed"):
        load_detector(tmp_path, open_settings)
    tiny_models.write(tmp_path, "yolov3", tiny_models.yolov3(), labels=["license-plate"], anchors=tiny_models.ANCHORS)
    (box,) = load_detector(tmp_path, open_settings).find(scene())
    assert box.objectness > 0.9


@pytest.mark.parametrize("strides", [(16, 32), (4, 8, 16, 32)])
def test_a_model_may_have_fewer_or_more_scales(tmp_path: Path, strides: tuple[int, ...]) -> None:
    anchors = [*range(2, 2 + 6 * (len(strides) - 1)), *tiny_models.ANCHORS[-6:]]
    model = tiny_models.yolov3(strides=strides)
    tiny_models.write(tmp_path, "yolov3", model, strides=list(strides))
    (box,) = load_detector(tmp_path, settings(tmp_path, anchors=anchors)).find(scene())
    assert box.xmax - box.xmin == pytest.approx(anchors[-2], abs=0.1)
    with pytest.raises(StartError, match=rf"the model's {len(strides)} scales need {6 * len(strides)}"):
        load_detector(tmp_path, settings(tmp_path, anchors=[2, 2, *anchors, 400, 400, 401, 401]))


def test_plates_of_a_real_photo_are_found(trained_models: Path, shared_data: Path) -> None:
    detector = load_detector(trained_models, load_settings().yolov3)
    coco = json.loads((shared_data / "plates/open_lpr_val.json").read_text())
    names = {image["id"]: image["file_name"] for image in coco["images"]}
    wide = [a for a in coco["annotations"] if a["bbox"][2] > 90][:20]
    hits = 0
    for annotation in wide:
        x, y, w, h = annotation["bbox"]
        photo = cv2.imread(str(shared_data / "plates" / names[annotation["image_id"]]), cv2.IMREAD_GRAYSCALE)
        assert photo is not None
        (found,) = detector.detect([grey_jpeg(photo.astype(np.uint8))])
        assert not isinstance(found, Exception)
        hits += any(iou(box, (x, y, x + w, y + h)) >= 0.5 for box in found)
    assert hits >= 0.8 * len(wide)
