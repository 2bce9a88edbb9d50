"""Boxes of vehicles: by the detector `vehicles`, or as labels have them."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import numpy as np
from PIL import Image as Pictures

from cloud_apis.errors import StartError
from cloud_apis.model_files import packaged_models
from tools.dataset.errors import DatasetError
from tools.dataset.scoring.scorer import Image
from tools.training.datasets import coco
from tools.training.datasets.boxes import in_pixels
from tools.training.datasets.labels import LabelledPicture
from tools.training.datasets.pictures import Picture, orientation_of
from tools.training.datasets.problems import DataError, Problems

MODEL = "vehicles"
WANTED = ("car", "truck")


@dataclass(frozen=True, slots=True)
class Vehicle:
    """A vehicle in a picture: its class, score 0 to 1, and corners in pixels."""

    label: str
    score: float
    corners: tuple[float, float, float, float]

    @property
    def area_px(self) -> float:
        """Pixels within the box."""
        left, top, right, bottom = self.corners
        return max(0.0, right - left) * max(0.0, bottom - top)


class Finder(Protocol):
    """Finds the vehicles of a picture, BGR uint8 (H, W, 3), that lies at a path relative to the catalogue."""

    def find(self, image: Image, path: bytes) -> tuple[Vehicle, ...]: ...


class ModelFinder:
    """The detector `vehicles` of a folder of models."""

    def __init__(self, folder: Path | None = None, threshold: float = 0.25) -> None:
        """Raises DatasetError when onnxruntime or the model is not there, or the model is none of ours."""
        try:
            from cloud_apis.vehicles.detector import load_vehicle_detector  # all other steps do without onnxruntime

            self._detector = load_vehicle_detector(folder or packaged_models(), obj_thresh=threshold)
        except (StartError, ImportError) as error:
            raise DatasetError(f"the detector of vehicles cannot be used: {error}") from error

    def find(self, image: Image, path: bytes = b"") -> tuple[Vehicle, ...]:
        found = self._detector.find(image)
        return tuple(Vehicle(box.kind, box.score, (box.xmin, box.ymin, box.xmax, box.ymax)) for box in found)


class LabelFinder:
    """Boxes that a COCO file has, held in memory; its pictures are named relative to it.

    Boxes of a picture as it is stored are turned as its EXIF says, those of another size are scaled.
    """

    def __init__(self, root: Path, labels: Path) -> None:
        """Raises DatasetError when the file is no COCO."""
        self._root = os.fsencode(root.resolve())
        self._labelled: dict[bytes, LabelledPicture] = {}
        self._problems = Problems()
        try:
            for picture in coco.read(labels, self._problems):
                self._labelled[os.path.relpath(os.fsencode(picture.file.resolve()), self._root)] = picture
        except (DataError, OSError) as error:
            raise DatasetError(f"the boxes cannot be read: {error}") from error

    def find(self, image: Image, path: bytes) -> tuple[Vehicle, ...]:
        labelled = self._labelled.get(path)
        if labelled is None or not labelled.boxes:
            return ()
        with Pictures.open(os.fsdecode(os.path.join(self._root, path))) as opened:  # noqa: PTH118 bytes
            picture = Picture(image, opened.size, orientation_of(opened))
        boxes = in_pixels(labelled, np.array([box.corners for box in labelled.boxes]), picture, self._problems)
        return tuple(
            Vehicle(box.label, 1.0, (left, top, right, bottom))
            for box, (left, top, right, bottom) in zip(labelled.boxes, boxes.tolist(), strict=True)
        )


def lacking(folder: Path | None = None) -> str | None:
    """Why the detector cannot be used here, None where it can: onnxruntime or the model of this folder is not there."""
    try:
        import onnxruntime  # noqa: F401
    except ImportError as error:
        return f"onnxruntime cannot be imported ({error})"
    model = (folder or packaged_models()) / f"{MODEL}.onnx"
    return None if model.is_file() else f"there is no {model}"
