"""Fitting a picture into a given size."""

from __future__ import annotations

import cv2
import numpy as np

from edge_client.types import Image


def fit(image: Image, width_px: int, height_px: int) -> Image:
    """The picture scaled to fit into width x height with its aspect kept, centred on black.

    A picture that has that size already is returned as it is, not copied.
    """
    rows, columns = image.shape[:2]
    if (columns, rows) == (width_px, height_px):
        return image
    scale = min(width_px / columns, height_px / rows)
    inner_w = min(width_px, max(1, round(columns * scale)))
    inner_h = min(height_px, max(1, round(rows * scale)))
    scaled = cv2.resize(image, (inner_w, inner_h), interpolation=cv2.INTER_LINEAR)
    if (inner_w, inner_h) == (width_px, height_px):
        return np.asarray(scaled, np.uint8)
    canvas = np.zeros((height_px, width_px, 3), np.uint8)
    left, top = (width_px - inner_w) // 2, (height_px - inner_h) // 2
    canvas[top : top + inner_h, left : left + inner_w] = scaled
    return canvas
