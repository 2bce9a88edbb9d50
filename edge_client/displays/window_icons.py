"""The signs of the in-car view as masks, drawn once per size with OpenCV and reduced so that edges are smooth."""

from __future__ import annotations

from functools import lru_cache

import cv2
import numpy as np
from numpy.typing import NDArray

from edge_client.displays.window_shapes import IconName

Mask = NDArray[np.uint8]
"""Opacity, uint8 (height, width)."""

_FINE = 8  # drawn so many times larger


@lru_cache(maxsize=64)
def icon(name: IconName, side_px: int) -> Mask:
    """The mask of a sign in a square of that side."""
    big = np.zeros((side_px * _FINE, side_px * _FINE), np.uint8)
    _Pen(big, side_px * _FINE).draw(name)
    return _reduced(big, side_px, side_px)


@lru_cache(maxsize=256)
def rounded(width_px: int, height_px: int, radius_px: int) -> Mask:
    """The mask of a rectangle with rounded corners."""
    mask = np.full((height_px, width_px), 255, np.uint8)
    r = min(radius_px, width_px // 2, height_px // 2)
    if r < 1:
        return mask
    corner = np.zeros((r * _FINE, r * _FINE), np.uint8)
    cv2.circle(corner, (r * _FINE, r * _FINE), r * _FINE, 255, cv2.FILLED)
    small = _reduced(corner, r, r)
    mask[:r, :r], mask[:r, -r:] = small, small[:, ::-1]
    mask[-r:, :r], mask[-r:, -r:] = small[::-1], small[::-1, ::-1]
    return mask


def _reduced(big: Mask, width: int, height: int) -> Mask:
    mask = np.asarray(cv2.resize(big, (width, height), interpolation=cv2.INTER_AREA), np.uint8)
    mask.setflags(write=False)
    return mask


class _Pen:
    """Draws in a square of side 1, origin at the top left."""

    def __init__(self, mask: Mask, side: int) -> None:
        self._mask = mask
        self._side = side

    def draw(self, name: IconName) -> None:
        match name:
            case "camera":
                self._box(0.02, 0.24, 0.70, 0.76, 0.10)
                self._area((0.74, 0.46), (0.98, 0.28), (0.98, 0.72), (0.74, 0.54))
            case "gps":
                self._dot(0.5, 0.38, 0.34)
                self._area((0.20, 0.54), (0.80, 0.54), (0.5, 1.0))
                self._dot(0.5, 0.38, 0.13, ink=0)
            case "network":
                for index, height in enumerate((0.28, 0.50, 0.72, 0.94)):
                    self._box(0.04 + 0.24 * index, 1 - height - 0.03, 0.21 + 0.24 * index, 0.97, 0.05)
            case "recording":
                self._dot(0.5, 0.5, 0.46)
                self._dot(0.5, 0.5, 0.36, ink=0)
                self._dot(0.5, 0.5, 0.26)
            case "lock":
                self._line(0.13, (0.28, 0.5), (0.28, 0.34), (0.36, 0.17), (0.5, 0.11), (0.64, 0.17), (0.72, 0.34),
                           (0.72, 0.5))  # fmt: skip
                self._box(0.14, 0.45, 0.86, 0.97, 0.08)
                self._dot(0.5, 0.66, 0.085, ink=0)
                self._line(0.08, (0.5, 0.68), (0.5, 0.83), ink=0)
            case "arrow":
                self._area((0.5, 0.02), (0.86, 0.96), (0.5, 0.76), (0.14, 0.96))
            case "bell":
                self._dot(0.5, 0.42, 0.32)
                self._area((0.18, 0.42), (0.82, 0.42), (0.96, 0.78), (0.04, 0.78))
                self._dot(0.5, 0.86, 0.11)
                self._dot(0.5, 0.10, 0.08)
            case "warning":
                self._area((0.5, 0.04), (1.0, 0.94), (0.0, 0.94))
                self._line(0.11, (0.5, 0.38), (0.5, 0.62), ink=0)
                self._dot(0.5, 0.79, 0.07, ink=0)

    def _point(self, x: float, y: float) -> tuple[int, int]:
        return round(x * self._side), round(y * self._side)

    def _dot(self, x: float, y: float, radius: float, ink: int = 255) -> None:
        cv2.circle(self._mask, self._point(x, y), round(radius * self._side), ink, cv2.FILLED)

    def _area(self, *points: tuple[float, float]) -> None:
        corners = np.array([self._point(x, y) for x, y in points], np.int32)
        cv2.fillPoly(self._mask, [corners], 255)

    def _line(self, thick: float, *points: tuple[float, float], ink: int = 255) -> None:
        corners = np.array([self._point(x, y) for x, y in points], np.int32)
        cv2.polylines(self._mask, [corners], False, ink, max(1, round(thick * self._side)), cv2.LINE_AA)

    def _box(self, left: float, top: float, right: float, bottom: float, radius: float) -> None:
        (x0, y0), (x1, y1) = self._point(left, top), self._point(right, bottom)
        r = max(1, round(radius * self._side))
        cv2.rectangle(self._mask, (x0 + r, y0), (x1 - r, y1), 255, cv2.FILLED)
        cv2.rectangle(self._mask, (x0, y0 + r), (x1, y1 - r), 255, cv2.FILLED)
        for x in (x0 + r, x1 - r):
            for y in (y0 + r, y1 - r):
                cv2.circle(self._mask, (x, y), r, 255, cv2.FILLED)
