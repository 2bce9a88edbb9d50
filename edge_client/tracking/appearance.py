"""Whether two crops show the same plate, by their pixels alone.

Cheaper than a read by three orders of magnitude, it decides where places alone do not: frames far apart, plates
side by side. On drives at one frame a second 95 of 100 pairs of one plate in successive frames are more alike than
0.72, and 80 of 100 pairs of two plates less.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import cv2
import numpy as np
from numpy.typing import NDArray

from cloud_apis.contract import PlateBox
from edge_client.types import Image

Thumbnail = NDArray[np.float32]
"""A plate in grey, shape (12, 40)."""

_WIDTH_PX, _HEIGHT_PX = 40, 12
_SHIFT_X_PX, _SHIFT_Y_PX = 5, 2  # by how much boxes of one plate may lie differently


def thumbnails(image: Image, boxes: Sequence[PlateBox]) -> list[Thumbnail]:
    """One for each box, in their order; boxes are in pixels of the frame."""
    return [_thumbnail(image, box) for box in boxes]


def likeness(a: Thumbnail, b: Thumbnail) -> float:
    """The best normalised correlation over small shifts, -1..1; 0 where one of them shows nothing."""
    inner = b[_SHIFT_Y_PX:-_SHIFT_Y_PX, _SHIFT_X_PX:-_SHIFT_X_PX]
    if float(a.std()) < 1.0 or float(inner.std()) < 1.0:
        return 0.0
    best = float(cv2.matchTemplate(a, inner, cv2.TM_CCOEFF_NORMED).max())
    return best if math.isfinite(best) else 0.0


def _thumbnail(image: Image, box: PlateBox) -> Thumbnail:
    height, width = image.shape[:2]
    left, top = min(max(int(box.xmin), 0), width - 1), min(max(int(box.ymin), 0), height - 1)
    right, bottom = max(math.ceil(box.xmax), left + 1), max(math.ceil(box.ymax), top + 1)
    grey = cv2.cvtColor(image[top:bottom, left:right], cv2.COLOR_BGR2GRAY)
    return np.asarray(cv2.resize(grey, (_WIDTH_PX, _HEIGHT_PX), interpolation=cv2.INTER_AREA), np.float32)
