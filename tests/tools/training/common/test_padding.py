"""Zeros around a convolution's input become part of the convolution, and the answers stay the same."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import onnx
import onnxruntime
import pytest
from numpy.typing import NDArray
from onnx import TensorProto, helper, numpy_helper

from tools.training.common.export import MODELS
from tools.training.common.padding import pad_within_convolutions

SHIPPED = ("attributes", "craft", "crnn", "vehicles", "yolov3")


def _model(
    ends: tuple[int, ...] = (0, 0, 0, 1, 0, 0, 1, 2),
    mode: str = "constant",
    value: float = 0.0,
    after: tuple[float, int] = (0.05, 3),
    watched: bool = False,
) -> onnx.ModelProto:
    """x, quantised, padded, quantised again, through a 3x3 convolution that pads by one below: y."""
    weights = np.random.default_rng(5).integers(-9, 9, (4, 2, 3, 3), np.int8)
    constants = {
        "scale": np.float32(0.05), "zero": np.uint8(3), "scale2": np.float32(after[0]), "zero2": np.uint8(after[1]),
        "w8": weights, "ws": np.full(4, 0.1, np.float32), "wz": np.zeros(4, np.int8),
        "ends": np.array(ends, np.int64), "value": np.float32(value),
    }  # fmt: skip
    nodes = [
        helper.make_node("QuantizeLinear", ["x", "scale", "zero"], ["q1"]),
        helper.make_node("DequantizeLinear", ["q1", "scale", "zero"], ["d1"]),
        helper.make_node("Pad", ["d1", "ends", "value"], ["padded"], mode=mode),
        helper.make_node("QuantizeLinear", ["padded", "scale2", "zero2"], ["q2"]),
        helper.make_node("DequantizeLinear", ["q2", "scale2", "zero2"], ["d2"]),
        helper.make_node("DequantizeLinear", ["w8", "ws", "wz"], ["w"], axis=0),
        helper.make_node("Conv", ["d2", "w"], ["y"], pads=[0, 0, 1, 0], strides=[2, 2]),
    ]
    outputs = ["y", "padded"] if watched else ["y"]
    graph = helper.make_graph(
        nodes, "g",
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, [1, 2, 9, 8])],
        [helper.make_tensor_value_info(name, TensorProto.FLOAT, list("nchw")) for name in outputs],
        [numpy_helper.from_array(np.asarray(array), name) for name, array in constants.items()],
    )  # fmt: skip
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)


def _answer(model: onnx.ModelProto) -> NDArray[np.float32]:
    onnx.checker.check_model(model)
    session = onnxruntime.InferenceSession(model.SerializeToString(), providers=["CPUExecutionProvider"])
    x = np.random.default_rng(6).normal(0, 2, (1, 2, 9, 8)).astype(np.float32)
    return np.asarray(session.run(["y"], {"x": x})[0])


def test_the_convolution_pads_itself_and_answers_the_same_bit_by_bit() -> None:
    """Own and added zeros are put together, uneven ones too; nothing of the padding is left over."""
    model = _model()
    before = _answer(model)

    assert pad_within_convolutions(model) == 1

    assert np.array_equal(_answer(model), before)
    assert [node.op_type for node in model.graph.node].count("QuantizeLinear") == 1
    assert not {"ends", "value", "scale2"} & {one.name for one in model.graph.initializer}


@pytest.mark.parametrize(
    "model",
    [
        pytest.param(_model(value=1.0), id="other values than zeros"),
        pytest.param(_model(mode="edge"), id="repeated edges"),
        pytest.param(_model(after=(0.04, 3)), id="another scale"),
        pytest.param(_model(after=(0.05, 4)), id="another zero"),
        pytest.param(_model(ends=(0, 0, -1, 0, 0, 0, 1, 1)), id="rows cut off"),
        pytest.param(_model(watched=True), id="used elsewhere"),
    ],
)
def test_what_a_convolution_cannot_do_itself_stays(model: onnx.ModelProto) -> None:
    """Such a model is left as it is."""
    before = model.SerializeToString()

    assert pad_within_convolutions(model) == 0

    assert model.SerializeToString() == before


@pytest.mark.parametrize("name", SHIPPED)
def test_the_models_that_are_served_pad_within_their_convolutions(name: str) -> None:
    """Of the time of `vehicles` a third went there."""
    model = onnx.load(str(Path(MODELS) / f"{name}.onnx"))

    assert "Pad" not in {node.op_type for node in model.graph.node}
