"""From a picture and a car's box to the classifier's input. Pure functions."""

from __future__ import annotations

from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

HEIGHT_PX: Final = 224
WIDTH_PX: Final = 288
"""The input's size: cars are wider than high, so a square would spend pixels on the road and the sky."""
SQUARE_PX: Final = 224
"""Side of the input for a picture that is centre-cropped to a square."""
MARGIN: Final = 0.04
"""Room around a car's box, in parts of its width and height: boxes cut mirrors and bumpers."""
MEAN: Final = 127.0
SPREAD: Final = 128.0


def crop_of(picture: NDArray[np.uint8], box: tuple[float, float, float, float]) -> NDArray[np.uint8]:
    """The part of a picture (H, W, 3) that shows the car of a box (xmin, ymin, xmax, ymax in pixels), with its margin.

    It lies within the picture and is at least one pixel wide and high, wherever the box is. It is a view, no copy.
    """
    height, width = picture.shape[:2]
    xmin, ymin, xmax, ymax = box
    room_x, room_y = MARGIN * (xmax - xmin), MARGIN * (ymax - ymin)
    left = min(max(0, round(xmin - room_x)), width - 1)
    top = min(max(0, round(ymin - room_y)), height - 1)
    right = min(width, max(left + 1, round(xmax + room_x)))
    bottom = min(height, max(top + 1, round(ymax + room_y)))
    return picture[top:bottom, left:right]


def centre_square(picture: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """The largest square in the middle of a picture (H, W, 3), as a view."""
    height, width = picture.shape[:2]
    side = min(height, width)
    top, left = (height - side) // 2, (width - side) // 2
    return picture[top : top + side, left : left + side]


def resized(crop: NDArray[np.uint8], height_px: int = HEIGHT_PX, width_px: int = WIDTH_PX) -> NDArray[np.uint8]:
    """A crop (H, W, 3) stretched to the input's size.

    A large one is reduced by whole numbers first, by the mean of areas, so that nothing flickers: that is many times
    quicker than to do all of it so.
    """
    height, width = crop.shape[:2]
    down, across = max(1, height // height_px), max(1, width // width_px)
    if down > 1 or across > 1:
        whole = crop[: height // down * down, : width // across * across]
        crop = np.asarray(cv2.resize(whole, (width // across, height // down), interpolation=cv2.INTER_AREA), np.uint8)
    return np.asarray(cv2.resize(crop, (width_px, height_px), interpolation=cv2.INTER_LINEAR), np.uint8)


def network_input(rgb: NDArray[np.uint8]) -> NDArray[np.float32]:
    """The input float32 (1, 3, H, W) of an RGB picture uint8 (H, W, 3): (value - 127) / 128."""
    planes = rgb.transpose(2, 0, 1)[None].astype(np.float32)
    planes -= MEAN
    planes /= SPREAD
    return planes
