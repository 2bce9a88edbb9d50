"""Running detector and reader over labelled pictures; what they answer goes to the figures' modules."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from typing import cast

import numpy as np
from numpy.typing import NDArray

from cloud_apis.contract import Quad, Word, plate_confidence, plate_text
from tools.evaluation.detection import (
    WIDTH_BUCKETS_PX,
    Array,
    Recall,
    above,
    average_precision,
    coco_average_precision,
    false_boxes_per_picture,
    recall,
    recall_by_width,
)
from tools.evaluation.reading import PlateReading
from tools.evaluation.sets import LabelledPicture, TranscribedCrop, try_picture
from tools.training.datasets.problems import Problems

Image = NDArray[np.uint8]
Detector = Callable[[Image], Array]
"""From a BGR picture (height, width, 3) to its boxes, (n, 5): corners in its pixels and score."""


@dataclass(frozen=True, slots=True)
class Read:
    """What was read of a plate: text, the plate's confidence, one confidence per character, corners of its lines.

    The corners are in pixels of the crop, or of the picture, that was looked at.
    """

    text: str
    confidence: float
    characters: tuple[float, ...]
    quads: tuple[Quad, ...] = ()


Reader = Callable[[Image], Read]
"""From a BGR crop to what stands on it."""


@dataclass(frozen=True, slots=True)
class DetectionFigures:
    """The figures of one set; the threshold's figures hold for boxes with `threshold` or more.

    `without_plates` counts pictures that show no plate, `false_without_plates` the false boxes on each of them.
    """

    pictures: int
    plates: int
    ap50: float
    ap50_95: float
    threshold: float
    recall: Recall
    recall_by_width: tuple[Recall, ...]
    false_boxes_per_picture: float
    without_plates: int
    false_without_plates: float


def read_of(words: Sequence[Word]) -> Read:
    """The read of a plate from its words, in reading order."""
    characters = tuple(c for w in words for c in w.confidences)
    return Read(plate_text(words), plate_confidence(words), characters, tuple(w.quad for w in words))


def detect_all(
    detector: Detector, pictures: Iterable[tuple[LabelledPicture, Image]]
) -> tuple[list[LabelledPicture], list[Array]]:
    """The pictures, and the detector's boxes in each, in the same order."""
    labelled, boxes = [], []
    for picture, image in pictures:
        labelled.append(picture)
        boxes.append(detector(image))
    return labelled, boxes


def detection_figures(
    pictures: Sequence[LabelledPicture], predictions: Sequence[Array], net_px: int, threshold: float
) -> DetectionFigures:
    """The figures for pictures that were fitted into a square of `net_px` pixels."""
    truths = [p.boxes for p in pictures]
    scales = [min(net_px / p.width_px, net_px / p.height_px) for p in pictures]
    sure = above(predictions, threshold)
    empty = [boxes for boxes, truth in zip(sure, truths, strict=True) if not len(truth)]
    return DetectionFigures(
        len(pictures),
        sum(len(t) for t in truths),
        average_precision(predictions, truths),
        coco_average_precision(predictions, truths),
        threshold,
        recall(sure, truths),
        recall_by_width(sure, truths, scales),
        false_boxes_per_picture(sure, truths),
        len(empty),
        sum(len(boxes) for boxes in empty) / len(empty) if empty else math.nan,
    )


def read_all(reader: Reader, crops: Iterable[TranscribedCrop], problems: Problems | None = None) -> list[PlateReading]:
    """What the reader reads on each crop, in the crops' order; crops that cannot be opened are noted and left out."""
    problems = problems or Problems()
    readings = []
    for crop in crops:
        image = try_picture(crop.path, crop.where, problems)
        if image is not None:
            readings.append(reading_of(str(crop.path), crop.source, crop.text, reader(image)))
    return readings


def reading_of(name: str, source: str, truth: str, read: Read) -> PlateReading:
    """The read beside the truth."""
    return PlateReading(name, source, truth, read.text, read.confidence, read.characters, read.quads)


def cut(image: Image, box: Array, margin: float) -> Image:
    """The box cut from the picture, widened by `margin` of its width and height on each side."""
    height, width = image.shape[:2]
    left, top = corner(box, margin)
    right, bottom = np.ceil(_widened(box, margin)[2:]).astype(int)
    return image[top : min(height, bottom), left : min(width, right)]


def corner(box: Array, margin: float) -> tuple[int, int]:
    """Where the crop that `cut` gives begins, x and y in pixels of the picture."""
    left, top = _widened(box, margin)[:2]
    return max(0, int(left)), max(0, int(top))


def _widened(box: Array, margin: float) -> Array:
    """The first four numbers of a box, xmin, ymin, xmax and ymax, with room around; a score may follow them."""
    grow = margin * (box[2:4] - box[:2])
    return np.concatenate((box[:2] - grow, box[2:4] + grow))


def moved(read: Read, x: float, y: float) -> Read:
    """The read with its lines' corners shifted by so many pixels."""
    quads = tuple(tuple((a + x, b + y) for a, b in quad) for quad in read.quads)
    return replace(read, quads=cast("tuple[Quad, ...]", quads))


def width_names() -> tuple[str, ...]:
    """Headings of `WIDTH_BUCKETS_PX`, as `<12`, `12–20`, …, `≥40`."""
    names = []
    for low, high in WIDTH_BUCKETS_PX:
        if low == 0:
            names.append(f"<{high:.0f}")
        else:
            names.append(f"≥{low:.0f}" if np.isinf(high) else f"{low:.0f}–{high:.0f}")
    return tuple(names)
