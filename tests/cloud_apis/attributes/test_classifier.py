from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper

from cloud_apis.attributes.classifier import Classifier, load_classifier
from cloud_apis.errors import StartError
from cloud_apis.model_files import packaged_models
from tests.cloud_apis.tiny_models import write

HEADS: list[dict[str, Any]] = [
    {"name": "colour", "labels": ["blue", "green", "red"], "temperature": 0.5, "least": 0.4},
    {"name": "make", "labels": ["ford", "kia", "*"], "temperature": 1.0, "least": 0.6},
    {"name": "model", "labels": ["ford/*", "ford/focus", "kia/*", "kia/rio", "*"], "temperature": 1.0, "least": 0.5},
]


def tiny(gain: float = 4.0) -> onnx.ModelProto:
    """Says the colour that is strongest in the mean, and of red cars that they are a Kia Rio."""
    weights = {
        "colour.w": np.array([[0, 0, gain], [0, gain, 0], [gain, 0, 0]], np.float32),
        "make.w": np.array([[0, gain, 0], [gain, 0, 0], [0, 0, gain]], np.float32),
        "model.w": np.array([[0] * 3, [0, gain, 0], [0] * 3, [gain, 0, 0], [0, 0, gain]], np.float32),
    }
    nodes = [
        helper.make_node("GlobalAveragePool", ["image"], ["mean"]),
        helper.make_node("Flatten", ["mean"], ["flat"]),
        *(helper.make_node("Gemm", ["flat", f"{h['name']}.w"], [str(h["name"])], transB=1) for h in HEADS),
    ]
    outputs = [
        helper.make_tensor_value_info(str(h["name"]), TensorProto.FLOAT, ["n", len(list(h["labels"]))]) for h in HEADS
    ]
    image = helper.make_tensor_value_info("image", TensorProto.FLOAT, ["n", 3, "h", "w"])
    graph = helper.make_graph(
        nodes, "tiny", [image], outputs, [numpy_helper.from_array(w, name) for name, w in weights.items()]
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    onnx.checker.check_model(model)
    return model


@pytest.fixture
def classifier(tmp_path: Path) -> Classifier:
    write(tmp_path, "attributes", tiny(), heads=HEADS)
    found = load_classifier(tmp_path)
    found.warm_up()
    return found


def painted(*bgr: int) -> np.ndarray[tuple[int, ...], np.dtype[np.uint8]]:
    return np.full((60, 90, 3), bgr, np.uint8)


def test_a_red_car_is_red_and_named_with_its_make(classifier: Classifier) -> None:
    said = classifier.classify(painted(0, 0, 255))
    assert said.colours[0].label == "red"
    assert [guess.label for guess in said.makes] == ["kia", "ford"]
    assert (said.models[0].make, said.models[0].label) == ("kia", "rio")
    assert (said.make, said.model) == ("kia", "rio")


def test_what_is_not_sure_or_of_another_make_is_not_named(classifier: Classifier) -> None:
    grey = classifier.classify(painted(127, 127, 127))
    assert (grey.make, grey.model) == (None, None)
    assert grey.makes
    other = classifier.classify(painted(255, 0, 0))
    assert other.make is None
    assert other.makes[0].probability < 0.05


def test_lists_are_as_long_as_asked_for(classifier: Classifier) -> None:
    said = classifier.classify(painted(0, 200, 0), top_k=1)
    assert [len(said.colours), len(said.makes), len(said.models)] == [1, 1, 1]


def test_colours_are_those_of_the_middle_square(classifier: Classifier) -> None:
    picture = np.full((100, 400, 3), (255, 0, 0), np.uint8)
    picture[:, 150:250] = (0, 0, 255)
    assert [guess.label for guess in classifier.colours(picture)] == ["red", "blue", "green"]
    assert classifier.colours(picture)[0].probability > 0.99


@pytest.mark.parametrize(
    ("heads", "said"),
    [
        (None, "heads"),
        ([{"name": "colour", "labels": ["red"]}], "heads.0.labels"),
        ([{**HEADS[0], "temperature": 0}], "heads.0.temperature"),
        ([HEADS[2]], "models need the head make"),
        ([HEADS[0], {"name": "wheels", "labels": ["3", "4"]}], "wheels"),
    ],
)
def test_a_manifest_that_does_not_describe_the_model_is_refused(tmp_path: Path, heads: object, said: str) -> None:
    write(tmp_path, "attributes", tiny(), heads=heads)
    with pytest.raises(StartError, match=said):
        load_classifier(tmp_path)


def test_the_shipped_classifier_takes_any_picture() -> None:
    classifier = load_classifier(packaged_models())
    rng = np.random.default_rng(0)
    for shape in ((1, 1, 3), (700, 40, 3), (30, 2000, 3)):
        said = classifier.classify(rng.integers(0, 256, shape, dtype=np.uint8))
        for guesses in (said.colours, said.types, said.makes, said.models):
            chances = [guess.probability for guess in guesses]
            assert chances == sorted(chances, reverse=True)
            assert 0 <= sum(chances) <= 1.001
        assert len(classifier.colours(rng.integers(0, 256, shape, dtype=np.uint8))) == 3
