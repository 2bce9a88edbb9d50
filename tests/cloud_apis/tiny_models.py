"""Tiny networks of the true form: same inputs and outputs as the trained models, but next to no weights."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import TensorProto, helper, numpy_helper

Array = NDArray[np.float32] | NDArray[np.int64]
ANCHORS = [10, 4, 16, 6, 22, 9, 31, 12, 42, 14, 57, 20, 82, 28, 126, 42, 207, 75]

VEHICLES = ["car", "truck", "bus", "motorcycle"]
HEADS = [
    {"name": "colour", "labels": ["red", "green", "blue", "white"]},
    {"name": "type", "labels": ["hatchback", "van"]},
    {"name": "make", "labels": ["Suzuki", "Toyota", "*"], "least": 0.6},
    {"name": "model", "labels": ["Suzuki/Alto", "Toyota/Corolla", "Toyota/*", "*"], "least": 0.6},
]
_LOOKS = {
    "colour": ([[9, -5, -5], [-5, 9, -5], [-5, -5, 9], [5, 5, 5]], [0, 0, 0, -3]),
    "type": ([[4, 0, 0], [-4, 0, 0]], [0, 0]),
    "make": ([[9, 0, 0], [0, 9, 0], [0, 0, 0]], [0, 0, 4]),
    "model": ([[9, 0, 0], [0, 9, 0], [0, 0, 0], [0, 0, 0]], [0, 0, -4, 4]),
}
"""Weights of red, green and blue, each -1..1, and bias of every class."""

SHIPPED = {name: name for name in _LOOKS}


def write_all(folder: Path) -> Path:
    """Write all models and their manifests into a folder."""
    write(folder, "yolov3", yolov3())
    write(folder, "craft", craft())
    write(folder, "crnn", crnn())
    write(folder, "vehicles", yolov3(classes=len(VEHICLES), planes=3), labels=VEHICLES, anchors=ANCHORS)
    write(folder, "attributes", attributes(), heads=HEADS)
    return folder


def write(folder: Path, name: str, model: onnx.ModelProto, **manifest: object) -> None:
    """Write a model and its manifest."""
    content = model.SerializeToString()
    (folder / f"{name}.onnx").write_bytes(content)
    fields = {"name": name, "version": "0-test", "sha256": hashlib.sha256(content).hexdigest()}
    (folder / f"{name}.json").write_text(json.dumps(fields | manifest))


def yolov3(
    threshold: float = 0.9, classes: int = 1, strides: tuple[int, ...] = (8, 16, 32), planes: int = 1
) -> onnx.ModelProto:
    """A detector that finds one box wherever a cell of 32 x 32 pixels is brighter than `threshold`.

    Only the last anchor of the coarsest scale answers, centred on the cell, as large as the anchor.
    """
    channels = 3 * (5 + classes)
    nodes, outputs = [], []
    weights: dict[str, NDArray[np.float32]] = {}
    for stride in strides:
        name = f"p{stride}"
        gain = np.zeros((channels, planes, 1, 1), np.float32)
        bias = np.full(channels, -12, np.float32)
        if stride == 32:
            last = 2 * (5 + classes)
            bias[last : last + 4] = 0
            gain[last + 4], bias[last + 4] = 200 / planes, -200 * threshold
            bias[last + 5 :] = 4
        weights |= {f"{name}.weight": gain, f"{name}.bias": bias}
        size = [stride, stride]
        nodes += [
            helper.make_node("AveragePool", ["image"], [f"{name}.mean"], kernel_shape=size, strides=size),
            helper.make_node("Conv", [f"{name}.mean", f"{name}.weight", f"{name}.bias"], [name]),
        ]
        outputs.append(_tensor(name, ["n", channels, f"h{stride}", f"w{stride}"]))
    return _model(nodes, _tensor("image", ["n", planes, "h", "w"]), outputs, weights)


def craft() -> onnx.ModelProto:
    """Region and affinity maps that are the bright parts of the picture at half its size: bars become lines."""
    weight = np.full((2, 1, 1, 1), 2.5, np.float32)
    bias = np.full(2, -1.5, np.float32)
    nodes = [
        helper.make_node("AveragePool", ["image"], ["half"], kernel_shape=[2, 2], strides=[2, 2]),
        helper.make_node("Conv", ["half", "weight", "bias"], ["score"]),
    ]
    score = _tensor("score", ["n", 2, 48, 96])
    return _model(nodes, _tensor("image", ["n", 1, 96, 192]), [score], {"weight": weight, "bias": bias})


def crnn() -> onnx.ModelProto:
    """A recogniser with 16 steps: a bright step says "1" (class 2), a dark one the blank."""
    weight = np.zeros((37, 1, 1, 1), np.float32)
    weight[2] = 100
    bias = np.full(37, -20, np.float32)
    bias[0], bias[2] = 0, -15
    nodes = [
        helper.make_node("AveragePool", ["image"], ["steps"], kernel_shape=[32, 8], strides=[32, 8]),
        helper.make_node("Conv", ["steps", "weight", "bias"], ["classes"]),
        helper.make_node("Squeeze", ["classes", "axis"], ["flat"]),
        helper.make_node("Transpose", ["flat"], ["logits"], perm=[0, 2, 1]),
    ]
    weights: dict[str, Array] = {"weight": weight, "bias": bias, "axis": np.array([2], np.int64)}
    return _model(nodes, _tensor("image", ["n", 1, 32, 160]), [_tensor("logits", ["n", 16, 37])], weights)


def attributes(heads: Mapping[str, str] = MappingProxyType(SHIPPED)) -> onnx.ModelProto:
    """A classifier by the mean colour: reddish cars are Suzuki Alto, greenish ones Toyota Corolla, others unknown.

    ``heads`` are its heads by name, each with the one of `SHIPPED` that it does as.
    """
    nodes = [helper.make_node("ReduceMean", ["image"], ["mean"], axes=[2, 3], keepdims=0)]
    weights: dict[str, NDArray[np.float32]] = {}
    outputs = []
    for name, (gain, bias) in ((name, _LOOKS[like]) for name, like in heads.items()):
        weights |= {f"{name}.gain": np.array(gain, np.float32).T, f"{name}.bias": np.array(bias, np.float32)}
        nodes.append(helper.make_node("Gemm", ["mean", f"{name}.gain", f"{name}.bias"], [name]))
        outputs.append(_tensor(name, ["n", len(bias)]))
    return _model(nodes, _tensor("image", ["n", 3, "h", "w"]), outputs, weights)


def _tensor(name: str, shape: list[str | int]) -> onnx.ValueInfoProto:
    return helper.make_tensor_value_info(name, TensorProto.FLOAT, shape)


def _model(
    nodes: list[onnx.NodeProto],
    image: onnx.ValueInfoProto,
    outputs: list[onnx.ValueInfoProto],
    weights: Mapping[str, Array],
) -> onnx.ModelProto:
    initialisers = [numpy_helper.from_array(w, name) for name, w in weights.items()]
    graph = helper.make_graph(nodes, "tiny", [image], outputs, initialisers)
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=9)
    onnx.checker.check_model(model)
    return model
