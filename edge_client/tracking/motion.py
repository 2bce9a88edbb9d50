"""Boxes that move: overlap, and prediction with constant speed."""

from __future__ import annotations

import math
from dataclasses import dataclass

from cloud_apis.contract import PlateBox

Shape = tuple[float, float, float, float]
"""Centre x, centre y, width, height in pixels."""
PLATE_SLACK = 0.12
"""Part of a vehicle's width and height by which its box may fall short of its plate."""


def shape_of(box: PlateBox) -> Shape:
    """A box by its centre and size."""
    return (
        (box.xmin + box.xmax) / 2,
        (box.ymin + box.ymax) / 2,
        box.xmax - box.xmin,
        box.ymax - box.ymin,
    )


def overlap(a: Shape, b: Shape) -> float:
    """Intersection over union of two boxes, 0..1."""
    width = min(a[0] + a[2] / 2, b[0] + b[2] / 2) - max(a[0] - a[2] / 2, b[0] - b[2] / 2)
    height = min(a[1] + a[3] / 2, b[1] + b[3] / 2) - max(a[1] - a[3] / 2, b[1] - b[3] / 2)
    if width <= 0 or height <= 0:
        return 0.0
    both = width * height
    return both / (a[2] * a[3] + b[2] * b[3] - both)


def holds(shape: Shape, x: float, y: float, slack: float = 0.0) -> bool:
    """Whether a point lies in a box that is wider and higher by that part of its size on each side."""
    reach = 0.5 + slack
    return abs(x - shape[0]) <= reach * shape[2] and abs(y - shape[1]) <= reach * shape[3]


def jump(a: Shape, b: Shape) -> float:
    """Distance of the centres in widths of the wider box."""
    return math.hypot(a[0] - b[0], a[1] - b[1]) / max(a[2], b[2], 1.0)


def size_ratio(a: Shape, b: Shape) -> float:
    """How many times wider the wider of two boxes is, at least 1."""
    return max(a[2], b[2]) / max(min(a[2], b[2]), 1e-3)


@dataclass(frozen=True, slots=True)
class Motion:
    """Where a plate was at a time and how it moves: pixels and pixels per second."""

    shape: Shape
    rate: Shape
    at_s: float

    def predict(self, time_s: float) -> Shape:
        """Where it is at another time; its size never falls below one pixel nor doubles."""
        dt = time_s - self.at_s
        x, y, w, h = (value + rate * dt for value, rate in zip(self.shape, self.rate, strict=True))
        _, _, w0, h0 = self.shape
        return x, y, min(max(w, w0 / 2, 1.0), 2 * w0), min(max(h, h0 / 2, 1.0), 2 * h0)

    def observed(self, shape: Shape, time_s: float, trust: float) -> Motion:
        """The motion after a further observation; ``trust`` 0..1 is how much the newest speed counts."""
        dt = time_s - self.at_s
        if dt <= 0:
            return self
        rate = tuple(
            old * (1 - trust) + (new - before) / dt * trust
            for old, new, before in zip(self.rate, shape, self.shape, strict=True)
        )
        return Motion(shape, (rate[0], rate[1], rate[2], rate[3]), time_s)
