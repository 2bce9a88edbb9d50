"""The parts that are judged: the shipped detector and reader, built as the prediction APIs build them."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Final

import cv2
import numpy as np
import onnxruntime as ort
from numpy.typing import NDArray

from cloud_apis.contract import Word
from cloud_apis.errors import StartError
from cloud_apis.model_files import packaged_models
from cloud_apis.reader import load_reader
from cloud_apis.settings import ApiSettings, load_settings
from cloud_apis.yolov3.postprocess import decode, suppress
from cloud_apis.yolov3.preprocess import fit, network_input
from tools.evaluation.detection import Array
from tools.evaluation.runs import Detector, Image, Reader

LOW_THRESHOLD: Final = 0.01
"""Scores from here on count for the average precision."""
OUTPUTS: Final = ["p8", "p16", "p32"]

Network = Callable[[NDArray[np.float32]], Sequence[NDArray[np.float32]]]
"""From a batch (1, 1, height, width) to the raw outputs of the strides 8, 16 and 32."""


class PartError(Exception):
    """A model or its settings cannot be loaded; the message says why."""


def settings(config: Path | None) -> ApiSettings:
    """The APIs' settings from that file, or those that come with the package."""
    try:
        return load_settings(config)
    except StartError as error:
        raise PartError(str(error)) from error


def operating_threshold(config: Path | None) -> float:
    """The least score of a box that the APIs answer."""
    return settings(config).yolov3.obj_thresh


def network_detector(
    network: Network, anchors: Sequence[int], *, net_px: int, threshold: float, nms_thresh: float
) -> Detector:
    """A detector from any network with the outputs of `yolov3`, for example a torch model in training.

    Pictures are made grey and fitted into `net_px` x `net_px` as `cloud_apis.yolov3` does.
    """
    sizes = np.array(anchors, np.float32).reshape(9, 2)

    def detect(image: Image) -> Array:
        grey = cv2.cvtColor(image, cv2.COLOR_BGR2GRAY).astype(np.uint8, copy=False)
        box = fit(grey.shape[1], grey.shape[0], net_px, net_px)
        candidates = decode(network(network_input(grey, box)[None]), sizes, threshold)
        kept = candidates.take(suppress(candidates.corners, nms_thresh))
        limits = np.array([box.width_px, box.height_px] * 2, np.float32)
        corners = np.clip(box.to_picture(kept.corners), 0, limits)
        return np.column_stack([corners, kept.scores()]).astype(np.float64)

    return detect


def detector(config: Path | None, model: Path | None, net_px: int, *, threshold: float) -> Detector:
    """The detector of that ONNX file, or the shipped one; a manifest beside the file gives the anchors."""
    chosen = settings(config).yolov3
    path = model or packaged_models() / "yolov3.onnx"
    if not path.is_file():
        raise PartError(f"the model {path} does not exist: train it, or name another with --model")
    manifest = path.with_suffix(".json")
    anchors = chosen.anchors
    if manifest.is_file():
        anchors = json.loads(manifest.read_text(encoding="utf-8")).get("anchors", anchors)
    options = ort.SessionOptions()
    options.intra_op_num_threads = chosen.threads
    session = ort.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])

    def network(image: NDArray[np.float32]) -> Sequence[NDArray[np.float32]]:
        outputs: list[NDArray[np.float32]] = session.run(OUTPUTS, {"image": image})
        return outputs

    return network_detector(network, anchors, net_px=net_px, threshold=threshold, nms_thresh=chosen.nms_thresh)


def reader(config: Path | None, models: Path | None) -> Reader:
    """The reader with the models `craft` and `crnn` of that folder, or the shipped ones."""
    chosen = settings(config)
    folder = models or (Path(chosen.models) if chosen.models else packaged_models())
    try:
        loaded = load_reader(folder, chosen)
    except StartError as error:
        raise PartError(str(error)) from error

    def read(crop: Image) -> Sequence[Word]:
        return loaded.read([cv2.cvtColor(crop, cv2.COLOR_BGR2GRAY).astype(np.uint8, copy=False)])[0]

    return read
