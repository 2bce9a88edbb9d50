"""Weights out of the float32 ONNX files that come with the package, to train on from them.

`export_onnx` keeps every weight under its name in the network and folds none into another, so the file is the
checkpoint: no second one is needed.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import onnx
import torch
from google.protobuf.message import DecodeError
from onnx import numpy_helper
from torch import Tensor, nn

COUNTERS = "num_batches_tracked"
DEQUANTISED = "_DequantizeLinear_Output"
"""What onnxruntime's quantisation adds to a weight's name."""


def weights_of(file: Path) -> dict[str, Tensor]:
    """All named weights of an ONNX file; raises ValueError when it is none, OSError when it cannot be read."""
    return _weights(_graph(file))


def _graph(file: Path) -> onnx.GraphProto:
    try:
        return onnx.load(str(file)).graph
    except DecodeError as error:
        raise ValueError(f"{file} is no ONNX file") from error


def _weights(graph: onnx.GraphProto) -> dict[str, Tensor]:
    found = {weight.name: weight for weight in graph.initializer}
    # Weights that are equal are stored once, the others' names are copies; large ones may be kept as float16.
    for node in graph.node:
        if node.op_type in ("Identity", "Cast") and node.input[0] in found:
            found.setdefault(node.output[0], found[node.input[0]])
    arrays = {name: np.array(numpy_helper.to_array(weight)) for name, weight in found.items()}
    return {
        name: torch.from_numpy(array.astype(np.float32) if array.dtype == np.float16 else array)
        for name, array in arrays.items()
    }


def dequantised(file: Path) -> dict[str, Tensor]:
    """All named weights of an ONNX file as float32, those that are kept in int8 or int32 as what they stand for.

    Raises ValueError when it is none, OSError when it cannot be read.
    """
    graph = _graph(file)
    weights = _weights(graph)
    found = {name: value for name, value in weights.items() if value.is_floating_point()}
    for node in graph.node:
        if node.op_type != "DequantizeLinear" or node.input[0] not in weights:
            continue
        whole, scale = weights[node.input[0]].float(), weights[node.input[1]]
        zero = weights[node.input[2]].float() if len(node.input) > 2 else torch.zeros_like(scale)
        if scale.dim():  # one for each part along an axis
            axis = next((attribute.i for attribute in node.attribute if attribute.name == "axis"), 1)
            shape = [-1 if number == axis % whole.dim() else 1 for number in range(whole.dim())]
            scale, zero = scale.reshape(shape), zero.reshape(shape)
        found[node.output[0].removesuffix(DEQUANTISED)] = (whole - zero) * scale
    return found


def recover(network: nn.Module, file: Path) -> None:
    """Load the weights of a float32 ONNX file into a network of the same form, in place.

    Raises ValueError when the file is of another network, or int8, or holds folded weights; nothing is changed then.
    """
    weights = weights_of(file)
    own = network.state_dict()
    wanted = {name: value for name, value in own.items() if not name.endswith(COUNTERS)}
    missing = [name for name, value in wanted.items() if name not in weights or weights[name].shape != value.shape]
    if missing:
        raise ValueError(
            f"{file} lacks {len(missing)} of the network's {len(wanted)} weights ({missing[0]}, …): it is of another "
            "network, or int8; the float32 file that the export writes is wanted"
        )
    network.load_state_dict({**own, **{name: weights[name] for name in wanted}})
