"""Quadrilaterals of lines from quadrilaterals of characters."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray


def line_quad(characters: NDArray[np.float32]) -> NDArray[np.float32]:
    """The quadrilateral around a line's characters, (4, 2) clockwise from the top left.

    ``characters`` is (n, 4, 2). Straight lines are fitted through the tops and the bottoms of the line's full-size
    characters (smaller raised ones would tilt them) and cut at the first and last characters' sides.
    """
    heights = np.linalg.norm(characters[:, 3] - characters[:, 0], axis=1)
    full = characters[heights >= 0.8 * heights.max()]
    top, bottom = full[:, :2].reshape(-1, 2), full[:, 2:].reshape(-1, 2)
    left = (characters[0, 0], characters[0, 3])
    right = (characters[-1, 1], characters[-1, 2])
    corners = [
        _cross(_fit(top), left),
        _cross(_fit(top), right),
        _cross(_fit(bottom), right),
        _cross(_fit(bottom), left),
    ]
    return np.array(corners, dtype=np.float32)


def _fit(points: NDArray[np.float32]) -> tuple[float, float]:
    x, y = points[:, 0].astype(np.float64), points[:, 1].astype(np.float64)
    spread = x - x.mean()
    slope = float((spread * (y - y.mean())).sum() / max(float((spread**2).sum()), 1e-6))
    return slope, float(y.mean() - slope * x.mean())


def _cross(line: tuple[float, float], side: tuple[NDArray[np.float32], NDArray[np.float32]]) -> tuple[float, float]:
    """Where y = slope * x + offset meets the infinite line through two points (mostly upright)."""
    slope, offset = line
    (x0, y0), (x1, y1) = side[0].tolist(), side[1].tolist()
    dx, dy = x1 - x0, y1 - y0
    divisor = dy - slope * dx
    if abs(divisor) < 1e-6:
        return x0, y0
    t = (slope * x0 + offset - y0) / divisor
    return x0 + t * dx, y0 + t * dy
