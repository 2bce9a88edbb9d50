"""Whether two crops show the same plate, by their pixels alone.

Cheaper than a read by far, it decides where places alone do not: frames far apart, plates side by side. On drives at
one frame a second, three of four pairs of one plate in successive frames are more alike than 0.87, and of two plates
seen in the same minute one pair in twenty.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from cloud_apis.contract import PlateBox
from edge_client.types import Image

_WIDTH_PX, _HEIGHT_PX = 64, 16
_SLACK = 0.2  # around the plate, as part of its size: boxes of one plate lie differently
_SCALES = (0.88, 1.0, 1.12)
_FLAT = 1.0  # standard deviation of a grey picture that shows nothing


@dataclass(frozen=True, slots=True, eq=False)
class Thumbnail:
    """A plate in grey, float32: by itself, shape (16, 64), and with some room around it."""

    plate: NDArray[np.float32]
    around: NDArray[np.float32]


def thumbnails(image: Image, boxes: Sequence[PlateBox]) -> list[Thumbnail]:
    """One for each box, in their order; boxes are in pixels of the frame."""
    return [_thumbnail(image, box) for box in boxes]


def likeness(a: Thumbnail, b: Thumbnail) -> float | None:
    """The best normalised correlation over small shifts and scales, -1..1; None where one of them shows nothing."""
    if float(a.plate.std()) < _FLAT or float(b.plate.std()) < _FLAT:
        return None
    return max(_found(a, b), _found(b, a))


def most_alike(looks: Iterable[Thumbnail], look: Thumbnail, enough: float) -> float | None:
    """How alike the most similar of several looks is, at least ``enough`` if one is; None if nothing tells."""
    best: float | None = None
    for known in looks:
        alike = likeness(known, look)
        if alike is not None and (best is None or alike > best):
            best = alike
        if best is not None and best >= enough:
            break
    return best


def _found(where: Thumbnail, what: Thumbnail) -> float:
    best = -1.0
    for scale in _SCALES:
        size = round(_WIDTH_PX * scale), round(_HEIGHT_PX * scale)
        plate = cv2.resize(what.plate, size) if scale != 1.0 else what.plate
        correlation = float(cv2.matchTemplate(where.around, plate, cv2.TM_CCOEFF_NORMED).max())
        if math.isfinite(correlation):
            best = max(best, correlation)
    return best


def _thumbnail(image: Image, box: PlateBox) -> Thumbnail:
    dx, dy = (box.xmax - box.xmin) * _SLACK, (box.ymax - box.ymin) * _SLACK
    around = PlateBox(box.xmin - dx, box.ymin - dy, box.xmax + dx, box.ymax + dy, 0.0, ())
    factor = 1 + 2 * _SLACK
    return Thumbnail(_cut(image, box, 1.0), _cut(image, around, factor))


def _cut(image: Image, box: PlateBox, factor: float) -> NDArray[np.float32]:
    """The box's part of the picture, whose rim goes on beyond its edge."""
    height, width = image.shape[:2]
    left, top, right, bottom = (
        math.floor(box.xmin),
        math.floor(box.ymin),
        math.ceil(box.xmax),
        math.ceil(box.ymax),
    )
    columns = np.clip(np.arange(left, max(right, left + 1)), 0, width - 1)
    rows = np.clip(np.arange(top, max(bottom, top + 1)), 0, height - 1)
    part = image[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]
    grey = cv2.cvtColor(part, cv2.COLOR_BGR2GRAY)
    if left < 0 or top < 0 or right > width or bottom > height:
        grey = grey[np.ix_(rows - rows[0], columns - columns[0])]
    size = round(_WIDTH_PX * factor), round(_HEIGHT_PX * factor)
    return np.asarray(cv2.resize(grey, size, interpolation=cv2.INTER_AREA), np.float32)
