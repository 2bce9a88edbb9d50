"""A small software renderer: a grid of vertices to per-pixel grid coordinates.

Triangles are filled with their number by OpenCV; each pixel then looks up its triangle's plane equations, which
give the place in the grid that it shows. Whatever is known at the vertices can then be interpolated with
``cv2.remap``, without a Python loop over pixels.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

import cv2
import numpy as np
from numpy.typing import NDArray

from tools.demo.canvas import Floats, f32

SHIFT = 4  # fractional bits of fillConvexPoly's coordinates


@dataclass(frozen=True, slots=True, eq=False)
class Covered:
    """What a mesh covers, all (height, width): ``mask`` 0 or 1, and the grid's column and row at each pixel."""

    mask: Floats
    column: Floats
    row: Floats


def rasterise(pixels: Floats, shape: tuple[int, int]) -> Covered | None:
    """Rasterises a grid of vertices ``pixels`` (rows, columns, 2) into a buffer of this shape.

    Row by row, later rows over earlier ones; triangles that turn their back (counter-clockwise on the screen)
    are left out. None when nothing is left.
    """
    corners = _triangles(pixels)
    first = corners[:, 1] - corners[:, 0]
    second = corners[:, 2] - corners[:, 0]
    area = first[:, 0] * second[:, 1] - first[:, 1] * second[:, 0]
    kept = area > 0.3  # slivers would only smear what lies beside them
    if not kept.any():
        return None
    corners, first, second, area = corners[kept], first[kept], second[kept], area[kept]
    places = _grid_triangles(pixels.shape[0], pixels.shape[1])[kept]
    ids = np.zeros(shape, np.int32)
    fixed = np.round(corners * (1 << SHIFT)).astype(np.int32)
    for number, triangle in enumerate(fixed, start=1):
        cv2.fillConvexPoly(ids, triangle, number, cv2.LINE_8, SHIFT)
    # place = base + gx * x + gy * y over each triangle
    rise1, rise2 = places[:, 1] - places[:, 0], places[:, 2] - places[:, 0]
    gx = (rise1 * second[:, 1:] - rise2 * first[:, 1:]) / area[:, None]
    gy = (rise2 * first[:, :1] - rise1 * second[:, :1]) / area[:, None]
    base = places[:, 0] - gx * corners[:, 0, :1] - gy * corners[:, 0, 1:]
    planes = np.zeros((6, len(corners) + 1), np.float32)
    planes[:, 1:] = np.concatenate((base, gx, gy), axis=1).T
    x = np.arange(shape[1], dtype=np.float32)[None, :]
    y = np.arange(shape[0], dtype=np.float32)[:, None]
    column = planes[0].take(ids) + planes[2].take(ids) * x + planes[4].take(ids) * y
    row = planes[1].take(ids) + planes[3].take(ids) * x + planes[5].take(ids) * y
    return Covered(f32(ids > 0), column, row)


def _triangles(values: NDArray[np.float32]) -> Floats:
    upper = np.stack((values[:-1, :-1], values[:-1, 1:], values[1:, 1:]), axis=2)
    lower = np.stack((values[:-1, :-1], values[1:, 1:], values[1:, :-1]), axis=2)
    return f32(np.stack((upper, lower), axis=2).reshape(-1, 3, 2))


@cache
def _grid_triangles(rows: int, columns: int) -> Floats:
    row, column = np.mgrid[0:rows, 0:columns].astype(np.float32)
    return _triangles(f32(np.stack((column, row), axis=-1)))
