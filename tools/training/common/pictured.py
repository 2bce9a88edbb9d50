"""The transcribed plates once more, as the detection sets' pictures show them: smaller, and compressed again.

The crops of ``texts.csv`` were cut from the photos at their full size; a detector's crops come from pictures as they
are sent. What a plate looks like there, after another reduction and another JPEG, no made-up blur imitates well.
"""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Sequence
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from tools.training.common.crops import RealCrop

MARGIN_X, MARGIN_Y = 0.1, 0.2
"""Room around the labelled box in the crops of ``texts.csv``, as parts of its width and height on each side."""
LEAST_LIKENESS = 0.85
MUCH_SMALLER = 0.9
Grey = NDArray[np.uint8]


def pictured(root: Path, crops: Sequence[RealCrop]) -> list[RealCrop]:
    """The same plates cut from the pictures of ``root/plates/<source>_train.json``, where those are smaller.

    A plate is taken when its text stands once in its source and the two pictures of it agree (correlation of grey
    values). Name, text and lines are the crop's; ``scale`` is relative to the crop at its full size.
    """
    found = []
    by_source: dict[str, list[RealCrop]] = defaultdict(list)
    for crop in crops:
        by_source[crop.source].append(crop)
    for source, own in by_source.items():
        labels = root / "plates" / f"{source}_train.json"
        if labels.exists():
            found += _of_source(labels, own)
    return found


def _of_source(labels: Path, crops: Sequence[RealCrop]) -> list[RealCrop]:
    coco = json.loads(labels.read_text(encoding="utf-8"))
    files = {picture["id"]: picture["file_name"] for picture in coco["images"]}
    places: dict[str, list[tuple[str, list[float]]]] = defaultdict(list)
    for annotation in coco["annotations"]:
        if annotation.get("text"):
            places[annotation["text"]].append((files[annotation["image_id"]], annotation["bbox"]))
    found = []
    for crop in crops:
        if len(places[crop.text]) != 1:
            continue
        file_name, box = places[crop.text][0]
        picture = cv2.imread(str(labels.parent / file_name), cv2.IMREAD_GRAYSCALE)
        if picture is None:
            continue
        small = cut(np.asarray(picture, np.uint8), box)
        scale = small.shape[1] / (crop.image.shape[1] / crop.scale)
        if scale < MUCH_SMALLER and min(small.shape) >= 8 and likeness(small, crop.image) >= LEAST_LIKENESS:
            found.append(RealCrop(crop.file_name, crop.text, crop.source, small, scale))
    return found


def cut(picture: Grey, box: Sequence[float]) -> Grey:
    """The labelled box (x, y, width, height in pixels) with the transcribed crops' margins, within the picture."""
    x, y, width, height = box
    left, right = max(0, round(x - MARGIN_X * width)), round(x + (1 + MARGIN_X) * width)
    top, bottom = max(0, round(y - MARGIN_Y * height)), round(y + (1 + MARGIN_Y) * height)
    return picture[top:bottom, left:right]


def likeness(small: Grey, large: Grey) -> float:
    """Correlation of the grey values of two pictures, the larger one reduced to the smaller one's size: -1..1."""
    height, width = small.shape
    reduced = cv2.resize(large, (width, height), interpolation=cv2.INTER_AREA)
    a, b = small.astype(np.float64) - small.mean(), reduced.astype(np.float64) - reduced.mean()
    return float((a * b).sum() / max(1e-9, np.sqrt((a * a).sum() * (b * b).sum())))
