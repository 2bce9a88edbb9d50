"""From the trained CRNN to the served files: ONNX, convolutions in int8 if that costs no plates, manifest."""

from __future__ import annotations

import logging
import shutil
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
import onnxruntime
import torch
from numpy.typing import NDArray

from cloud_apis.crnn.postprocess import ALPHABET, decode
from cloud_apis.crnn.preprocess import HEIGHT_PX, WIDTH_PX
from tools.training.common.checkpoint import take_weights
from tools.training.common.crops import RealCrop
from tools.training.common.export import export_onnx, quantise, write_manifest
from tools.training.common.half import store_half
from tools.training.common.run_folder import RunFolder
from tools.training.crnn.data import Mixture, Words, WordSampler
from tools.training.crnn.model import Crnn
from tools.training.crnn.train import dev_patches

log = logging.getLogger("crnn")
CALIBRATION_PATCHES = 256
ALLOWED_LOSS = 0.005
"""Share of dev plates that int8 may lose against float32."""


def load_best(run: Path) -> Crnn:
    """The averaged weights that were best on the dev crops.

    Raises FileNotFoundError without a run, ValueError for one of another network.
    """
    state = RunFolder(run).load("best.pt", "average")
    if state is None:
        raise FileNotFoundError(f"{run / 'best.pt'} is missing: train first")
    model = Crnn()
    take_weights(model, state["average"], run / "best.pt")
    return model.eval()


def exact(file: Path, crops: Sequence[RealCrop], words: Words) -> float | None:
    """Share of crops that an ONNX file reads exactly, lines given by ``words``; None without crops."""
    if not crops:
        return None
    session = onnxruntime.InferenceSession(str(file), providers=["CPUExecutionProvider"])
    patches, owners = dev_patches(list(crops), words)
    read = [""] * len(crops)
    for patch, owner in zip(patches, owners, strict=True):
        (logits,) = session.run(None, {"image": patch[None]})
        read[owner] += decode(np.asarray(logits[0], np.float32))[0]
    return float(np.mean([text == crop.text.replace("/", "") for text, crop in zip(read, crops, strict=True)]))


def calibration(sampler: WordSampler, seed: int = 1) -> Iterator[NDArray[np.float32]]:
    """Real training patches, one a batch."""
    rng = np.random.default_rng(seed)
    return (sampler.draw(rng).image[None] for _ in range(CALIBRATION_PATCHES))


def export(run: Path, train: Sequence[RealCrop], dev: Sequence[RealCrop], words: Words, target: Path) -> None:
    """Write both precisions into the run's folder.

    Into ``target`` go the served one, ``crnn.onnx``, its manifest, and ``crnn.float32.onnx``. Without dev crops
    there are no figures, and int8 is served.
    """
    target.mkdir(parents=True, exist_ok=True)
    float_file, int8_file = run / "crnn.float32.onnx", run / "crnn.int8.onnx"
    axes = {"image": {0: "batch"}, "logits": {0: "batch"}}
    export_onnx(load_best(run), torch.zeros(1, 1, HEIGHT_PX, WIDTH_PX), float_file, "image", ["logits"], axes)
    shutil.copyfile(float_file, target / float_file.name)
    store_half(target / float_file.name)
    sampler = WordSampler(None, train, words, Mixture(1.0))
    # The LSTM and the normalisation of the patch stay in float32.
    quantise(float_file, int8_file, "image", calibration(sampler), operators=["Conv", "MaxPool"])
    store_half(int8_file)
    figures = {"float32": exact(float_file, dev, words), "int8": exact(int8_file, dev, words)}
    log.info("whole plates on dev crops: %s", figures)
    precision = "float32" if _costs_plates(figures["float32"], figures["int8"]) else "int8"
    served = target / "crnn.onnx"
    served.write_bytes((int8_file if precision == "int8" else float_file).read_bytes())
    fields = {
        "version": "1.3.0",
        "precision": precision,
        "input": f"image float32 (N, 1, {HEIGHT_PX}, {WIDTH_PX}), grey 0..1, one word straightened",
        "output": f"logits float32 (N, {WIDTH_PX // 2}, 37), class 0 the CTC blank",
        "alphabet": ALPHABET,
        "dev_exact": {name: None if value is None else round(value, 4) for name, value in figures.items()},
    }
    write_manifest("crnn", served, fields)


def _costs_plates(exact_float: float | None, exact_int8: float | None) -> bool:
    if exact_float is None or exact_int8 is None:
        return False
    return exact_int8 < exact_float - ALLOWED_LOSS
