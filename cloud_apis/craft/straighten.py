"""Straightening: an affine window on a crop in which its text stands upright and fills the network's input."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from cloud_apis.craft.preprocess import HEIGHT_PX, WIDTH_PX

MARGIN_ALONG = 1.0
MARGIN_ACROSS = 0.8
"""Room left around the text, as parts of its main line's height: characters missed so far must come into view."""

_CENTRE = np.array([(WIDTH_PX - 1) / 2, (HEIGHT_PX - 1) / 2])


@dataclass(frozen=True)
class Window:
    """Where the network looks: crop pixel = ``origin`` + (network pixel - its centre) @ ``axes``.

    ``origin`` is (2,), ``axes`` (2, 2): the crop vectors of one network pixel to the right and one down.
    """

    origin: NDArray[np.float64]
    axes: NDArray[np.float64]

    def to_crop(self, points: NDArray[np.float32]) -> NDArray[np.float32]:
        """Points (..., 2) in network pixels to crop pixels."""
        return np.asarray((points - _CENTRE) @ self.axes + self.origin, dtype=np.float32)

    def to_network(self, points: NDArray[np.float32]) -> NDArray[np.float32]:
        """Points (..., 2) in crop pixels to network pixels."""
        return np.asarray((points - self.origin) @ np.linalg.inv(self.axes) + _CENTRE, dtype=np.float32)

    def cut(self, gray: NDArray[np.uint8]) -> NDArray[np.float32]:
        """The window's picture: (1, 96, 192) float32 in 0..1; outside the crop (H, W) uint8 its border goes on."""
        # Bilinear sampling looks at 2x2 pixels: shrink by area first where more lie under one.
        factor = int(max(1.0, np.floor(np.linalg.norm(self.axes, axis=1).min())))
        axes, origin = self.axes, self.origin
        if factor > 1:
            height, width = gray.shape
            small = (max(1, width // factor), max(1, height // factor))
            gray = np.asarray(cv2.resize(gray, small, interpolation=cv2.INTER_AREA), np.uint8)
            ratio = np.array([small[0] / width, small[1] / height])
            axes, origin = axes * ratio, (origin + 0.5) * ratio - 0.5
        matrix = np.hstack([axes.T, (origin - _CENTRE @ axes)[:, None]])
        picture = cv2.warpAffine(
            gray, matrix, (WIDTH_PX, HEIGHT_PX),
            flags=cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP, borderMode=cv2.BORDER_REPLICATE,
        )  # fmt: skip
        return (picture.astype(np.float32) / np.float32(255))[None]


def frame_of(quad: NDArray[np.float32]) -> tuple[NDArray[np.float64], NDArray[np.float64], float]:
    """A quad's mean frame: unit vector along the text, the vector down one unit of height, the height in pixels.

    The height is taken square to the text; the vector down leans as the characters do.
    """
    points = quad.astype(np.float64)
    along = (points[1] + points[2] - points[0] - points[3]) / 2
    down = (points[2] + points[3] - points[0] - points[1]) / 2
    length = float(np.linalg.norm(along))
    along = along / length if length > 1e-6 else np.array([1.0, 0.0])
    height = float(along[0] * down[1] - along[1] * down[0])
    if height <= 1e-6:
        return along, np.array([-along[1], along[0]]), max(height, 1.0)
    return along, down / height, height


def text_window(quads: Sequence[NDArray[np.float32]]) -> Window:
    """The window in which the text of these lines stands upright; ``quads`` are (4, 2) in crop pixels, at least one.

    The longest line gives direction and lean; all lines and a margin fit into the window.
    """
    main = max(quads, key=lambda quad: float(np.linalg.norm(quad[1] - quad[0])))
    along, down, height = frame_of(main)
    frame = np.stack([along, down])
    inside = np.concatenate(list(quads)).astype(np.float64) @ np.linalg.inv(frame)
    low, high = inside.min(axis=0), inside.max(axis=0)
    room = np.array([MARGIN_ALONG, MARGIN_ACROSS]) * height
    size = high - low + 2 * room
    return Window((low + high) / 2 @ frame, frame * max(size[0] / WIDTH_PX, size[1] / HEIGHT_PX))
