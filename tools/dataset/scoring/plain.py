"""Features without any network: directions of edges in 8×8 cells, and colours in 4×4 (after Dalal and Triggs 2005)."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from tools.dataset.scoring.scorer import Image

SIDE_PX = 64
CELLS = 8
BINS = 9
COLOURS = 4


class PlainFeatures:
    """Edges and colours of the picture, squeezed into a square: a rough judge that needs no model."""

    name = "plain"
    count = CELLS * CELLS * (BINS + 1) + COLOURS * COLOURS * 3 + 3

    def of(self, image: Image) -> NDArray[np.float64]:
        small = cv2.resize(image, (SIDE_PX, SIDE_PX), interpolation=cv2.INTER_AREA)
        grey = cv2.cvtColor(small, cv2.COLOR_BGR2GRAY).astype(np.float32)
        lab = cv2.cvtColor(small, cv2.COLOR_BGR2LAB)
        colours = cv2.resize(lab, (COLOURS, COLOURS), interpolation=cv2.INTER_AREA).astype(np.float64) / 255
        spread = lab.reshape(-1, 3).std(axis=0) / 255
        return np.concatenate([_edges(grey), colours.ravel(), spread])

    def why(self, features: NDArray[np.float64]) -> str:
        return "no car"


def _edges(grey: NDArray[np.float32]) -> NDArray[np.float64]:
    gy, gx = np.gradient(grey)
    strength = np.hypot(gx, gy)
    direction = (np.arctan2(gy, gx) % np.pi) * (BINS / np.pi)
    low = np.floor(direction).astype(int) % BINS
    share = direction - np.floor(direction)
    rows, columns = np.indices(grey.shape) * CELLS // SIDE_PX
    cell = (rows * CELLS + columns) * BINS
    size = CELLS * CELLS * BINS
    histogram = np.bincount((cell + low).ravel(), (strength * (1 - share)).ravel(), size)
    histogram += np.bincount((cell + (low + 1) % BINS).ravel(), (strength * share).ravel(), size)
    cells = histogram.reshape(CELLS * CELLS, BINS)
    length = np.linalg.norm(cells, axis=1)
    # Directions of each cell by themselves, and how strong its edges are beside the others'.
    normal = cells / (length[:, None] + 50.0)
    return np.concatenate([normal.ravel(), np.log1p(length / 50.0)])
