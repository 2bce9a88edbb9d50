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

from cloud_apis.craft.finder import find_lines, look
from cloud_apis.craft.preprocess import HEIGHT_PX, WIDTH_PX, fit_crop
from cloud_apis.craft.straighten import text_window
from tools.training.common.crops import RealCrop
from tools.training.common.export import export_onnx, quantise, write_manifest
from tools.training.common.half import store_half
from tools.training.craft.model import Craft
from tools.training.craft.pseudo import Score, find, labelled

log = logging.getLogger("craft")
CALIBRATION_CROPS = 150


def calibration(crops: Sequence[RealCrop], score: Score, seed: int = 1) -> Iterator[NDArray[np.float32]]:
    """Training crops as inference sees them, at the first look and at the second, one a batch."""
    chosen = np.random.default_rng(seed).permutation(len(crops))[:CALIBRATION_CROPS]
    images = [crops[index].image for index in chosen]
    for image, lines in zip(images, look(score, images, 8), strict=True):
        yield fit_crop(image)[0][None]
        if lines:
            yield text_window(lines).cut(image)[None]


def session_score(file: Path) -> Score:
    """An ONNX file as a function of arrays."""
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    session = onnxruntime.InferenceSession(str(file), options, providers=["CPUExecutionProvider"])
    return lambda images: np.asarray(session.run(None, {"image": images})[0], np.float32)


def figures(score: Score, crops: Sequence[RealCrop]) -> dict[str, float | None]:
    """Share of crops with the right number of lines, and at the first look with the right number of characters too.

    None, which JSON knows, where there are no crops.
    """
    if not crops:
        return {"lines": None, "characters": None}
    images = [crop.image for crop in crops]
    lines = [len(found) == len(crop.lines) for found, crop in zip(find_lines(score, images, 8), crops, strict=True)]
    characters = [labelled(one, crop) is not None for one, crop in zip(find(score, images), crops, strict=True)]
    return {"lines": round(float(np.mean(lines)), 4), "characters": round(float(np.mean(characters)), 4)}


def export(model: Craft, train: Sequence[RealCrop], dev: Sequence[RealCrop], run: Path, target: Path) -> None:
    """Write ``craft.onnx`` (int8) and its manifest into ``target``, ``craft.float32.onnx`` there and into the run."""
    target.mkdir(parents=True, exist_ok=True)
    float_file, int8_file = run / "craft.float32.onnx", target / "craft.onnx"
    example = torch.zeros(1, 1, HEIGHT_PX, WIDTH_PX)
    axes = {"image": {0: "batch"}, "score": {0: "batch"}}
    export_onnx(model, example, float_file, "image", ["score"], axes)
    shutil.copyfile(float_file, target / float_file.name)
    store_half(target / float_file.name)
    quantise(float_file, int8_file, "image", calibration(train, session_score(float_file)))
    dev_figures = {"float32": figures(session_score(float_file), dev), "int8": figures(session_score(int8_file), dev)}
    log.info("on dev crops: %s", dev_figures)
    fields = {
        "version": "1.1.0",
        "precision": "int8",
        "input": f"image float32 (N, 1, {HEIGHT_PX}, {WIDTH_PX}), grey 0..1, fitted and centred on 0.5",
        "output": f"score float32 (N, 2, {HEIGHT_PX // 2}, {WIDTH_PX // 2}): region, affinity, 0..1",
        "dev": dev_figures,
    }
    write_manifest("craft", int8_file, fields)
