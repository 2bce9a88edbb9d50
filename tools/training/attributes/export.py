"""From a run to the committed files: ONNX, int8 by calibration, manifest with the heads' calibration."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

import numpy as np
import onnx
import onnxruntime
import torch
from numpy.typing import NDArray

from cloud_apis.attributes.classifier import MODEL
from cloud_apis.attributes.heads import heads_of
from cloud_apis.model_files import Manifest
from tools.training.attributes.calibrate import calibrate
from tools.training.attributes.classes import Head
from tools.training.attributes.fold import folded_for_good
from tools.training.attributes.measure import Logits, Measured, measure
from tools.training.attributes.network import Attributes
from tools.training.attributes.pictures import Crop, plain_view, tensor_of
from tools.training.attributes.train import Material
from tools.training.common.export import export_onnx, quantise, write_manifest

CALIBRATION_PICTURES = 200
VERSION = "1.7.0"
KEPT_FROM = "calibration_kept_from"
"""Key of a manifest: the version whose calibration it has, where that was not fitted anew."""


def export(
    network: Attributes, kept: Material, dev: Material, heads: Sequence[Head], size: tuple[int, int], target: Path,
    seed: int, fields: Mapping[str, object], calibrated: Manifest | None = None,
) -> dict[str, Measured]:  # fmt: skip
    """Write ``attributes.float32.onnx``, ``attributes.onnx`` (int8) and the manifest into ``target``.

    The network is folded in place. int8 is calibrated on training pictures; temperatures and least probabilities on
    the held-out ones, through the int8 file, or taken from another file's manifest, ``calibrated``.
    Returns the figures on these by precision.
    """
    target.mkdir(parents=True, exist_ok=True)
    files = {"float32": target / f"{MODEL}.float32.onnx", "int8": target / f"{MODEL}.onnx"}
    axes: dict[str, dict[int, str]] = {"image": {0: "batch", 2: "height", 3: "width"}}
    axes |= {name: {0: "batch"} for name in network.names}
    folded_for_good(network)
    export_onnx(network, torch.zeros(1, 3, *size), files["float32"], "image", network.names, axes)
    exact = [node.name for node in onnx.load(str(files["float32"])).graph.node if node.name.startswith("/colour/")]
    quantise(files["float32"], files["int8"], "image", _views(kept.crops, size, seed), exact)
    logits = {precision: file_logits(file, dev.crops, size, network.names) for precision, file in files.items()}
    figures = {precision: measure(found, dev.examples, heads) for precision, found in logits.items()}
    known = {head.name: head for head in heads_of(calibrated)} if calibrated else None
    calibrations = calibrate(logits["int8"], dev.examples, heads, known)
    described = [
        {
            "name": head.name,
            "labels": list(head.labels),
            "temperature": calibrations[head.name].temperature,
            "least": calibrations[head.name].least,
        }
        for head in heads
    ]
    content = {
        "version": VERSION,
        "precision": "int8",
        "input": f"image float32 (N, 3, H, W), RGB (value - 127) / 128, a car stretched to {size[0]} x {size[1]} "
        "(height x width); H and W multiples of 32",
        "output": ", ".join(f"`{name}`" for name in network.names) + ": raw logits (N, classes)",
        **fields,
        **({KEPT_FROM: _fitted_in(calibrated)} if calibrated else {}),
        "dev": {precision: _rounded(one.figures) for precision, one in figures.items()},
        "dev_answered": {name: round(one.answered, 4) for name, one in calibrations.items()},
        "dev_answers_right": {name: round(one.right, 4) for name, one in calibrations.items()},
        "heads": described,
    }
    write_manifest(MODEL, files["int8"], content)
    return figures


def _fitted_in(manifest: Manifest) -> str:
    """The version that a manifest's calibration was fitted in, perhaps some versions before its own."""
    return str((manifest.model_extra or {}).get(KEPT_FROM, manifest.version))


def file_logits(file: Path, crops: Sequence[Crop], size: tuple[int, int], names: Sequence[str]) -> Logits:
    """Each head's logits (N, K) of an exported file, picture by picture as the APIs run it."""
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    session = onnxruntime.InferenceSession(str(file), options, providers=["CPUExecutionProvider"])
    rows = [session.run(list(names), {"image": tensor_of([plain_view(crop, size)]).numpy()}) for crop in crops]
    return {name: np.concatenate([row[place] for row in rows]) for place, name in enumerate(names)}


def _views(crops: Sequence[Crop], size: tuple[int, int], seed: int) -> Iterator[NDArray[np.float32]]:
    rng = np.random.default_rng(seed)
    for index in rng.choice(len(crops), min(len(crops), CALIBRATION_PICTURES), replace=False):
        yield tensor_of([plain_view(crops[index], size)]).numpy()


def _rounded(figures: Mapping[str, float]) -> dict[str, float]:
    return {name: round(value, 4) for name, value in figures.items()}
