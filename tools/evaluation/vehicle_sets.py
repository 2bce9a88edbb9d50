"""The labelled pictures of vehicles: hand-made boxes, and cars that a person described."""

from __future__ import annotations

import json
from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np

from tools.evaluation.attributes import truth_of
from tools.evaluation.detection import Array

HAND_MADE: Final = ("highway", "traffic_camera")
LABELS: Final = ("colour", "type", "view", "make", "model")


@dataclass(frozen=True, slots=True)
class MarkedPicture:
    """A picture's file and its vehicles: (m, 5), xmin, ymin, xmax, ymax in pixels and the number of the class."""

    file: Path
    vehicles: Array


@dataclass(frozen=True, slots=True)
class LabelledCar:
    """A car's picture, its box (xmin, ymin, xmax, ymax in pixels), and what a person saw."""

    file: Path
    box: tuple[float, float, float, float]
    labels: dict[str, str]


def marked_pictures(root: Path, source: str, classes: Sequence[str], limit: int | None = None) -> list[MarkedPicture]:
    """The first pictures of a source's val split; classes are numbered as given. Raises OSError."""
    coco = json.loads((root / f"{source}_val.json").read_text(encoding="utf-8"))
    number = {category["id"]: list(classes).index(category["name"]) for category in coco["categories"]}
    rows: dict[int, list[list[float]]] = defaultdict(list)
    for annotation in coco["annotations"]:
        x, y, width, height = annotation["bbox"]
        rows[annotation["image_id"]].append([x, y, x + width, y + height, number[annotation["category_id"]]])
    return [
        MarkedPicture(root / record["file_name"], np.array(rows[record["id"]], np.float64).reshape(-1, 5))
        for record in coco["images"][:limit]
    ]


def labelled_cars(root: Path, limit: int | None = None) -> list[LabelledCar]:
    """The first cars of the val split that a person described. Raises OSError."""
    coco = json.loads((root / "attributes_val.json").read_text(encoding="utf-8"))
    files = {image["id"]: image["file_name"] for image in coco["images"]}
    return [
        LabelledCar(root / files[a["image_id"]], _corners(a["bbox"]), _known(a))
        for a in coco["annotations"]
        if _known(a)
    ][:limit]


def training_counts(root: Path) -> dict[str, Counter[str]]:
    """How many training pictures there are of each make and model. Raises OSError."""
    coco = json.loads((root / "attributes_train.json").read_text(encoding="utf-8"))
    return {
        head: Counter(truth for a in coco["annotations"] if (truth := truth_of(_known(a), head)))
        for head in ("make", "model")
    }


def _corners(bbox: Sequence[float]) -> tuple[float, float, float, float]:
    x, y, width, height = bbox
    return x, y, x + width, y + height


def _known(annotation: dict[str, object]) -> dict[str, str]:
    return {head: str(annotation[head]) for head in LABELS if annotation.get(head)}
