"""Spoiled models and manifests before the server: it says why it does not start, or finds boxes in a picture.

A case is a manifest, a mark, and the bytes of the model. The manifest's checksum is that of the spoiled model, as from
somebody who offers a model of his own; a failing inference within a model that was taken is an answer of status 500.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import random
import re
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Final

import numpy as np
import onnx
from google.protobuf.message import DecodeError
from onnx import TensorProto, helper, numpy_helper

from cloud_apis.errors import StartError
from cloud_apis.settings import load_settings
from cloud_apis.yolov3.detector import load_detector
from tools.faults.fuzz.format import Feed, Format
from tools.faults.fuzz.jsons import spoiled_json
from tools.faults.fuzz.mutate import BYTES, Mutation

_MARK: Final = b"\n=====model=====\n"
_SIDE_PX: Final = 64
_DIMENSIONS: Final = (0, -1, 1, 3, 17, 2**31, 2**62)


def detector(channels: int = 18, planes: int = 1) -> onnx.ModelProto:
    """A detector of the true form with one scale and next to no weights."""
    weight = numpy_helper.from_array(np.full((channels, planes, 1, 1), 0.1, np.float32), "weight")
    nodes = [
        helper.make_node("AveragePool", ["image"], ["mean"], kernel_shape=[32, 32], strides=[32, 32]),
        helper.make_node("Conv", ["mean", "weight"], ["p32"]),
    ]
    image = helper.make_tensor_value_info("image", TensorProto.FLOAT, ["n", planes, "h", "w"])
    output = helper.make_tensor_value_info("p32", TensorProto.FLOAT, ["n", channels, "y", "x"])
    graph = helper.make_graph(nodes, "tiny", [image], [output], [weight])
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=9)


def outside_data() -> onnx.ModelProto:
    """A model whose weights are said to lie in a file of the machine."""
    model = detector()
    tensor = model.graph.initializer[0]
    tensor.ClearField("raw_data")
    tensor.data_location = TensorProto.EXTERNAL
    for key, value in (("location", "../../../../../../etc/passwd"), ("offset", "0"), ("length", "72")):
        tensor.external_data.add(key=key, value=value)
    return model


def intact() -> Sequence[bytes]:
    """A model with its manifest, as it is and with the weights elsewhere."""
    fields = {"name": "yolov3", "version": "1", "sha256": "0" * 64, "labels": ["plate"], "strides": [32],
              "anchors": [8, 4, 14, 6, 20, 8], "precision": "float32"}  # fmt: skip
    manifest = json.dumps(fields).encode()
    return [manifest + _MARK + model.SerializeToString() for model in (detector(), detector(), outside_data())]


def _in_manifest(random_: random.Random, case: bytes) -> bytes:
    manifest, mark, model = case.partition(_MARK)
    return random_.choice((spoiled_json, spoiled_json, *BYTES))(random_, manifest) + mark + model


def _in_model(random_: random.Random, case: bytes) -> bytes:
    manifest, mark, model = case.partition(_MARK)
    return manifest + mark + random_.choice(BYTES)(random_, model)


def _in_graph(random_: random.Random, case: bytes) -> bytes:
    """Another graph: operators, attributes, names, shapes or kinds of numbers that do not fit each other."""
    manifest, mark, content = case.partition(_MARK)
    model = onnx.ModelProto()
    try:
        model.ParseFromString(content)
        graph = model.graph
        node, weight = random_.choice(graph.node), random_.choice(graph.initializer)
        match random_.randrange(7):
            case 0:
                node.op_type = random_.choice(("Conv", "Loop", "If", "Nothing", "Reshape", "Softmax", "NonZero", ""))
            case 1:
                random_.choice(node.attribute).ints[:] = random_.choices(_DIMENSIONS, k=random_.randint(0, 4))
            case 2:
                node.input[0] = random_.choice(("", "p32", "weight", "image", "nobody"))
            case 3:
                weight.dims[:] = random_.choices(_DIMENSIONS, k=random_.randint(0, 5))
            case 4:
                weight.data_type = random_.randrange(25)
            case 5:
                graph.output[0].type.tensor_type.elem_type = random_.randrange(25)
            case _:
                model.opset_import[0].version = random_.choice((0, 1, 7, 99, 2**62))
    except (ValueError, IndexError, UnicodeDecodeError, DecodeError):
        return case
    return manifest + mark + bytes(model.SerializeToString())


def _load(folder: Path, case: bytes) -> str:
    manifest, _, model = case.partition(_MARK)
    digest = hashlib.sha256(model).hexdigest().encode()
    (folder / "yolov3.onnx").write_bytes(model)
    (folder / "yolov3.json").write_bytes(re.sub(rb'"sha256": "0{64}"', b'"sha256": "' + digest + b'"', manifest))
    settings = load_settings().yolov3
    own = {"labels": None, "anchors": None, "net_h": _SIDE_PX, "net_w": _SIDE_PX}
    try:
        found = load_detector(folder, settings.model_copy(update=own))
        found.warm_up()
        found.find(np.full((_SIDE_PX, _SIDE_PX), 128, np.uint8))
    except StartError as error:
        if "\n" in str(error):
            raise AssertionError("the message is no line for people") from error
        return "refused"
    return "taken"


@contextlib.contextmanager
def _reader(folder: Path) -> Iterator[Feed]:
    yield lambda case: _load(folder, case)


_MUTATIONS: Final[tuple[Mutation, ...]] = (_in_manifest, _in_model, _in_graph)
FORMAT: Final = Format("onnx", "ONNX models and their manifests", intact, _MUTATIONS, _reader)
