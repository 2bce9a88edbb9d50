"""The vehicle detector: pictures in, boxes with class and score out."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from cloud_apis.attributes.preprocess import MEAN, SPREAD
from cloud_apis.contract.vehicles import VehicleBox
from cloud_apis.errors import StartError
from cloud_apis.model_files import Manifest
from cloud_apis.session import Model, load_model
from cloud_apis.yolov3.detector import outputs_of, strides_of
from cloud_apis.yolov3.postprocess import ANCHORS_PER_SCALE, Candidates, best_boxes, decode
from cloud_apis.yolov3.preprocess import Letterbox, fit

MODEL: Final = "vehicles"
NET_PX: Final = 416


class VehicleDetector:
    """Finds vehicles with a YOLOv3 network; `find` may be called from several threads at once."""

    def __init__(self, model: Model, obj_thresh: float = 0.35, nms_thresh: float = 0.5, net_px: int = NET_PX) -> None:
        self.model = model
        self._labels, self._anchors = _trained(model.manifest)
        self._strides = strides_of(model.manifest)
        self._obj_thresh, self._nms_thresh, self._net_px = obj_thresh, nms_thresh, net_px

    @property
    def labels(self) -> tuple[str, ...]:
        """The classes in the network's order."""
        return self._labels

    def warm_up(self) -> None:
        """Run the network once, so that the first request finds it ready."""
        self.model.run(np.zeros((1, 3, self._net_px, self._net_px), np.float32))

    def find(self, picture: NDArray[np.uint8], obj_thresh: float | None = None) -> tuple[VehicleBox, ...]:
        """The vehicles of a picture, BGR uint8 (height, width, 3), best first, within the picture.

        `obj_thresh` is the least score (objectness times class) of a box; None: that of the detector.
        """
        box = fit(picture.shape[1], picture.shape[0], self._net_px, self._net_px)
        outputs = self.model.run(network_input(picture, box))
        least = self._obj_thresh if obj_thresh is None else obj_thresh
        candidates = decode(outputs, self._anchors, least, 0, self._strides)
        return _boxes(best_boxes(candidates, self._nms_thresh), box, self._labels)


def network_input(picture: NDArray[np.uint8], box: Letterbox) -> NDArray[np.float32]:
    """The input (1, 3, outer_height, outer_width) float32 of a BGR picture: RGB, (value - 127) / 128, padded with 0."""
    shrinks = picture.shape[0] > box.inner_height_px or picture.shape[1] > box.inner_width_px
    how = cv2.INTER_AREA if shrinks else cv2.INTER_LINEAR
    small = cv2.resize(picture, (box.inner_width_px, box.inner_height_px), interpolation=how)
    canvas = np.zeros((1, 3, box.outer_height_px, box.outer_width_px), np.float32)
    rows = slice(box.top_px, box.top_px + box.inner_height_px)
    columns = slice(box.left_px, box.left_px + box.inner_width_px)
    canvas[0, :, rows, columns] = (small[:, :, ::-1].transpose(2, 0, 1) - np.float32(MEAN)) / np.float32(SPREAD)
    return canvas


def _boxes(kept: Candidates, box: Letterbox, labels: Sequence[str]) -> tuple[VehicleBox, ...]:
    size = np.array([box.width_px, box.height_px] * 2, np.float32)
    corners = np.clip(box.to_picture(kept.corners), 0, size).astype(float).round(2).tolist()
    rows = zip(corners, kept.scores().tolist(), kept.classes.argmax(1).tolist(), strict=True)
    return tuple(
        VehicleBox(xmin, ymin, xmax, ymax, labels[number], round(score, 4))
        for (xmin, ymin, xmax, ymax), score, number in rows
        if xmin < xmax and ymin < ymax
    )


def _trained(manifest: Manifest) -> tuple[tuple[str, ...], NDArray[np.float32]]:
    scales = len(strides_of(manifest))
    if not manifest.labels:
        raise StartError(f"{manifest.name}.json names no labels")
    if manifest.anchors is None or len(manifest.anchors) != 2 * ANCHORS_PER_SCALE * scales:
        raise StartError(f"{manifest.name}.json: {scales} scales need {2 * ANCHORS_PER_SCALE * scales} anchors")
    return tuple(manifest.labels), np.array(manifest.anchors, np.float32).reshape(-1, 2)


def load_vehicle_detector(
    folder: Path,
    *,
    threads: int = 1,
    providers: Sequence[str] = (),
    obj_thresh: float = 0.35,
    nms_thresh: float = 0.5,
) -> VehicleDetector:
    """Load the model `vehicles` from a folder; raises `StartError`."""
    model = load_model(folder, MODEL, outputs_of, threads=threads, providers=providers)
    return VehicleDetector(model, obj_thresh, nms_thresh)
