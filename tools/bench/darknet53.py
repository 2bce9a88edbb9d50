"""The full YOLOv3 network with random weights, as a peer in latency figures.

Layers as in Redmon and Farhadi, "YOLOv3: An Incremental Improvement", 2018 (arXiv:1804.02767): Darknet-53 and
three detection heads, about 62 million parameters. Batch normalisation is folded into the convolutions, as every
runtime does, so time and memory are those of the trained network.
"""

from __future__ import annotations

from typing import Any, Final

import numpy as np
from onnx import ModelProto, NodeProto, TensorProto, helper, numpy_helper

STAGES: Final = ((64, 1), (128, 2), (256, 8), (512, 8), (1024, 4))
"""Channels and residual blocks of the five stages; each begins by halving the picture."""
OPSET: Final = 17


class _Graph:
    """Nodes and weights collected while the network is laid out."""

    def __init__(self, seed: int) -> None:
        self.nodes: list[NodeProto] = []
        self.weights: list[TensorProto] = []
        self._random = np.random.default_rng(seed)

    def add(self, operator: str, *inputs: str, **attributes: Any) -> str:
        name = f"n{len(self.nodes)}"
        self.nodes.append(helper.make_node(operator, list(inputs), [name], **attributes))
        return name

    def constant(self, name: str, values: np.ndarray[tuple[int, ...], np.dtype[np.float32]]) -> str:
        self.weights.append(numpy_helper.from_array(values.astype(np.float32), name))
        return name

    def convolution(self, x: str, inputs: int, outputs: int, size: int, stride: int = 1) -> str:
        """A convolution without activation; He-scaled weights keep the signal's size."""
        number = len(self.weights)
        scale = np.sqrt(2.0 / (inputs * size * size))
        shape = (outputs, inputs, size, size)
        weight = self.constant(f"w{number}", self._random.standard_normal(shape, np.float32) * scale)
        bias = self.constant(f"b{number}", np.zeros(outputs, np.float32))
        pad = [size // 2] * 4
        return self.add("Conv", x, weight, bias, strides=[stride, stride], pads=pad, kernel_shape=[size, size])

    def unit(self, x: str, inputs: int, outputs: int, size: int, stride: int = 1) -> str:
        """A convolution and leaky ReLU."""
        return self.add("LeakyRelu", self.convolution(x, inputs, outputs, size, stride), alpha=0.1)


def yolov3(classes: int = 1, input_channels: int = 3, seed: int = 0) -> ModelProto:
    """The network: input `image` (1, 3, height, width) float32, outputs `p8`, `p16`, `p32` of raw logits."""
    graph = _Graph(seed)
    x = graph.unit("image", input_channels, 32, 3)
    stages: list[tuple[str, int]] = []
    channels = 32
    for width, blocks in STAGES:
        x, channels = graph.unit(x, channels, width, 3, stride=2), width
        for _ in range(blocks):
            branch = graph.unit(graph.unit(x, width, width // 2, 1), width // 2, width, 3)
            x = graph.add("Add", x, branch)
        stages.append((x, width))
    double = graph.constant("double", np.array([1, 1, 2, 2], np.float32))
    outputs: dict[str, str] = {}
    before: tuple[str, int] | None = None
    for name, (x, width), half in zip(("p32", "p16", "p8"), stages[:1:-1], (512, 256, 128), strict=True):
        y, inputs = x, width
        if before is not None:
            up = graph.add("Resize", graph.unit(*before, half, 1), "", double, mode="nearest")
            y, inputs = graph.add("Concat", up, y, axis=1), width + half
        for i in range(5):
            out, size = (half, 1) if i % 2 == 0 else (2 * half, 3)
            y, inputs = graph.unit(y, inputs, out, size), out
        before = (y, half)
        head = graph.convolution(graph.unit(y, half, 2 * half, 3), 2 * half, 3 * (5 + classes), 1)
        outputs[name] = graph.add("Identity", head)
    for node in graph.nodes:
        for name, value in outputs.items():
            if node.output[0] == value:
                node.output[0] = name
    free: list[str | int] = ["n", input_channels, "h", "w"]
    heads: dict[str, list[str | int]] = {n: ["n", 3 * (5 + classes), f"h{n}", f"w{n}"] for n in ("p8", "p16", "p32")}
    made = helper.make_graph(
        graph.nodes,
        "yolov3",
        [helper.make_tensor_value_info("image", TensorProto.FLOAT, free)],
        [helper.make_tensor_value_info(n, TensorProto.FLOAT, shape) for n, shape in heads.items()],
        graph.weights,
    )
    return helper.make_model(made, opset_imports=[helper.make_opsetid("", OPSET)], ir_version=9)


def parameters(model: ModelProto) -> int:
    """Number of weights."""
    return sum(int(np.prod(w.dims)) for w in model.graph.initializer)
