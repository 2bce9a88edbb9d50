"""From a run of the vehicle detector to the committed files: ONNX, int8 by calibration, manifest."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
import onnxruntime
from numpy.typing import NDArray
from torch import Tensor

from tools.training.attributes.fold import folded_for_good
from tools.training.attributes.pictures import tensor_of
from tools.training.common.checkpoint import take_weights
from tools.training.common.export import quantise, write_manifest
from tools.training.common.run_folder import RunFolder
from tools.training.vehicles.augment import letterbox
from tools.training.vehicles.dataset import HAND_MADE, Sample
from tools.training.vehicles.evaluate import SIZE_PX, precisions_of
from tools.training.vehicles.network import LABELS, STRIDES, VehicleNet
from tools.training.yolov3.export import export_detector, prediction_layers

NAME = "vehicles"
VERSION = "1.1.1"
CALIBRATION_PICTURES = 160


def export(run: Path, target: Path, seed: int, train: Sequence[Sample], dev: Sequence[Sample]) -> dict[str, object]:
    """Write ``vehicles.float32.onnx``, ``vehicles.onnx`` (int8) and the manifest into ``target``.

    Returns AP@0.5 on the held-out pictures by precision and class. Raises FileNotFoundError without a checkpoint.
    """
    state = RunFolder(run).load("best.pt", "average", "anchors", "step")
    if state is None:
        raise FileNotFoundError(f"no best.pt in {run}: train first")
    network = VehicleNet()
    take_weights(network, state["average"], run / "best.pt")
    target.mkdir(parents=True, exist_ok=True)
    files = {"float32": target / f"{NAME}.float32.onnx", "int8": target / f"{NAME}.onnx"}
    export_detector(folded_for_good(network), files["float32"], STRIDES, 3)
    quantise(files["float32"], files["int8"], "image", _pictures(train, seed), prediction_layers(files["float32"]))
    anchors = state["anchors"].numpy()
    figures = {precision: file_precisions(file, anchors, dev) for precision, file in files.items()}
    fields = {
        "version": VERSION,
        "precision": "int8",
        "input": "image float32 (N, 3, H, W), RGB (value - 127) / 128, H and W multiples of 32",
        "labels": list(LABELS),
        "anchors": [int(side) for side in anchors.flatten()],
        "strides": list(STRIDES),
        "trained_steps": int(state["step"]),
        "dev_ap50": {
            precision: {name: round(value, 4) for name, value in one.items()} for precision, one in figures.items()
        },
    }
    write_manifest(NAME, files["int8"], fields)
    return fields


def file_precisions(file: Path, anchors: NDArray[np.float32], samples: Sequence[Sample]) -> dict[str, float]:
    """AP@0.5 of an exported network by class, and the mean."""
    session = onnxruntime.InferenceSession(str(file), providers=["CPUExecutionProvider"])
    names = [f"p{stride}" for stride in STRIDES]

    def run(image: Tensor) -> list[NDArray[np.float32]]:
        found: list[NDArray[np.float32]] = session.run(names, {"image": image.numpy()})
        return found

    return precisions_of(run, anchors, samples)


def _pictures(samples: Sequence[Sample], seed: int) -> Iterator[NDArray[np.float32]]:
    rng = np.random.default_rng(seed)
    weights = np.array([1.0 if sample.source in HAND_MADE else 0.3 for sample in samples])
    count = min(len(samples), CALIBRATION_PICTURES)
    for index in rng.choice(len(samples), count, replace=False, p=weights / weights.sum()):
        yield tensor_of([letterbox(samples[index], SIZE_PX)[0]]).numpy()
