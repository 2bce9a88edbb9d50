"""A small software renderer: meshes to per-pixel attributes.

Triangles are filled with their number by OpenCV; each pixel then looks up its triangle's plane equations, so
that normals and texture coordinates come out interpolated without a Python loop over pixels.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from tools.demo.canvas import Floats, f32

SHIFT = 4  # fractional bits of fillConvexPoly's coordinates


@dataclass(frozen=True, slots=True, eq=False)
class Covered:
    """What a mesh covers: flat pixel indices (n,) into the buffer and the attributes there (n, k)."""

    where: NDArray[np.intp]
    attributes: Floats


def rasterise(pixels: Floats, attributes: Floats, shape: tuple[int, int]) -> Covered:
    """Rasterises a grid of vertices: ``pixels`` (rows, columns, 2), ``attributes`` (rows, columns, k).

    Row by row, later rows over earlier ones; triangles that turn their back (counter-clockwise on the screen)
    are left out.
    """
    corners = np.stack(
        (
            np.stack((pixels[:-1, :-1], pixels[:-1, 1:], pixels[1:, 1:]), axis=2),
            np.stack((pixels[:-1, :-1], pixels[1:, 1:], pixels[1:, :-1]), axis=2),
        ),
        axis=2,
    ).reshape(-1, 3, 2)
    values = np.stack(
        (
            np.stack((attributes[:-1, :-1], attributes[:-1, 1:], attributes[1:, 1:]), axis=2),
            np.stack((attributes[:-1, :-1], attributes[1:, 1:], attributes[1:, :-1]), axis=2),
        ),
        axis=2,
    ).reshape(-1, 3, attributes.shape[-1])
    first = corners[:, 1] - corners[:, 0]
    second = corners[:, 2] - corners[:, 0]
    area = first[:, 0] * second[:, 1] - first[:, 1] * second[:, 0]
    kept = area > 1e-4
    corners, values, first, second, area = corners[kept], values[kept], first[kept], second[kept], area[kept]
    ids = np.zeros(shape, np.int32)
    fixed = np.round(corners * (1 << SHIFT)).astype(np.int32)
    for number, triangle in enumerate(fixed, start=1):
        cv2.fillConvexPoly(ids, triangle, number, cv2.LINE_8, SHIFT)
    where = np.flatnonzero(ids)
    chosen = ids.ravel()[where] - 1
    # attribute = a + gx * x + gy * y over each triangle
    rise1, rise2 = values[:, 1] - values[:, 0], values[:, 2] - values[:, 0]
    inverse = 1 / area[:, None]
    gx = (rise1 * second[:, 1:] - rise2 * first[:, 1:]) * inverse
    gy = (rise2 * first[:, :1] - rise1 * second[:, :1]) * inverse
    base = values[:, 0] - gx * corners[:, 0, :1] - gy * corners[:, 0, 1:]
    count = values.shape[-1]
    plane = f32(np.concatenate((base, gx, gy), axis=1))[chosen]
    y, x = np.divmod(where, shape[1])
    out = plane[:, :count] + plane[:, count : 2 * count] * f32(x)[:, None]
    out += plane[:, 2 * count :] * f32(y)[:, None]
    return Covered(where, out)
