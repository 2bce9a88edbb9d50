"""Running detector and reader over labelled pictures; what they answer goes to the figures' modules."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from cloud_apis.contract import Word
from tools.evaluation.detection import (
    WIDTH_BUCKETS_PX,
    Array,
    Recall,
    above,
    average_precision,
    coco_average_precision,
    false_boxes_per_picture,
    match,
    recall,
    recall_by_width,
)
from tools.evaluation.reading import PlateReading
from tools.evaluation.sets import LabelledPicture, TranscribedCrop, read_picture

Image = NDArray[np.uint8]
Detector = Callable[[Image], Array]
"""From a BGR picture (height, width, 3) to its boxes, (n, 5): corners in its pixels and score."""
Reader = Callable[[Image], Sequence[Word]]
"""From a BGR crop to its words, in reading order."""


@dataclass(frozen=True, slots=True)
class DetectionFigures:
    """The figures of one set; the threshold's figures hold for boxes with `threshold` or more."""

    pictures: int
    plates: int
    ap50: float
    ap50_95: float
    threshold: float
    recall: Recall
    recall_by_width: tuple[Recall, ...]
    false_boxes_per_picture: float


@dataclass(frozen=True, slots=True)
class EndToEndFigures:
    """What becomes of the transcribed plates when detector and reader work on whole pictures.

    `exact` of `found` of `plates` were read exactly; of the `shown` reads at or above the confidence
    threshold, `wrong` read a transcribed plate otherwise than it is.
    """

    pictures: int
    plates: int
    found: int
    exact: int
    shown: int
    wrong: int


def detect_all(detector: Detector, pictures: Iterable[LabelledPicture]) -> list[Array]:
    """The detector's boxes in each picture, in the pictures' order."""
    return [detector(read_picture(picture.path)) for picture in pictures]


def detection_figures(
    pictures: Sequence[LabelledPicture], predictions: Sequence[Array], net_px: int, threshold: float
) -> DetectionFigures:
    """The figures for pictures that were fitted into a square of `net_px` pixels."""
    truths = [p.boxes for p in pictures]
    scales = [min(net_px / p.width_px, net_px / p.height_px) for p in pictures]
    sure = above(predictions, threshold)
    return DetectionFigures(
        len(pictures),
        sum(len(t) for t in truths),
        average_precision(predictions, truths),
        coco_average_precision(predictions, truths),
        threshold,
        recall(sure, truths),
        recall_by_width(sure, truths, scales),
        false_boxes_per_picture(sure, truths),
    )


def read_all(reader: Reader, crops: Iterable[TranscribedCrop]) -> list[PlateReading]:
    """What the reader reads on each crop, in the crops' order."""
    readings = []
    for crop in crops:
        words = reader(read_picture(crop.path))
        text, confidence = joined(words)
        readings.append(PlateReading(str(crop.path), crop.source, crop.text, text, confidence))
    return readings


def joined(words: Sequence[Word]) -> tuple[str, float]:
    """The text of a plate from its words, and the least confidence over its characters (0 without any)."""
    return "".join(w.text for w in words), min((w.confidence for w in words if w.text), default=0.0)


def cut(image: Image, box: Array, margin: float) -> Image:
    """The box cut from the picture, widened by `margin` of its width and height on each side."""
    height, width = image.shape[:2]
    grow_x, grow_y = margin * (box[2] - box[0]), margin * (box[3] - box[1])
    left, right = max(0, int(box[0] - grow_x)), min(width, int(np.ceil(box[2] + grow_x)))
    top, bottom = max(0, int(box[1] - grow_y)), min(height, int(np.ceil(box[3] + grow_y)))
    return image[top:bottom, left:right]


def end_to_end(
    detector: Detector,
    reader: Reader,
    pictures: Iterable[LabelledPicture],
    *,
    box_threshold: float,
    read_threshold: float,
    margin: float,
) -> EndToEndFigures:
    """Detects, cuts and reads every transcribed plate of the pictures."""
    count = plates = found = exact = shown = wrong = 0
    for picture in pictures:
        count += 1
        plates += sum(t is not None for t in picture.texts)
        image = read_picture(picture.path)
        boxes = detector(image)
        boxes = boxes[boxes[:, 4] >= box_threshold]
        for box, plate in zip(boxes, match(boxes, picture.boxes).tolist(), strict=True):
            truth = picture.texts[plate] if plate >= 0 else None
            if truth is None:
                continue
            text, confidence = joined(reader(cut(image, box, margin)))
            reading = PlateReading(str(picture.path), picture.source, truth, text, confidence)
            found += 1
            exact += reading.exact
            if confidence >= read_threshold:
                shown += 1
                wrong += not reading.exact
    return EndToEndFigures(count, plates, found, exact, shown, wrong)


def width_names() -> tuple[str, ...]:
    """Headings of `WIDTH_BUCKETS_PX`, as `<12`, `12–20`, …, `≥40`."""
    names = []
    for low, high in WIDTH_BUCKETS_PX:
        if low == 0:
            names.append(f"<{high:.0f}")
        else:
            names.append(f"≥{low:.0f}" if np.isinf(high) else f"{low:.0f}–{high:.0f}")
    return tuple(names)
