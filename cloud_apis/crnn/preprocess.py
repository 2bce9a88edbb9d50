"""From a plate crop and one line's quadrilateral to the CRNN's input patch."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

HEIGHT_PX = 32
WIDTH_PX = 160
# Room left around the line, as parts of its height: the CRNN wants to see where the first and last
# characters end, and a line found too tight must not lose a character; what else comes into view (bands,
# seals, frames) the network has learnt not to read.
MARGIN_X = 0.5
MARGIN_Y = 0.18
# Short lines keep their look: rather than being stretched more than this, they are shown with more surroundings.
MAX_STRETCH = 1.5
# By how much (part of the height) the ends may grow or shrink when the sides are drawn out.
MAX_CONVERGENCE = 0.25
# A second look at a line: more room above and below, and how far its ends are turned up or down (parts of the height).
VIEW_MARGIN = 0.1
VIEW_TURN = 0.06


def expand_quad(
    quad: NDArray[np.float32], margin_x: float = MARGIN_X, margin_y: float = MARGIN_Y
) -> NDArray[np.float32]:
    """Grow a line's quadrilateral along its own sides.

    ``quad`` is (4, 2) float32, clockwise from the top left, in pixels; the margins are parts of the quad's mean
    height, added on each side. Sides that run together are drawn out nearly parallel, so that they never cross.
    Degenerate sides (zero length) are left where they are.
    """
    tl, tr, br, bl = quad.astype(np.float64)
    height = float(np.linalg.norm(bl - tl) + np.linalg.norm(br - tr)) / 2
    along_top, along_bottom = _directions(tr - tl, br - bl, margin_x)
    along_left, along_right = _unit(bl - tl), _unit(br - tr)
    x, y = margin_x * height, margin_y * height
    return np.array(
        [
            tl - x * along_top - y * along_left,
            tr + x * along_top - y * along_right,
            br + x * along_bottom + y * along_right,
            bl - x * along_bottom + y * along_left,
        ],
        dtype=np.float32,
    )


def shown(
    quad: NDArray[np.float32], margin_x: float = MARGIN_X, margin_y: float = MARGIN_Y, stretch: float = MAX_STRETCH
) -> NDArray[np.float32]:
    """What the patch shows of a line: the quad with its margins, wider where ``stretch`` would be exceeded.

    ``stretch`` is the highest ratio of horizontal to vertical enlargement; returns (4, 2) float32.
    """
    tl, tr, br, bl = quad.astype(np.float64)
    width = float(np.linalg.norm(tr - tl) + np.linalg.norm(br - bl)) / 2
    height = float(np.linalg.norm(bl - tl) + np.linalg.norm(br - tr)) / 2
    least = WIDTH_PX / HEIGHT_PX / stretch * (1 + 2 * margin_y) * height
    missing = max(0.0, least - width - 2 * margin_x * height) / 2
    return expand_quad(quad, margin_x + missing / max(height, 1e-6), margin_y)


def warp_word(
    gray: NDArray[np.uint8],
    quad: NDArray[np.float32],
    margin_x: float = MARGIN_X,
    margin_y: float = MARGIN_Y,
    stretch: float = MAX_STRETCH,
) -> NDArray[np.float32]:
    """Straighten one line by perspective.

    ``gray`` is (H, W) uint8; ``quad`` (4, 2) float32 in its pixels, clockwise from the top left, tight around the
    characters. Returns (1, 32, 160) float32 in 0..1, the line with its margins stretched to fill the patch, at most
    ``stretch`` times as much in width as in height; what lies outside the picture repeats its border.
    """
    return warp_quad(gray, shown(quad, margin_x, margin_y, stretch))[None]


def other_views(quad: NDArray[np.float32]) -> list[NDArray[np.float32]]:
    """Windows (4, 2) that show a line a little otherwise, for a second look at one that is hard to read.

    One shows more above and below, two are turned a little each way.
    """
    window = shown(quad).astype(np.float64)
    side = (window[3] - window[0] + window[2] - window[1]) / 2
    turn = np.array([[-1], [1], [1], [-1]]) * (VIEW_TURN * side)
    views = [expand_quad(window.astype(np.float32), 0, VIEW_MARGIN), window + turn, window - turn]
    return [np.asarray(view, dtype=np.float32) for view in views]


def warp_quad(gray: NDArray[np.uint8], window: NDArray[np.float32], width_px: int = WIDTH_PX) -> NDArray[np.float32]:
    """Straighten exactly what a quadrilateral (4, 2) encloses: (32, ``width_px``) float32 in 0..1.

    Large windows are shrunk by area, so that nothing aliases.
    """
    width = max(float(np.linalg.norm(window[1] - window[0])), float(np.linalg.norm(window[2] - window[3])))
    height = max(float(np.linalg.norm(window[3] - window[0])), float(np.linalg.norm(window[2] - window[1])))
    # Bilinear sampling looks at 2x2 pixels: supersample by whole factors and average where more lie under one.
    factor = int(np.clip(np.floor(max(width / width_px, height / HEIGHT_PX)), 1, 4))
    w, h = width_px * factor, HEIGHT_PX * factor
    corners = np.array([[-0.5, -0.5], [w - 0.5, -0.5], [w - 0.5, h - 0.5], [-0.5, h - 0.5]], dtype=np.float32)
    matrix = cv2.getPerspectiveTransform(window, corners)
    patch = cv2.warpPerspective(gray, matrix, (w, h), flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
    if factor > 1:
        patch = cv2.resize(patch, (width_px, HEIGHT_PX), interpolation=cv2.INTER_AREA)
    return np.asarray(patch, dtype=np.float32) / np.float32(255)


def _unit(side: NDArray[np.float64]) -> NDArray[np.float64]:
    return side / max(float(np.linalg.norm(side)), 1e-6)


def _directions(
    top: NDArray[np.float64], bottom: NDArray[np.float64], reach: float
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Directions of the upper and the lower side, brought together if ``reach`` (in heights) takes them too far."""
    top, bottom = _unit(top), _unit(bottom)
    difference = top - bottom
    convergence = abs(reach) * float(np.linalg.norm(difference))
    if convergence <= MAX_CONVERGENCE:
        return top, bottom
    middle, half = (top + bottom) / 2, difference / 2 * (MAX_CONVERGENCE / convergence)
    return middle + half, middle - half
