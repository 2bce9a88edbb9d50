"""Zeros around a convolution's input as part of the convolution, in int8 models.

Torch pads unevenly by an operation of its own, which onnxruntime computes in float32: it leaves the integers before and
goes back to them after, for each of these maps. A convolution pads without that.
"""

from __future__ import annotations

from collections import defaultdict

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import NodeProto, helper, numpy_helper

_SIDES = 8
"""Numbers that tell of the zeros at both ends of four axes: batch, channels, height, width."""


def pad_within_convolutions(model: onnx.ModelProto) -> int:
    """Take the operations that pad a quantised convolution's input out of an int8 (QDQ) model, in place.

    Returns how many went. The answers stay the same bit by bit: one stays where zeros are not all that it adds, where
    it adds them to other axes than height and width, where it changes the scale, or where others use what it makes.
    """
    graph = _Graph(model.graph)
    gone = [nodes for node in model.graph.node if node.op_type == "Pad" for nodes in [_taken(graph, node)] if nodes]
    for node in (node for nodes in gone for node in nodes):
        model.graph.node.remove(node)
    used = {name for node in model.graph.node for name in node.input}
    for weight in [one for one in model.graph.initializer if one.name not in used]:
        model.graph.initializer.remove(weight)
    return len(gone)


class _Graph:
    """A graph's constants, and what makes and uses each tensor."""

    def __init__(self, graph: onnx.GraphProto) -> None:
        self.constants = {one.name: numpy_helper.to_array(one) for one in graph.initializer}
        self.outputs = {one.name for one in graph.output}
        self.maker = {name: node for node in graph.node for name in node.output}
        self._users: dict[str, list[NodeProto]] = defaultdict(list)
        for node in graph.node:
            for name in node.input:
                self._users[name].append(node)

    def only_user(self, node: NodeProto, operation: str) -> NodeProto | None:
        """The one node that uses what a node makes, if it is of this operation."""
        users = self._users[node.output[0]]
        alone = len(users) == 1 and users[0].op_type == operation and node.output[0] not in self.outputs
        return users[0] if alone and users[0].input[0] == node.output[0] else None

    def parameters(self, node: NodeProto) -> list[NDArray[np.generic]]:
        """Scale and zero of a node that quantises or dequantises."""
        return [self.constants[name] for name in node.input[1:] if name in self.constants]


def _taken(graph: _Graph, pad: NodeProto) -> tuple[NodeProto, ...]:
    """The nodes that a convolution needs no more that pads itself from now on; none where it cannot."""
    before = graph.maker.get(pad.input[0])
    after = graph.only_user(pad, "QuantizeLinear")
    whole = graph.only_user(after, "DequantizeLinear") if after is not None else None
    convolution = graph.only_user(whole, "Conv") if whole is not None else None
    zeros = _zeros(graph, pad)
    if before is None or before.op_type != "DequantizeLinear" or after is None or whole is None or convolution is None:
        return ()
    same = [graph.parameters(node) for node in (before, after, whole)]
    if not zeros or any(len(one) != 2 or any(map(np.not_equal, one, same[0])) for one in same):
        return ()
    attributes = {one.name: one for one in convolution.attribute}
    if "auto_pad" in attributes and helper.get_attribute_value(attributes["auto_pad"]) != b"NOTSET":
        return ()
    own = list(attributes["pads"].ints) if "pads" in attributes else [0] * len(zeros)
    if "pads" in attributes:
        convolution.attribute.remove(attributes["pads"])
    convolution.attribute.append(helper.make_attribute("pads", [a + b for a, b in zip(own, zeros, strict=True)]))
    convolution.input[0] = pad.input[0]
    return pad, after, whole


def _zeros(graph: _Graph, pad: NodeProto) -> list[int]:
    """How many zeros a node adds: above, left, below, right; none where it does anything else."""
    mode = next((helper.get_attribute_value(one) for one in pad.attribute if one.name == "mode"), b"constant")
    ends = graph.constants.get(pad.input[1]) if len(pad.input) > 1 else None
    value = graph.constants.get(pad.input[2]) if len(pad.input) > 2 and pad.input[2] else np.zeros(())
    plain = mode == b"constant" and len(pad.input) <= 3 and ends is not None and ends.shape == (_SIDES,)
    if not plain or ends is None or value is None or np.any(value) or ends.min() < 0 or ends[[0, 1, 4, 5]].any():
        return []
    return [int(ends[place]) for place in (2, 3, 6, 7)]
