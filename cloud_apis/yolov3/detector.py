"""The detector: bytes of pictures in, plate boxes out."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from cloud_apis.contract import PlateBox
from cloud_apis.errors import ApiError, StartError
from cloud_apis.images import decode_bgr, decode_grey, inspect
from cloud_apis.session import Model, load_model
from cloud_apis.settings import YoloV3Settings
from cloud_apis.yolov3.postprocess import ANCHORS_PER_SCALE, decode, suppress
from cloud_apis.yolov3.preprocess import Letterbox, fit, network_input

OUTPUTS = ("p8", "p16", "p32")


@dataclass(frozen=True, slots=True)
class DetectionRequest:
    """A JPEG or PNG to look at; with `keep_picture` the decoded picture comes back with the boxes."""

    data: bytes
    keep_picture: bool = False


@dataclass(frozen=True, slots=True, eq=False)
class Detection:
    """Boxes in pixels of the picture, best first; the picture, uint8 BGR (height, width, 3), if asked for."""

    boxes: tuple[PlateBox, ...]
    picture: NDArray[np.uint8] | None = None


class Detector:
    """Finds plates with a YOLOv3 network."""

    def __init__(self, model: Model, settings: YoloV3Settings) -> None:
        self._check(model, settings)
        self.model = model
        self._settings = settings
        self._anchors = np.array(settings.anchors, np.float32).reshape(9, 2)

    def warm_up(self) -> None:
        """Run the network once, so that the first request finds it ready."""
        self.model.run(np.zeros((1, 1, self._settings.net_h, self._settings.net_w), np.float32))

    def detect(self, requests: Sequence[DetectionRequest]) -> list[Detection | Exception]:
        """Detections in the order asked; a picture that cannot be taken gives its `ApiError` in its place."""
        results: list[Detection | Exception | None] = [None] * len(requests)
        pictures: dict[int, NDArray[np.uint8] | None] = {}
        by_shape: dict[tuple[int, int], list[tuple[int, Letterbox, NDArray[np.float32]]]] = defaultdict(list)
        for i, request in enumerate(requests):
            try:
                picture, box, image = self._prepare(request)
            except ApiError as error:
                results[i] = error
                continue
            pictures[i] = picture
            by_shape[box.outer_height_px, box.outer_width_px].append((i, box, image))
        for same in by_shape.values():
            outputs = self.model.run(np.stack([image for _, _, image in same]))
            for item, (i, box, _) in enumerate(same):
                results[i] = Detection(self._boxes(outputs, item, box), pictures[i])
        return [r for r in results if r is not None]

    def _prepare(
        self, request: DetectionRequest
    ) -> tuple[NDArray[np.uint8] | None, Letterbox, NDArray[np.float32]]:
        info = inspect(request.data)
        box = fit(info.width_px, info.height_px, self._settings.net_w, self._settings.net_h)
        if request.keep_picture:
            picture = decode_bgr(request.data, info)
            grey = cv2.cvtColor(picture, cv2.COLOR_BGR2GRAY).astype(np.uint8, copy=False)
            return picture, box, network_input(grey, box)
        grey = decode_grey(request.data, info, (box.inner_width_px, box.inner_height_px))
        return None, box, network_input(grey, box)

    def _boxes(
        self, outputs: Sequence[NDArray[np.float32]], item: int, box: Letterbox
    ) -> tuple[PlateBox, ...]:
        candidates = decode(outputs, self._anchors, self._settings.obj_thresh, item)
        kept = candidates.take(suppress(candidates.corners, self._settings.nms_thresh))
        size = np.array([box.width_px, box.height_px] * 2, np.float32)
        corners = np.clip(box.to_picture(kept.corners), 0, size)
        rows = zip(
            corners.round(2).astype(float).tolist(),
            kept.objectness.tolist(),
            kept.classes.tolist(),
            strict=True,
        )
        return tuple(
            PlateBox(xmin, ymin, xmax, ymax, round(objectness, 5), tuple(round(c, 5) for c in classes))
            for (xmin, ymin, xmax, ymax), objectness, classes in rows
            if xmin < xmax and ymin < ymax
        )

    @staticmethod
    def _check(model: Model, settings: YoloV3Settings) -> None:
        channels = ANCHORS_PER_SCALE * (5 + len(settings.labels))
        for name in OUTPUTS:
            declared = model.output_shape(name)
            if len(declared) != 4 or declared[1] not in (channels, -1):
                raise StartError(
                    f"yolov3.labels has {len(settings.labels)} names, which needs {channels} channels; "
                    f"the model's output {name} has the shape {declared}"
                )
        for key, trained in (("labels", model.manifest.labels), ("anchors", model.manifest.anchors)):
            if trained is not None and trained != getattr(settings, key):
                raise StartError(f"yolov3.{key} must be {trained}, as the model was trained")


def load_detector(folder: Path, settings: YoloV3Settings) -> Detector:
    """Load the model `yolov3` from a folder; raises `StartError`."""
    model = load_model(folder, "yolov3", OUTPUTS, threads=settings.threads, providers=settings.providers)
    return Detector(model, settings)
