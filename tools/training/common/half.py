"""Float32 networks whose files hold their large weights as float16: half the size, the same arithmetic.

The file casts them back once, when it is loaded; a weight moves by at most 0.05 % of itself, which no figure shows.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

LEAST_WEIGHTS = 1024
"""Smaller tensors (biases, normalisation) stay as they are: they cost nothing, and some are too small for float16."""
SUFFIX = ".half"
_LARGEST = float(np.finfo(np.float16).max)


def store_half(file: Path) -> None:
    """Rewrite a float32 ONNX file in place; each large weight becomes float16 and a Cast that restores its name."""
    model = onnx.load(str(file))
    casts = []
    for weight in model.graph.initializer:
        if weight.data_type != TensorProto.FLOAT or np.prod(weight.dims) < LEAST_WEIGHTS:
            continue
        values, name = numpy_helper.to_array(weight), weight.name
        if np.abs(values).max() > _LARGEST:
            continue
        weight.CopyFrom(numpy_helper.from_array(values.astype(np.float16), name + SUFFIX))
        casts.append(helper.make_node("Cast", [name + SUFFIX], [name], to=TensorProto.FLOAT))
    nodes = [*casts, *model.graph.node]
    del model.graph.node[:]
    model.graph.node.extend(nodes)
    onnx.checker.check_model(model)
    part = file.with_name(file.name + ".part")
    part.write_bytes(model.SerializeToString())
    part.replace(file)
