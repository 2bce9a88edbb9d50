"""Figures of plate detection: average precision, recall by size, false boxes. Pure functions over arrays.

A picture's predictions are one array of shape (n, 5): xmin, ymin, xmax, ymax, score; its truth is one array
of shape (m, 4): xmin, ymin, xmax, ymax, both in pixels of that picture. A data set is a sequence of such
arrays, one per picture, in the same order.

Average precision is the one of COCO (https://cocodataset.org/#detection-eval): greedy matching by falling
score, at most 100 boxes a picture, the precision made monotone and averaged over 101 recall levels (0, 0.01
… 1).
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]
MAX_BOXES: Final = 100
"""Most boxes of one picture that count, as in COCO."""
COCO_IOUS: Final = tuple(round(0.5 + 0.05 * i, 2) for i in range(10))
WIDTH_BUCKETS_PX: Final = ((0.0, 12.0), (12.0, 20.0), (20.0, 40.0), (40.0, math.inf))
"""Plate widths at the network's input, in pixels: from (included), to (excluded)."""


@dataclass(frozen=True, slots=True)
class Recall:
    """How many of so many plates were found."""

    found: int
    plates: int

    @property
    def rate(self) -> float:
        """Share found, 0..1; NaN where there was none to find."""
        return self.found / self.plates if self.plates else math.nan


def iou_matrix(a: Array, b: Array) -> Array:
    """Intersection over union of every box of a (n, 4) with every box of b (m, 4): shape (n, m), 0..1."""
    corner = np.minimum(a[:, None, 2:4], b[None, :, 2:4]) - np.maximum(a[:, None, :2], b[None, :, :2])
    common = np.prod(np.clip(corner, 0.0, None), axis=2)
    size_a = np.prod(np.clip(a[:, 2:4] - a[:, :2], 0.0, None), axis=1)
    size_b = np.prod(np.clip(b[:, 2:4] - b[:, :2], 0.0, None), axis=1)
    union: Array = size_a[:, None] + size_b[None, :] - common
    ratio: Array = np.divide(common, union, out=np.zeros_like(common), where=union > 0)
    return ratio


def match(predictions: Array, truth: Array, iou: float = 0.5) -> NDArray[np.int64]:
    """Which plate each prediction of one picture finds: its index, or -1 for a false box; shape (n,).

    By falling score, each prediction takes the plate not yet taken that it overlaps most, if by that much.
    """
    found = np.full(len(predictions), -1, dtype=np.int64)
    if not len(predictions) or not len(truth):
        return found
    overlaps = iou_matrix(predictions[:, :4], truth)
    for i in np.argsort(-predictions[:, 4], kind="stable"):
        best = int(np.argmax(overlaps[i]))
        if overlaps[i, best] >= iou:
            found[i] = best
            overlaps[:, best] = -1.0
    return found


def average_precision(predictions: Sequence[Array], truths: Sequence[Array], iou: float = 0.5) -> float:
    """COCO's 101-point average precision, 0..1; NaN when the set has no plate."""
    plates = sum(len(t) for t in truths)
    if not plates:
        return math.nan
    scores, hits = [], []
    for boxes, truth in zip(predictions, truths, strict=True):
        best = boxes[np.argsort(-boxes[:, 4], kind="stable")][:MAX_BOXES] if len(boxes) else boxes
        if len(best):
            scores.append(best[:, 4])
            hits.append(match(best, truth, iou) >= 0)
    if not scores:
        return 0.0
    order = np.argsort(-np.concatenate(scores), kind="stable")
    true_positives = np.cumsum(np.concatenate(hits)[order])
    recall = true_positives / plates
    precision = true_positives / np.arange(1, len(order) + 1)
    envelope = np.maximum.accumulate(precision[::-1])[::-1]
    at = np.searchsorted(recall, np.linspace(0.0, 1.0, 101), side="left")
    return float(np.append(envelope, 0.0)[np.minimum(at, len(envelope))].mean())


def coco_average_precision(predictions: Sequence[Array], truths: Sequence[Array]) -> float:
    """AP@0.5:0.95: the mean over the ten overlaps 0.5, 0.55 … 0.95."""
    return float(np.mean([average_precision(predictions, truths, iou) for iou in COCO_IOUS]))


def above(predictions: Sequence[Array], score: float) -> list[Array]:
    """The predictions with that score or more."""
    return [boxes[boxes[:, 4] >= score] if len(boxes) else boxes for boxes in predictions]


def recall_by_width(
    predictions: Sequence[Array], truths: Sequence[Array], scales: Sequence[float], iou: float = 0.5
) -> tuple[Recall, ...]:
    """Recall for each of `WIDTH_BUCKETS_PX`; a scale is network pixels per picture pixel, one per picture."""
    found = [0] * len(WIDTH_BUCKETS_PX)
    plates = [0] * len(WIDTH_BUCKETS_PX)
    for boxes, truth, scale in zip(predictions, truths, scales, strict=True):
        taken = set(match(boxes, truth, iou).tolist())
        for i, box in enumerate(truth):
            width = (box[2] - box[0]) * scale
            bucket = next(b for b, (low, high) in enumerate(WIDTH_BUCKETS_PX) if low <= width < high)
            plates[bucket] += 1
            found[bucket] += i in taken
    return tuple(Recall(f, p) for f, p in zip(found, plates, strict=True))


def recall(predictions: Sequence[Array], truths: Sequence[Array], iou: float = 0.5) -> Recall:
    """Recall over all plates, whatever their width."""
    found = sum(int((match(b, t, iou) >= 0).sum()) for b, t in zip(predictions, truths, strict=True))
    return Recall(found, sum(len(t) for t in truths))


def false_boxes_per_picture(predictions: Sequence[Array], truths: Sequence[Array], iou: float = 0.5) -> float:
    """Boxes that find no plate, per picture; NaN without pictures."""
    false = sum(int((match(b, t, iou) < 0).sum()) for b, t in zip(predictions, truths, strict=True))
    return false / len(truths) if truths else math.nan
