"""From a plate crop of any size to CRAFT's input, and the way back for what it finds."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

HEIGHT_PX = 96
WIDTH_PX = 192
PADDING = 0.5


@dataclass(frozen=True)
class CropFit:
    """How a crop was fitted: network pixel = (crop pixel + 0.5) * scale - 0.5 + offset, per axis (x, y)."""

    scale: tuple[float, float]
    offset: tuple[int, int]

    def to_crop(self, points: NDArray[np.float32]) -> NDArray[np.float32]:
        """Points (..., 2) in network pixels to crop pixels."""
        scale, offset = np.array(self.scale), np.array(self.offset)
        return np.asarray((points + 0.5 - offset) / scale - 0.5, dtype=np.float32)

    def to_network(self, points: NDArray[np.float32]) -> NDArray[np.float32]:
        """Points (..., 2) in crop pixels to network pixels."""
        scale, offset = np.array(self.scale), np.array(self.offset)
        return np.asarray((points + 0.5) * scale - 0.5 + offset, dtype=np.float32)


def fit_crop(gray: NDArray[np.uint8]) -> tuple[NDArray[np.float32], CropFit]:
    """Fit a crop into the network's input.

    ``gray`` is (H, W) uint8, at least 1x1. Returns (1, 96, 192) float32 in 0..1, the crop enlarged or reduced with
    its aspect kept and centred on 0.5, and the fit that leads back.
    """
    height, width = gray.shape
    scale = min(WIDTH_PX / width, HEIGHT_PX / height)
    w, h = max(1, min(WIDTH_PX, round(width * scale))), max(1, min(HEIGHT_PX, round(height * scale)))
    resized = cv2.resize(gray, (w, h), interpolation=cv2.INTER_AREA if scale < 1 else cv2.INTER_LINEAR)
    left, top = (WIDTH_PX - w) // 2, (HEIGHT_PX - h) // 2
    image = np.full((1, HEIGHT_PX, WIDTH_PX), PADDING, np.float32)
    image[0, top : top + h, left : left + w] = resized.astype(np.float32) / np.float32(255)
    return image, CropFit((w / width, h / height), (left, top))
