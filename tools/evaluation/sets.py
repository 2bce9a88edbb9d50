"""The labelled photos: COCO detection sets per source, and the transcribed crops of plates."""

from __future__ import annotations

import csv
import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from tools.evaluation.detection import Array

DETECTION_SOURCES: Final = ("ro_dashcam", "open_lpr", "openimages", "roboflow_experiment_plates")
"""Sources that have a `val` split."""


@dataclass(frozen=True, slots=True, eq=False)
class LabelledPicture:
    """A photo and its plates.

    `boxes` is float64 of shape (m, 4): xmin, ymin, xmax, ymax in pixels of the stored picture; plates that
    nobody can read are among them. `texts` has one entry per box: its transcription, or None.
    """

    path: Path
    source: str
    width_px: int
    height_px: int
    boxes: Array
    texts: tuple[str | None, ...]


@dataclass(frozen=True, slots=True)
class TranscribedCrop:
    """A plate cut from a photo at full resolution, with what stands on it."""

    path: Path
    source: str
    text: str


def load_pictures(root: Path, source: str, split: str) -> tuple[LabelledPicture, ...]:
    """The pictures of one COCO set, by file name. Raises FileNotFoundError that names the missing set."""
    annotations = root / "plates" / f"{source}_{split}.json"
    if not annotations.is_file():
        raise FileNotFoundError(f"no such data set: {annotations}")
    coco = json.loads(annotations.read_text(encoding="utf-8"))
    per_image: dict[int, list[dict[str, object]]] = {}
    for annotation in coco["annotations"]:
        per_image.setdefault(annotation["image_id"], []).append(annotation)
    pictures = []
    for image in sorted(coco["images"], key=lambda i: str(i["file_name"])):
        plates = per_image.get(image["id"], [])
        boxes = np.array([p["bbox"] for p in plates], dtype=np.float64).reshape(-1, 4)
        boxes[:, 2:] += boxes[:, :2]
        texts = tuple(str(p["text"]) if "text" in p else None for p in plates)
        path = root / "plates" / image["file_name"]
        pictures.append(LabelledPicture(path, source, image["width"], image["height"], boxes, texts))
    return tuple(pictures)


def load_crops(root: Path, split: str, sources: Sequence[str] = ()) -> tuple[TranscribedCrop, ...]:
    """The transcribed crops of a split, of all sources when none is named."""
    with (root / "plates" / "texts.csv").open(encoding="utf-8", newline="") as file:
        return tuple(
            TranscribedCrop(root / "plates" / row["file_name"], row["source"], row["text"])
            for row in csv.DictReader(file)
            if row["split"] == split and (not sources or row["source"] in sources)
        )


def read_picture(path: Path) -> NDArray[np.uint8]:
    """The picture as uint8 BGR (height, width, 3). Raises OSError when it cannot be read."""
    image = cv2.imread(str(path), cv2.IMREAD_COLOR)
    if image is None:
        raise OSError(f"cannot read the picture {path}")
    return np.asarray(image, dtype=np.uint8)
