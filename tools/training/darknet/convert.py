"""From Darknet's files to what our APIs serve: ONNX with a grey input and outputs p<stride>, and its manifest."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

from cloud_apis.yolov3.preprocess import fit, network_input
from tools.training.common.export import quantise, write_manifest, write_settings
from tools.training.darknet.cfg import read_cfg
from tools.training.darknet.errors import CfgError, DarknetError
from tools.training.darknet.layers import Convolutional, Plan, plan_of
from tools.training.darknet.network import DarknetNetwork, convolutions
from tools.training.darknet.weights import load_weights, read_weights
from tools.training.datasets.labels import PICTURE_ENDINGS
from tools.training.datasets.pictures import PictureError, read_picture
from tools.training.yolov3.export import export_detector, prediction_layers

PLATE = "license-plate"
CALIBRATION_PICTURES = 160
LEAST_PICTURES = 8


@dataclass(frozen=True, slots=True)
class Converted:
    """What was written: the served file, settings to serve it with, its labels, anchors by scale, strides, and how
    many weights it has."""

    file: Path
    settings: Path
    labels: tuple[str, ...]
    anchors: tuple[int, ...]
    strides: tuple[int, ...]
    weights: int


def convert(
    cfg: Path, weights: Path, target: Path, names: Path | None = None, pictures: Path | None = None
) -> Converted:
    """Write ``yolov3.onnx``, ``yolov3.json`` and ``apis.yaml``, which serves it, into the folder ``target``.

    With ``pictures``, a folder, the served file is int8, calibrated on them, and the float32 one lies beside it as
    ``yolov3.float32.onnx``. Raises DarknetError; nothing is written where a file is wrong.
    """
    plan = plan_of(read_cfg(cfg))
    labels = labels_of(plan, names)
    values = read_weights(weights, plan)
    network = DarknetNetwork(plan)
    load_weights(network, values)
    make_grey(network)
    anchors = whole_anchors(network)
    batches = [] if pictures is None else list(calibration(pictures, plan))
    target.mkdir(parents=True, exist_ok=True)
    served = target / "yolov3.onnx"
    float_file = target / "yolov3.float32.onnx" if batches else served
    export_detector(network, float_file, network.strides)
    if batches:
        quantise(float_file, served, "image", iter(batches), prediction_layers(float_file))
    fields = {
        "version": "1.0.0",
        "precision": "int8" if batches else "float32",
        "input": "image float32 (N, 1, H, W), grey 0..1, H and W multiples of 32",
        "labels": list(labels),
        "anchors": list(anchors),
        "strides": list(network.strides),
        "trained_size": [plan.width_px, plan.height_px],
        "converted_from": {file.name: _sha256(file) for file in (cfg, weights)},
    }
    write_manifest("yolov3", served, fields)
    width, height = (served_side(side) for side in (plan.width_px, plan.height_px))
    settings = write_settings(target, target / "apis.yaml", net_w=width, net_h=height)
    return Converted(served, settings, labels, anchors, network.strides, len(values))


def served_side(side_px: int) -> int:
    """The nearest width or height that the APIs can serve: multiples of 32 up to 4096 pixels."""
    return min(4096, max(32, 32 * round(side_px / 32)))


def make_grey(network: DarknetNetwork) -> None:
    """Let the first convolution take one grey channel: its kernels summed up, which grey pictures cannot tell apart."""
    plan = network.plan
    if plan.input_channels == 1:
        return
    first = plan.layers[0]
    if not isinstance(first, Convolutional) or first.groups != 1:
        raise CfgError("the first layer is no plain convolution: it cannot be made to take grey pictures")
    old = convolutions(network)[0][0]
    assert isinstance(old, nn.Conv2d)  # noqa: S101 - for the type checker
    new = nn.Conv2d(1, first.channels, first.size, first.stride, first.padding, bias=old.bias is not None)
    with torch.no_grad():
        new.weight.copy_(old.weight.sum(1, keepdim=True))
        if old.bias is not None and new.bias is not None:
            new.bias.copy_(old.bias)
    convolutions(network)[0][0] = new
    network.plan = replace(plan, input_channels=1, layers=(replace(first, inputs=1), *plan.layers[1:]))


def whole_anchors(network: DarknetNetwork) -> tuple[int, ...]:
    """The anchors in whole pixels, finest scale first; what rounding changes goes into the predictions' biases.

    A box is as wide as exp(tw) times its anchor, so the logarithm of the two anchors' ratio is added to tw.
    """
    layers = network.plan.layers
    whole = []
    for yolo in network.plan.scales():
        sides = [[max(1, round(side)) for side in anchor] for anchor in yolo.anchors]
        predict = network.layers[layers.index(yolo) - 1][0]  # type: ignore[index]
        ratio = torch.tensor(yolo.anchors) / torch.tensor(sides, dtype=torch.float32)
        with torch.no_grad():
            predict.bias.view(len(sides), -1)[:, 2:4] += ratio.log()
        whole += [side for anchor in sides for side in anchor]
    return tuple(whole)


def labels_of(plan: Plan, names: Path | None) -> tuple[str, ...]:
    """Names of the classes: a line each of the file, or made-up ones."""
    classes = plan.scales()[0].classes
    if names is None:
        return (PLATE,) if classes == 1 else tuple(f"class {i}" for i in range(classes))
    try:
        lines = names.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise DarknetError(f"{names} cannot be read as text: {error}") from error
    labels = tuple(line.strip() for line in lines if line.strip())
    if len(labels) != classes:
        raise DarknetError(f"{names} has {len(labels)} names; the .cfg has {classes} classes")
    return labels


def calibration(folder: Path, plan: Plan) -> Iterator[NDArray[np.float32]]:
    """Pictures of a folder as inference sees them, one a batch; raises DarknetError when there are too few."""
    files = sorted(file for file in folder.rglob("*") if file.suffix.lower() in PICTURE_ENDINGS)
    step = max(1, len(files) // CALIBRATION_PICTURES)
    usable = 0
    for file in files[::step][:CALIBRATION_PICTURES]:
        try:
            grey = read_picture(file).image
        except PictureError:
            continue
        usable += 1
        yield network_input(grey, fit(grey.shape[1], grey.shape[0], plan.width_px, plan.height_px))[None]
    if usable < LEAST_PICTURES:
        raise DarknetError(f"{folder} has {usable} usable pictures; int8 needs at least {LEAST_PICTURES}")


def _sha256(file: Path) -> str:
    with file.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()
