"""Warp a training picture by the same map as its boxes."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

Image = NDArray[np.uint8]
HALF = np.array([0.5, 0.5])


def warp(image: Image, matrix: NDArray[np.float64], size: tuple[int, int], border: int) -> Image:
    """The picture uint8 (H, W) or (H, W, 3) warped by ``matrix`` (2, 3) into ``size`` (width, height).

    ``matrix`` maps positions as boxes have them: a picture's left edge is 0, its right edge its width. cv2 counts from
    the centre of the first pixel instead; given the same matrix it would move a mirrored picture by a whole pixel
    against its boxes. Bilinear, so what becomes much smaller must be reduced first; around the picture lies ``border``.
    """
    centres = matrix.astype(np.float64)
    centres[:, 2] += matrix[:, :2] @ HALF - HALF
    values = (border,) * 3 if image.ndim == 3 else border
    warped = cv2.warpAffine(
        image, centres, size, flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_CONSTANT, borderValue=values
    )
    return np.asarray(warped, np.uint8)
