"""Export a trained detector: ``python -m tools.training.yolov3.export --run FOLDER``."""

from __future__ import annotations

import argparse
import math
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
import onnx
import torch
from numpy.typing import NDArray
from torch import nn

from tools.data import require_data_root
from tools.training.common.checkpoint import take_weights
from tools.training.common.export import MODELS, export_onnx, quantise, write_manifest
from tools.training.common.half import store_half
from tools.training.common.rounding import tensor_ranges
from tools.training.common.run_folder import RunFolder
from tools.training.datasets.load import add_options as add_data_options
from tools.training.datasets.load import load_material
from tools.training.yolov3.choice import build
from tools.training.yolov3.dataset import SOURCES, Sample, in_dev, load
from tools.training.yolov3.evaluate import file_precision, letterbox
from tools.training.yolov3.network import YoloV3
from tools.training.yolov3.sizes import fit_sizes, scale_finest

CALIBRATION_PICTURES = 160
PRECISIONS = ("float32", "int8")


def calibration(samples: Sequence[Sample], seed: int) -> Iterator[NDArray[np.float32]]:
    """Training pictures as inference sees them, one a batch: float32 (1, 1, 416, 416)."""
    rng = np.random.default_rng(seed)
    for index in rng.choice(len(samples), min(len(samples), CALIBRATION_PICTURES), replace=False):
        picture, _ = letterbox(samples[index], 416)
        yield (picture[None, None] / 255).astype(np.float32)


def prediction_layers(file: Path) -> list[str]:
    """Names of the last convolution of each scale, which stays in float32: its logits span too wide for int8."""
    graph = onnx.load(str(file)).graph
    outputs = {output.name for output in graph.output}
    return [node.name for node in graph.node if node.output[0] in outputs]


def export_detector(network: nn.Module, file: Path, strides: Sequence[int], input_channels: int = 1) -> None:
    """Write any network with one output per stride as float32 ONNX, free in batch, height and width."""
    outputs = [f"p{stride}" for stride in strides]
    axes = {"image": {0: "batch", 2: "height", 3: "width"}}
    axes |= {name: {0: "batch", 2: f"{name}_h", 3: f"{name}_w"} for name in outputs}
    export_onnx(network, torch.zeros(1, input_channels, 64, 96), file, "image", outputs, axes)


def export(
    run: Path, target: Path, seed: int, train: Sequence[Sample], dev: Sequence[Sample]
) -> dict[str, float | None]:
    """Write ``yolov3.float32.onnx``, ``yolov3.onnx`` (int8) and the manifest into ``target``.

    int8 is calibrated on the training pictures; returns AP@0.5 on dev by precision, None where nothing is held out.
    """
    state = RunFolder(run).load("best.pt", "ema", "anchors", "step")
    if state is None:
        raise FileNotFoundError(f"no best.pt in {run}: train first")
    network = build(state.get("network_name", "slim"))
    take_weights(network, state["ema"], run / "best.pt")
    factors = (1.0, 1.0)
    if isinstance(network, YoloV3):
        factors = fit_sizes(network, state["anchors"], dev)
        scale_finest(network, factors)
    target.mkdir(parents=True, exist_ok=True)
    files = {"float32": target / "yolov3.float32.onnx", "int8": target / "yolov3.onnx"}
    export_detector(network, files["float32"], network.strides)
    float_layers = prediction_layers(files["float32"])
    ranges = tensor_ranges(files["float32"], state.get("ranges", {}))
    quantise(files["float32"], files["int8"], "image", calibration(train, seed), float_layers, ranges=ranges)
    figures: dict[str, float | None] = {}
    for precision in PRECISIONS:
        figure = file_precision(files[precision], state["anchors"], dev, network.strides)
        figures[precision] = None if math.isnan(figure) else round(figure, 4)
    store_half(files["float32"])
    fields = {
        "version": "1.3.0",
        "precision": "int8",
        "input": "image float32 (N, 1, H, W), grey 0..1, H and W multiples of 32",
        "labels": ["license-plate"],
        "anchors": [int(side) for side in state["anchors"].flatten()],
        "strides": list(network.strides),
        "finest_boxes_scaled": list(factors),
        "trained_steps": int(state["step"]),
        "dev_ap50": figures,
    }
    write_manifest("yolov3", files["int8"], fields)
    for precision, file in files.items():
        print(f"{file}: {file.stat().st_size} bytes, AP@0.5 on dev {figures[precision]}")
    return figures


def main(argv: Sequence[str] | None = None) -> int:
    """Parse the command line and export."""
    parser = argparse.ArgumentParser(
        prog="python -m tools.training.yolov3.export",
        description="Turn the best checkpoint of a run into ONNX, in int8 for serving and in float32 beside it, with "
        "the figures of both on the pictures that training held out.",
    )
    parser.add_argument("--run", type=Path, default=Path("runs/yolov3"), help="the training run's folder")
    parser.add_argument("--target", type=Path, default=MODELS, help="folder of the served model")
    parser.add_argument("--seed", type=int, default=1, help="chooses the calibration pictures")
    add_data_options(parser)
    options = parser.parse_args(argv)
    try:
        data = load_material(options.data, options.label).samples if options.data else None
        samples = data if data is not None else load(require_data_root(), SOURCES)
        dev = [s for s in samples if in_dev(s.name) and s.source != "roboflow_experiment_plates"]
        export(options.run, options.target, options.seed, [s for s in samples if not in_dev(s.name)], dev)
    except (OSError, ValueError) as error:
        print(f"yolov3.export: error: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
