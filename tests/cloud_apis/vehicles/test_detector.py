from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from cloud_apis.errors import StartError
from cloud_apis.vehicles.detector import load_vehicle_detector, network_input
from cloud_apis.yolov3.preprocess import fit
from tests.cloud_apis.tiny_models import ANCHORS, write, yolov3

LABELS = ["car", "truck", "bus", "motorcycle"]


def colour_model(threshold: float) -> object:
    """The tiny detector for pictures in colour; it looks at the red plane alone and calls what it finds a bus."""
    model = yolov3(threshold, classes=4)
    model.graph.input[0].type.tensor_type.shape.dim[1].dim_value = 3
    for index, weight in enumerate(model.graph.initializer):
        values = np.frombuffer(weight.raw_data, np.float32).reshape(tuple(weight.dims)).copy()
        if weight.name.endswith("weight"):
            values = np.concatenate([values, np.zeros_like(values), np.zeros_like(values)], 1)
        else:
            for anchor in range(3):
                values[9 * anchor + 5 : 9 * anchor + 9] = (-6, -6, 4, -6)
        model.graph.initializer[index].raw_data = values.tobytes()
        model.graph.initializer[index].ClearField("dims")
        model.graph.initializer[index].dims.extend(values.shape)
    return model


def test_a_box_has_its_class_and_lies_where_the_bright_part_is(tmp_path: Path) -> None:
    write(tmp_path, "vehicles", colour_model(0.8), labels=LABELS, anchors=ANCHORS, strides=[8, 16, 32])  # type: ignore[arg-type]
    detector = load_vehicle_detector(tmp_path)
    detector.warm_up()
    picture = np.zeros((224, 416, 3), np.uint8)
    assert detector.find(picture) == ()
    picture[64:96, 160:192] = (0, 0, 255)  # a cell of the coarsest grid
    (box,) = detector.find(picture)
    assert box.kind == "bus"
    assert box.score > 0.9
    assert ((box.xmin + box.xmax) / 2, (box.ymin + box.ymax) / 2) == pytest.approx((176, 80), abs=2)
    assert detector.find(picture[:, :, ::-1]) == ()


def test_the_input_is_rgb_about_zero_and_padded_with_zero() -> None:
    picture = np.full((100, 200, 3), (0, 0, 255), np.uint8)
    box = fit(200, 100, 416, 416)
    planes = network_input(picture, box)
    assert planes.shape == (1, 3, 224, 416)
    assert planes[0, 0, 112, 200] == pytest.approx(1.0)
    assert planes[0, 2, 112, 200] == pytest.approx(-127 / 128)
    assert not planes[0, :, 0].any()


@pytest.mark.parametrize(
    ("fields", "said"),
    [({"anchors": ANCHORS}, "names no labels"), ({"labels": LABELS, "anchors": [1, 2]}, "need 18 anchors")],
)
def test_a_manifest_without_what_is_needed_is_refused(tmp_path: Path, fields: dict[str, object], said: str) -> None:
    write(tmp_path, "vehicles", yolov3(classes=4), **fields)
    with pytest.raises(StartError, match=said):
        load_vehicle_detector(tmp_path)
