"""A tiny Darknet detector with every kind of layer that is understood, and random weights for any .cfg."""

from __future__ import annotations

import struct
from pathlib import Path

import numpy as np

from tools.training.darknet.cfg import parse_cfg
from tools.training.darknet.layers import Convolutional, plan_of

PEER = Path(__file__).with_name("opencv.npz")
"""What OpenCV 4.12 (cv2.dnn.readNetFromDarknet) makes of the tiny detector with seed 3: ``cfg`` and the bytes of
``weights``, the picture ``grey`` (64, 96) that it was shown in all three channels, the raw outputs ``p8`` and
``p16``, and ``boxes`` (n, 7): centre, size (shares of the picture), objectness, two class scores (0 below 0.2)."""
TINY_CFG = """# two scales, two classes
[net]
width=96
height=64
channels=3

[convolutional] ; 0
batch_normalize=1
filters=6
size=3
stride=1
pad=1
activation=leaky

[maxpool]
size=2
stride=2

[convolutional]
batch_normalize=1
filters=8
size=3
stride=2
pad=1
activation=mish

[convolutional]
batch_normalize=1
filters=4
size=1
stride=1
pad=1
activation=leaky

[convolutional]
batch_normalize=1
filters=8
size=3
stride=1
pad=1
activation=leaky

[shortcut]
from=-3
activation=linear

[route]
layers=-1
groups=2
group_id=1

[convolutional]
filters=8
size=3
stride=2
pad=1
activation=relu

[convolutional]
batch_normalize=1
filters=8
size=3
stride=2
pad=1
activation=leaky

[maxpool]
size=2
stride=1

[maxpool]
size=5
stride=1

[route]
layers=-1,-3

[convolutional]
size=1
stride=1
pad=1
filters=21
activation=linear

[yolo]
mask=3,4,5
anchors=8,4, 14,6, 20.4,8.25, 30,12, 44,16, 60,30
classes=2
num=6

[route]
layers=-3

[convolutional]
batch_normalize=1
filters=4
size=1
stride=1
pad=1
activation=leaky

[upsample]
stride=2

[route]
layers=-1,7

[convolutional]
size=1
stride=1
pad=1
filters=21
activation=linear

[yolo]
mask=0,1,2
anchors=8,4, 14,6, 20.4,8.25, 30,12, 44,16, 60,30
classes=2
num=6
"""


def random_weights(cfg: str, seed: int, version: tuple[int, int, int] = (0, 2, 5)) -> bytes:
    """The content of a .weights file that belongs to the .cfg."""
    rng = np.random.default_rng(seed)
    parts = []
    for layer in plan_of(parse_cfg(cfg)).layers:
        if not isinstance(layer, Convolutional):
            continue
        parts.append(rng.normal(0, 0.3, layer.channels))
        if layer.normalised:
            parts += [rng.uniform(0.5, 1.5, layer.channels), rng.normal(0, 0.2, layer.channels)]
            parts.append(rng.uniform(0.3, 1.5, layer.channels))
        fan_in = layer.inputs // layer.groups * layer.size**2
        # Logits of a sane size, so that boxes are of a sane size too.
        gain = 2.0 if layer.activation != "linear" else 0.05
        parts.append(rng.normal(0, np.sqrt(gain / fan_in), layer.channels * fan_in))
    seen = struct.pack("<q", 1000) if version[0] * 10 + version[1] >= 2 else struct.pack("<i", 1000)
    return struct.pack("<iii", *version) + seen + np.concatenate(parts).astype("<f4").tobytes()


def write_tiny(folder: Path, seed: int = 3) -> tuple[Path, Path]:
    """The tiny detector's two files."""
    cfg, weights = folder / "tiny.cfg", folder / "tiny.weights"
    cfg.write_text(TINY_CFG)
    weights.write_bytes(random_weights(TINY_CFG, seed))
    return cfg, weights
