"""The full YOLOv3 network with random weights, as a peer in latency figures.

It is the network that `tools.training.yolov3 --network darknet53` trains: Darknet-53 and three detection heads,
about 62 million weights. Runtimes fold its batch normalisation into the convolutions when they load it.
"""

from __future__ import annotations

import tempfile
from pathlib import Path

import numpy as np
import onnx
import torch
from onnx import ModelProto

from tools.training.darknet.darknet53 import darknet53_plan
from tools.training.darknet.network import DarknetNetwork
from tools.training.yolov3.export import export_detector


def yolov3(classes: int = 1, input_channels: int = 3, seed: int = 0) -> ModelProto:
    """The network: input `image` (n, 3, height, width) float32, outputs `p8`, `p16`, `p32` of raw logits."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        network = DarknetNetwork(darknet53_plan(classes, input_channels))
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "yolov3.onnx"
        export_detector(network, file, network.strides, input_channels)
        return onnx.load(str(file))


def parameters(model: ModelProto) -> int:
    """Number of weights."""
    return sum(int(np.prod(w.dims)) for w in model.graph.initializer)
