"""Features from the boxes of vehicles: how sure, how large, how much of the picture's border the largest touches."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from tools.dataset.scoring.finder import WANTED, Finder, Vehicle
from tools.dataset.scoring.scorer import Image

BORDER = 0.01
"""A box that comes so near to a side, as a share of the picture's, touches it."""
_BORDERS, _SHARE, _SCORE = 0, 1, 2


class VehicleFeatures:
    """What a detector says of the picture; a close view of a part is a box that leaves the picture on all sides."""

    name = "vehicles"
    count = 7

    def __init__(self, finder: Finder) -> None:
        self._finder = finder

    def of(self, image: Image) -> NDArray[np.float64]:
        height, width = image.shape[:2]
        found = [v for v in self._finder.find(image, b"") if v.label in WANTED]
        if not found:
            return np.zeros(self.count)
        largest = max(found, key=lambda v: v.score * v.area_px)
        share = largest.area_px / (width * height)
        borders = _borders(largest, width, height)
        score = max(v.score for v in found)
        return np.array([borders, share, score, largest.score, borders * share, share * largest.score, len(found)])

    def why(self, features: NDArray[np.float64]) -> str:
        return "detail" if features[_BORDERS] >= 3 and features[_SHARE] > 0.6 else "no car"


def _borders(vehicle: Vehicle, width_px: int, height_px: int) -> int:
    left, top, right, bottom = vehicle.corners
    near_x, near_y = BORDER * width_px, BORDER * height_px
    return (left <= near_x) + (top <= near_y) + (right >= width_px - near_x) + (bottom >= height_px - near_y)
