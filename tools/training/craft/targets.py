"""Gaussian region and affinity maps from character quads, as the CRAFT paper defines them."""

from __future__ import annotations

from collections.abc import Sequence

import cv2
import numpy as np
from numpy.typing import NDArray

from cloud_apis.craft.postprocess import SIGMA, STRIDE
from cloud_apis.craft.preprocess import HEIGHT_PX, WIDTH_PX
from tools.training.synthetic.geometry import line_quad

MAP_HEIGHT, MAP_WIDTH = HEIGHT_PX // STRIDE, WIDTH_PX // STRIDE
_Y, _X = np.mgrid[0:MAP_HEIGHT, 0:MAP_WIDTH].astype(np.float32)


def affinity_quads(characters: NDArray[np.float32]) -> NDArray[np.float32]:
    """Boxes that link neighbours: corners are the centres of each character's upper and lower triangles.

    ``characters`` is (n, 4, 2) in reading order; returns (n - 1, 4, 2).
    """
    centres = characters.mean(axis=1)
    upper = (characters[:, 0] + characters[:, 1] + centres) / 3
    lower = (characters[:, 2] + characters[:, 3] + centres) / 3
    return np.stack([upper[:-1], upper[1:], lower[1:], lower[:-1]], axis=1)


def levelled(characters: NDArray[np.float32]) -> NDArray[np.float32]:
    """A line's characters (n, 4, 2), all made as tall as the line where small ones (a raised year) stand among them.

    The line's quad follows from moments of the region map, which small characters would bend.
    """
    heights = np.linalg.norm(characters[:, 3] - characters[:, 0], axis=1)
    if heights.min() >= 0.8 * heights.max():
        return characters
    unit = np.array([[0, 0], [1, 0], [1, 1], [0, 1]], np.float32)
    matrix = cv2.getPerspectiveTransform(line_quad(characters), unit)
    inside = cv2.perspectiveTransform(characters.reshape(-1, 1, 2).astype(np.float64), matrix).reshape(-1, 4, 2)
    inside[:, [0, 3], 0] = inside[:, [0, 3], 0].mean(axis=1, keepdims=True)
    inside[:, [1, 2], 0] = inside[:, [1, 2], 0].mean(axis=1, keepdims=True)
    inside[:, :2, 1], inside[:, 2:, 1] = 0, 1
    back = cv2.perspectiveTransform(inside.reshape(-1, 1, 2), np.linalg.inv(matrix))
    return back.reshape(-1, 4, 2).astype(np.float32)


def gaussians(quads: NDArray[np.float32]) -> NDArray[np.float32]:
    """The highest of the quads' Gaussians at each cell: (n, 4, 2) in network pixels to (48, 96) float32.

    Quads are taken as parallelograms (their mean sides), exact enough at the size of one character.
    """
    result = np.zeros((MAP_HEIGHT, MAP_WIDTH), np.float32)
    cells = (quads + 0.5) / STRIDE - 0.5
    for quad in cells:
        centre = quad.mean(axis=0)
        right = (quad[1] + quad[2] - quad[0] - quad[3]) / 4
        down = (quad[2] + quad[3] - quad[0] - quad[1]) / 4
        area = right[0] * down[1] - right[1] * down[0]
        if abs(area) < 1e-3:
            continue
        low = np.floor(quad.min(axis=0)).astype(int) - 2
        high = np.ceil(quad.max(axis=0)).astype(int) + 3
        x0, y0 = max(0, low[0]), max(0, low[1])
        x1, y1 = min(MAP_WIDTH, high[0]), min(MAP_HEIGHT, high[1])
        if x0 >= x1 or y0 >= y1:
            continue
        dx, dy = _X[y0:y1, x0:x1] - centre[0], _Y[y0:y1, x0:x1] - centre[1]
        a = (dx * down[1] - dy * down[0]) / area
        b = (dy * right[0] - dx * right[1]) / area
        part = result[y0:y1, x0:x1]
        np.maximum(part, np.exp((a * a + b * b) * np.float32(-0.5 / SIGMA**2)), out=part)
    return result


def maps(lines: Sequence[NDArray[np.float32]]) -> NDArray[np.float32]:
    """Targets (2, 48, 96) of a crop from its lines' character quads, each (n, 4, 2) in network pixels."""
    if not lines:
        return np.zeros((2, MAP_HEIGHT, MAP_WIDTH), np.float32)
    region = gaussians(np.concatenate(lines))
    affinity = gaussians(np.concatenate([affinity_quads(line) for line in lines]))
    return np.stack([region, affinity])
