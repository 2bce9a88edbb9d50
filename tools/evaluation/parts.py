"""The parts that are judged: the shipped detector and reader, built as the prediction APIs build them."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, Final

import cv2
import numpy as np
import onnxruntime as ort
from numpy.typing import NDArray

from cloud_apis.crnn.regions import Region, load_regions
from cloud_apis.errors import StartError
from cloud_apis.model_files import packaged_models
from cloud_apis.reader import load_reader
from cloud_apis.settings import ApiSettings, load_settings
from cloud_apis.yolov3.postprocess import STRIDES, best_boxes, decode
from cloud_apis.yolov3.preprocess import fit, network_input
from tools.evaluation.detection import Array
from tools.evaluation.runs import Detector, Image, Read, Reader, read_of

LOW_THRESHOLD: Final = 0.01
"""Scores from here on count for the average precision."""

Network = Callable[[NDArray[np.float32]], Sequence[NDArray[np.float32]]]
"""From a batch (1, 1, height, width) to the raw outputs, one for each stride."""


class PartError(Exception):
    """A model or its settings cannot be loaded; the message says why."""


def settings(
    config: Path | None, *, models: Path | None = None, regions: Sequence[str] = (), calibrated: bool = True
) -> ApiSettings:
    """The APIs' settings from that file, or those that come with the package, with these models and regions."""
    try:
        chosen = load_settings(config)
    except StartError as error:
        raise PartError(str(error)) from error
    if models is not None:
        # Anchors belong to the model: other models bring their own.
        own = {"anchors": None} if "anchors" in manifest_of(models / "yolov3.onnx") else {}
        yolov3 = chosen.yolov3.model_copy(update=own)
        chosen = chosen.model_copy(update={"models": str(models), "yolov3": yolov3})
    crnn: dict[str, object] = {"regions": list(regions)} if regions else {}
    if not calibrated:
        crnn["calibrated"] = False
    return chosen.model_copy(update={"crnn": chosen.crnn.model_copy(update=crnn)}) if crnn else chosen


def known_regions(codes: Sequence[str]) -> tuple[Region, ...]:
    """The regions with these codes. Raises PartError that names those there are."""
    try:
        return load_regions(codes)
    except StartError as error:
        raise PartError(str(error)) from error


def models_folder(chosen: ApiSettings) -> Path:
    """Where the models of these settings lie."""
    return Path(chosen.models) if chosen.models else packaged_models()


def network_detector(
    network: Network,
    anchors: Sequence[int],
    *,
    net_px: int,
    threshold: float,
    nms_thresh: float,
    strides: Sequence[int] = STRIDES,
) -> Detector:
    """A detector from any network with the outputs of `yolov3`, for example a torch model in training.

    Pictures are made grey and fitted into `net_px` x `net_px` as `cloud_apis.yolov3` does.
    """
    sizes = np.array(anchors, np.float32).reshape(-1, 2)

    def detect(image: Image) -> Array:
        grey = cv2.cvtColor(image, cv2.COLOR_BGR2GRAY).astype(np.uint8, copy=False)
        box = fit(grey.shape[1], grey.shape[0], net_px, net_px)
        candidates = decode(network(network_input(grey, box)[None]), sizes, threshold, strides=strides)
        kept = best_boxes(candidates, nms_thresh)
        limits = np.array([box.width_px, box.height_px] * 2, np.float32)
        corners = np.clip(box.to_picture(kept.corners), 0, limits)
        return np.column_stack([corners, kept.scores()]).astype(np.float64)

    return detect


def detector(chosen: ApiSettings, path: Path, net_px: int, *, threshold: float) -> Detector:
    """The detector of that ONNX file; a manifest beside the file gives the anchors."""
    if not path.is_file():
        raise PartError(f"the model {path} does not exist: train it, or name another with --model")
    said = manifest_of(path)
    anchors, strides = said.get("anchors") or chosen.yolov3.anchors, said.get("strides") or STRIDES
    names = [f"p{stride}" for stride in strides]
    if anchors is None:
        raise PartError(f"the manifest of {path} names no anchors, and neither do the settings")
    options = ort.SessionOptions()
    options.intra_op_num_threads = chosen.yolov3.threads
    options.log_severity_level = 3
    session = ort.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])

    def network(image: NDArray[np.float32]) -> Sequence[NDArray[np.float32]]:
        outputs: list[NDArray[np.float32]] = session.run(names, {"image": image})
        return outputs

    return network_detector(
        network, anchors, net_px=net_px, threshold=threshold, nms_thresh=chosen.yolov3.nms_thresh, strides=strides
    )


def manifest_of(path: Path) -> dict[str, Any]:
    """What the manifest beside a model says, nothing where there is none."""
    manifest = path.with_suffix(".json")
    try:
        content = json.loads(manifest.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return {}
    except ValueError as error:
        raise PartError(f"{manifest} is not JSON: {error}") from error
    return content if isinstance(content, dict) else {}


def reader(chosen: ApiSettings, folder: Path | None = None) -> Reader:
    """The reader with the models `craft` and `crnn` of that folder, or of the settings."""
    try:
        loaded = load_reader(folder or models_folder(chosen), chosen)
    except StartError as error:
        raise PartError(str(error)) from error

    def read(crop: Image) -> Read:
        return read_of(loaded.read([cv2.cvtColor(crop, cv2.COLOR_BGR2GRAY).astype(np.uint8, copy=False)])[0])

    return read
