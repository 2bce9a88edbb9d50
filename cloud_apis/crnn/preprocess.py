"""From a plate crop and one word's quadrilateral to the CRNN's input patch."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

HEIGHT_PX = 32
WIDTH_PX = 128
# Room left around the word, as parts of its height: the CRNN wants to see where the first and last
# characters end, and a line found a little too tight must not lose strokes.
MARGIN_X = 0.20
MARGIN_Y = 0.14


def expand_quad(
    quad: NDArray[np.float32], margin_x: float = MARGIN_X, margin_y: float = MARGIN_Y
) -> NDArray[np.float32]:
    """Grow a word's quadrilateral along its own sides.

    ``quad`` is (4, 2) float32, clockwise from the top left, in pixels; the margins are parts of the quad's mean
    height, added on each side. Degenerate sides (zero length) are left where they are.
    """
    tl, tr, br, bl = quad.astype(np.float64)
    height = float(np.linalg.norm(bl - tl) + np.linalg.norm(br - tr)) / 2

    def outward(a: NDArray[np.float64], b: NDArray[np.float64], amount: float) -> NDArray[np.float64]:
        side = b - a
        return side / max(float(np.linalg.norm(side)), 1e-6) * amount

    top, bottom = outward(tl, tr, margin_x * height), outward(bl, br, margin_x * height)
    left, right = outward(tl, bl, margin_y * height), outward(tr, br, margin_y * height)
    return np.array([tl - top - left, tr + top - right, br + bottom + right, bl - bottom + left], dtype=np.float32)


def warp_word(
    gray: NDArray[np.uint8],
    quad: NDArray[np.float32],
    margin_x: float = MARGIN_X,
    margin_y: float = MARGIN_Y,
) -> NDArray[np.float32]:
    """Straighten one word by perspective.

    ``gray`` is (H, W) uint8; ``quad`` (4, 2) float32 in its pixels, clockwise from the top left, tight around the
    characters. Returns (1, 32, 128) float32 in 0..1, stretched to fill the patch (aspect not kept); what lies
    outside the picture repeats its border. Large words are shrunk by area first, so that nothing aliases.
    """
    wide = expand_quad(quad, margin_x, margin_y)
    width = max(float(np.linalg.norm(wide[1] - wide[0])), float(np.linalg.norm(wide[2] - wide[3])))
    height = max(float(np.linalg.norm(wide[3] - wide[0])), float(np.linalg.norm(wide[2] - wide[1])))
    # Bilinear sampling looks at 2x2 pixels: supersample by whole factors and average where more lie under one.
    factor = int(np.clip(np.floor(max(width / WIDTH_PX, height / HEIGHT_PX)), 1, 4))
    w, h = WIDTH_PX * factor, HEIGHT_PX * factor
    corners = np.array([[-0.5, -0.5], [w - 0.5, -0.5], [w - 0.5, h - 0.5], [-0.5, h - 0.5]], dtype=np.float32)
    matrix = cv2.getPerspectiveTransform(wide, corners)
    patch = cv2.warpPerspective(gray, matrix, (w, h), flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
    if factor > 1:
        patch = cv2.resize(patch, (WIDTH_PX, HEIGHT_PX), interpolation=cv2.INTER_AREA)
    return (patch.astype(np.float32) / np.float32(255))[None]
