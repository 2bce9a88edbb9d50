"""From the trained CRAFT to the served files: ONNX, int8 by calibration on training crops, manifest."""

from __future__ import annotations

import logging
import shutil
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
import onnxruntime
import torch
from numpy.typing import NDArray

from cloud_apis.craft.preprocess import HEIGHT_PX, WIDTH_PX, fit_crop
from tools.training.common.crops import RealCrop
from tools.training.common.export import export_onnx, quantise, write_manifest
from tools.training.craft.model import Craft
from tools.training.craft.pseudo import Score, find, labelled, lines_fit

log = logging.getLogger("craft")
CALIBRATION_CROPS = 200


def calibration(crops: Sequence[RealCrop], seed: int = 1) -> Iterator[NDArray[np.float32]]:
    """Training crops as inference sees them, one a batch."""
    chosen = np.random.default_rng(seed).permutation(len(crops))[:CALIBRATION_CROPS]
    return (fit_crop(crops[index].image)[0][None] for index in chosen)


def session_score(file: Path) -> Score:
    """An ONNX file as a function of arrays."""
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    session = onnxruntime.InferenceSession(str(file), options, providers=["CPUExecutionProvider"])
    return lambda images: np.asarray(session.run(None, {"image": images})[0], np.float32)


def figures(score: Score, crops: Sequence[RealCrop]) -> dict[str, float]:
    """Share of crops with the right number of lines, and with the right number of characters too."""
    found = list(zip(find(score, [crop.image for crop in crops]), crops, strict=True))
    lines = [lines_fit(one, crop) for one, crop in found]
    characters = [labelled(one, crop) is not None for one, crop in found]
    return {"lines": round(float(np.mean(lines)), 4), "characters": round(float(np.mean(characters)), 4)}


def export(model: Craft, train: Sequence[RealCrop], dev: Sequence[RealCrop], run: Path, target: Path) -> None:
    """Write ``craft.onnx`` (int8) and its manifest into ``target``, ``craft.float32.onnx`` there and into the run."""
    target.mkdir(parents=True, exist_ok=True)
    float_file, int8_file = run / "craft.float32.onnx", target / "craft.onnx"
    example = torch.zeros(1, 1, HEIGHT_PX, WIDTH_PX)
    axes = {"image": {0: "batch"}, "score": {0: "batch"}}
    export_onnx(model, example, float_file, "image", ["score"], axes)
    shutil.copyfile(float_file, target / float_file.name)
    quantise(float_file, int8_file, "image", calibration(train))
    dev_figures = {"float32": figures(session_score(float_file), dev), "int8": figures(session_score(int8_file), dev)}
    log.info("on dev crops: %s", dev_figures)
    fields = {
        "version": "1.0.0",
        "precision": "int8",
        "input": f"image float32 (N, 1, {HEIGHT_PX}, {WIDTH_PX}), grey 0..1, fitted and centred on 0.5",
        "output": f"score float32 (N, 2, {HEIGHT_PX // 2}, {WIDTH_PX // 2}): region, affinity, 0..1",
        "dev": dev_figures,
    }
    write_manifest("craft", int8_file, fields)
