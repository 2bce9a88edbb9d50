"""The detector: bytes of pictures in, plate boxes out."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from cloud_apis.contract import PlateBox
from cloud_apis.errors import ApiError, StartError
from cloud_apis.images import decode_grey, inspect
from cloud_apis.model_files import Manifest
from cloud_apis.session import Model, load_model
from cloud_apis.settings import YoloV3Settings
from cloud_apis.yolov3.postprocess import ANCHORS_PER_SCALE, STRIDES, best_boxes, decode
from cloud_apis.yolov3.preprocess import Letterbox, fit, network_input


def strides_of(manifest: Manifest) -> tuple[int, ...]:
    """Pixels per cell of the model's scales, finest first; the original's three where the manifest is silent."""
    return tuple(manifest.strides or STRIDES)


def outputs_of(manifest: Manifest) -> tuple[str, ...]:
    """Names of the model's outputs, one for each stride: p8, p16, p32."""
    return tuple(f"p{stride}" for stride in strides_of(manifest))


class Detector:
    """Finds plates with a YOLOv3 network."""

    def __init__(self, model: Model, settings: YoloV3Settings) -> None:
        self.model = model
        self._settings = settings
        self._strides = strides_of(model.manifest)
        self._check()
        self._anchors = np.array(settings.anchors or model.manifest.anchors, np.float32).reshape(-1, 2)

    def warm_up(self) -> None:
        """Run the network once, so that the first request finds it ready."""
        self.model.run(np.zeros((1, 1, self._settings.net_h, self._settings.net_w), np.float32))

    def detect(self, pictures: Sequence[bytes]) -> list[tuple[PlateBox, ...] | Exception]:
        """Boxes per JPEG or PNG, best first, in its pixels; in the place of one that cannot be taken, why."""
        inputs: list[tuple[Letterbox, NDArray[np.float32]] | ApiError] = []
        for data in pictures:
            try:
                inputs.append(self._prepare(data))
            except ApiError as error:
                inputs.append(error)
        boxes = iter(self._run([i for i in inputs if not isinstance(i, ApiError)]))
        return [i if isinstance(i, ApiError) else next(boxes) for i in inputs]

    def find(self, grey: NDArray[np.uint8]) -> tuple[PlateBox, ...]:
        """Boxes in one decoded picture, uint8 (height, width), best first."""
        box = fit(grey.shape[1], grey.shape[0], self._settings.net_w, self._settings.net_h)
        return self._run([(box, network_input(grey, box))])[0]

    def _prepare(self, data: bytes) -> tuple[Letterbox, NDArray[np.float32]]:
        info = inspect(data)
        box = fit(info.width_px, info.height_px, self._settings.net_w, self._settings.net_h)
        grey = decode_grey(data, info, (box.inner_width_px, box.inner_height_px))
        return box, network_input(grey, box)

    def _run(self, inputs: Sequence[tuple[Letterbox, NDArray[np.float32]]]) -> list[tuple[PlateBox, ...]]:
        found: dict[int, tuple[PlateBox, ...]] = {}
        by_shape: dict[tuple[int, ...], list[int]] = defaultdict(list)
        for i, (_, image) in enumerate(inputs):
            by_shape[image.shape].append(i)
        for same in by_shape.values():
            outputs = self.model.run(np.stack([inputs[i][1] for i in same]))
            found |= {i: self._boxes(outputs, item, inputs[i][0]) for item, i in enumerate(same)}
        return [found[i] for i in range(len(inputs))]

    def _boxes(self, outputs: Sequence[NDArray[np.float32]], item: int, box: Letterbox) -> tuple[PlateBox, ...]:
        candidates = decode(outputs, self._anchors, self._settings.obj_thresh, item, self._strides)
        kept = best_boxes(candidates, self._settings.nms_thresh)
        size = np.array([box.width_px, box.height_px] * 2, np.float32)
        corners = np.clip(box.to_picture(kept.corners), 0, size)
        rows = zip(
            corners.astype(float).round(2).tolist(),
            kept.objectness.tolist(),
            kept.classes.tolist(),
            strict=True,
        )
        return tuple(
            PlateBox(xmin, ymin, xmax, ymax, round(objectness, 5), tuple(round(c, 5) for c in classes))
            for (xmin, ymin, xmax, ymax), objectness, classes in rows
            if xmin < xmax and ymin < ymax
        )

    def _check(self) -> None:
        settings, manifest = self._settings, self.model.manifest
        labels = settings.labels or manifest.labels
        if labels is None:
            raise StartError("yolov3.labels is needed: the model's manifest names none")
        channels = ANCHORS_PER_SCALE * (5 + len(labels))
        for name in outputs_of(manifest):
            declared = self.model.output_shape(name)
            if len(declared) != 4 or declared[1] not in (channels, -1):
                raise StartError(
                    f"yolov3.labels has {len(labels)} names, which needs {channels} channels; "
                    f"the model's output {name} has the shape {declared}"
                )
        for key, trained in (("labels", manifest.labels), ("anchors", manifest.anchors)):
            chosen = getattr(settings, key)
            if trained is not None and chosen is not None and trained != chosen:
                raise StartError(f"yolov3.{key} must be {trained}, as the model was trained")
        anchors = settings.anchors or manifest.anchors
        if anchors is None:
            raise StartError("yolov3.anchors is needed: the model's manifest names none")
        if len(anchors) != 2 * ANCHORS_PER_SCALE * len(self._strides):
            raise StartError(
                f"yolov3.anchors has {len(anchors)} numbers; the model's {len(self._strides)} scales "
                f"need {2 * ANCHORS_PER_SCALE * len(self._strides)}"
            )


def load_detector(folder: Path, settings: YoloV3Settings) -> Detector:
    """Load the model `yolov3` from a folder; raises `StartError`."""
    model = load_model(folder, "yolov3", outputs_of, threads=settings.threads, providers=settings.providers)
    return Detector(model, settings)
