"""From a grey picture to the detector's input: fitted into the network's size and padded with grey."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

STRIDE = 32
PADDING = 0.5


@dataclass(frozen=True, slots=True)
class Letterbox:
    """How a picture of `width_px` x `height_px` lies in the network's input.

    The picture is scaled to `inner_width_px` x `inner_height_px` and put `left_px`, `top_px` from the corner
    of an input of `outer_width_px` x `outer_height_px`, both multiples of `STRIDE`.
    """

    width_px: int
    height_px: int
    inner_width_px: int
    inner_height_px: int
    left_px: int
    top_px: int
    outer_width_px: int
    outer_height_px: int

    def to_picture(self, boxes: NDArray[np.float32]) -> NDArray[np.float32]:
        """Move boxes (N, 4) xmin, ymin, xmax, ymax from input pixels to picture pixels."""
        offset = np.array([self.left_px, self.top_px] * 2, np.float32)
        scale_x = self.width_px / self.inner_width_px
        scale_y = self.height_px / self.inner_height_px
        return (boxes - offset) * np.array([scale_x, scale_y] * 2, np.float32)


def fit(width_px: int, height_px: int, net_w: int, net_h: int) -> Letterbox:
    """Fit a picture into `net_w` x `net_h`: as large as it goes, centred, padded to the next `STRIDE`."""
    scale = min(net_w / width_px, net_h / height_px)
    inner_w = min(net_w, max(1, round(width_px * scale)))
    inner_h = min(net_h, max(1, round(height_px * scale)))
    outer_w = -(-inner_w // STRIDE) * STRIDE
    outer_h = -(-inner_h // STRIDE) * STRIDE
    left, top = (outer_w - inner_w) // 2, (outer_h - inner_h) // 2
    return Letterbox(width_px, height_px, inner_w, inner_h, left, top, outer_w, outer_h)


def network_input(grey: NDArray[np.uint8], box: Letterbox) -> NDArray[np.float32]:
    """The input (1, outer_height, outer_width) float32 in 0..1 for a grey picture, uint8 (height, width).

    The picture may have been decoded at a reduced size; only the letterbox tells its place.
    """
    if grey.shape != (box.inner_height_px, box.inner_width_px):
        shrinks = grey.shape[0] > box.inner_height_px or grey.shape[1] > box.inner_width_px
        how = cv2.INTER_AREA if shrinks else cv2.INTER_LINEAR
        size = (box.inner_width_px, box.inner_height_px)
        grey = cv2.resize(grey, size, interpolation=how).astype(np.uint8, copy=False)
    canvas = np.full((1, box.outer_height_px, box.outer_width_px), PADDING, np.float32)
    rows = slice(box.top_px, box.top_px + box.inner_height_px)
    columns = slice(box.left_px, box.left_px + box.inner_width_px)
    np.multiply(grey, np.float32(1 / 255), out=canvas[0, rows, columns])
    return canvas
