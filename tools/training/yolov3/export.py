"""Export a trained detector: ``python -m tools.training.yolov3.export --run FOLDER``."""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import onnx
import torch
from numpy.typing import NDArray

from tools.data import require_data_root
from tools.training.common.export import MODELS, export_onnx, quantise, write_manifest
from tools.training.common.run_folder import RunFolder
from tools.training.yolov3.dataset import SOURCES, Sample, load
from tools.training.yolov3.evaluate import letterbox
from tools.training.yolov3.network import STRIDES, YoloV3

OUTPUTS = tuple(f"p{stride}" for stride in STRIDES)
CALIBRATION_PICTURES = 160


def calibration(samples: list[Sample], seed: int) -> Iterator[NDArray[np.float32]]:
    """Training pictures as inference sees them, one a batch: float32 (1, 1, 416, 416)."""
    rng = np.random.default_rng(seed)
    for index in rng.choice(len(samples), CALIBRATION_PICTURES, replace=False):
        picture, _ = letterbox(samples[index], 416)
        yield (picture[None, None] / 255).astype(np.float32)


def prediction_layers(file: Path) -> list[str]:
    """Names of the last convolution of each scale, which stays in float32: its logits span too wide for int8."""
    graph = onnx.load(str(file)).graph
    return [node.name for node in graph.node if node.output[0] in OUTPUTS]


def export(run: Path, target: Path, seed: int) -> None:
    """Write ``yolov3.float32.onnx`` into the run folder, and ``yolov3.onnx`` (int8) and manifest into target."""
    state = RunFolder(run).load("best.pt")
    if state is None:
        raise FileNotFoundError(f"no best.pt in {run}: train first")
    network = YoloV3()
    network.load_state_dict(state["ema"])
    float_file = run / "yolov3.float32.onnx"
    grid = {0: "batch", 2: "height", 3: "width"}
    axes = {"image": grid, **{name: {0: "batch", 2: f"{name}_h", 3: f"{name}_w"} for name in OUTPUTS}}
    export_onnx(network, torch.zeros(1, 1, 416, 416), float_file, "image", OUTPUTS, axes)
    samples = load(require_data_root(), SOURCES)
    int8_file = target / "yolov3.onnx"
    quantise(float_file, int8_file, "image", calibration(samples, seed), prediction_layers(float_file))
    anchors = [int(side) for side in state["anchors"].flatten()]
    fields = {
        "version": "1.0.0",
        "precision": "int8",
        "input": "image float32 (N, 1, H, W), grey 0..1, H and W multiples of 32",
        "labels": ["license-plate"],
        "anchors": anchors,
        "strides": list(STRIDES),
        "trained_steps": int(state["step"]),
    }
    write_manifest("yolov3", int8_file, fields)
    print(f"{float_file} ({float_file.stat().st_size} bytes), {int8_file} ({int8_file.stat().st_size} bytes)")
    print(f"anchors: {anchors}")


def main() -> int:
    """Parse the command line and export."""
    parser = argparse.ArgumentParser(
        prog="python -m tools.training.yolov3.export",
        description="Turn the best checkpoint of a run into ONNX: float32 beside the checkpoint, int8 where it "
        "is served.",
    )
    parser.add_argument("--run", type=Path, default=Path("runs/yolov3"), help="the training run's folder")
    parser.add_argument("--target", type=Path, default=MODELS, help="folder of the served model")
    parser.add_argument("--seed", type=int, default=1, help="chooses the calibration pictures")
    options = parser.parse_args()
    export(options.run, options.target, options.seed)
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
