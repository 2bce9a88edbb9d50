"""Training samples of CRAFT: a crop fitted as at inference, and its maps."""

from __future__ import annotations

from collections.abc import Sequence

import cv2
import numpy as np
from numpy.typing import NDArray

from cloud_apis.craft.preprocess import fit_crop
from tools.training.craft.targets import maps
from tools.training.synthetic.scene import Crop
from tools.training.synthetic.store import Store


class MapSampler:
    """Draws crops from synthetic ones and, by ``real_share``, from real ones with character boxes."""

    def __init__(self, synthetic: Store, real: Sequence[Crop] = (), real_share: float = 0.0) -> None:
        self.synthetic = synthetic
        self.real = real
        self.real_share = real_share if real else 0.0

    def batch(self, size: int, rng: np.random.Generator) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        """Images (size, 1, 96, 192) and targets (size, 2, 48, 96)."""
        samples = [self.draw(rng) for _ in range(size)]
        return np.stack([image for image, _ in samples]), np.stack([target for _, target in samples])

    def draw(self, rng: np.random.Generator) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        """One sample."""
        real = rng.random() < self.real_share
        crop = (
            self.real[int(rng.integers(len(self.real)))]
            if real
            else self.synthetic[int(rng.integers(len(self.synthetic)))]
        )
        crop = recut(crop, rng, tilt=real)
        image, fit = fit_crop(crop.image)
        target = maps([fit.to_network(line.quads) for line in crop.lines])
        return disturb(image, rng, 1.0 if real else 0.4), target


def recut(crop: Crop, rng: np.random.Generator, tilt: bool) -> Crop:
    """Cut again as another detector would: edges moved by border pixels, real crops turned and sheared too."""
    height, width = crop.image.shape
    points = np.concatenate([line.quads.reshape(-1, 2) for line in crop.lines])
    low, high = points.min(axis=0), points.max(axis=0)
    # Moving an edge inwards stops short of the characters; outwards repeats the border.
    x0 = min(rng.normal(0, 0.05) * width, low[0] - 1)
    y0 = min(rng.normal(0, 0.06) * height, low[1] - 1)
    x1 = max(width + rng.normal(0, 0.05) * width, high[0] + 1)
    y1 = max(height + rng.normal(0, 0.06) * height, high[1] + 1)
    matrix = np.array([[1, 0, -x0], [0, 1, -y0]], np.float64)
    if tilt and rng.random() < 0.6:
        angle, shear = rng.normal(0, 0.07), rng.normal(0, 0.08)
        turn = np.array([[np.cos(angle), -np.sin(angle) + shear], [np.sin(angle), np.cos(angle)]])
        centre = np.array([(x1 - x0) / 2, (y1 - y0) / 2])
        matrix = np.hstack([turn @ matrix[:, :2], (turn @ (matrix[:, 2] - centre) + centre)[:, None]])
    size = (max(8, round(x1 - x0)), max(8, round(y1 - y0)))
    image = cv2.warpAffine(crop.image, matrix, size, flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
    lines = tuple(
        type(line)(line.text, cv2.transform(line.quads.reshape(-1, 1, 2), matrix).reshape(-1, 4, 2).astype(np.float32))
        for line in crop.lines
    )
    return Crop(np.asarray(image, np.uint8), lines)


def disturb(image: NDArray[np.float32], rng: np.random.Generator, strength: float) -> NDArray[np.float32]:
    """Light and blur on the fitted picture (1, 96, 192)."""
    picture = image[0]
    if rng.random() < 0.4 * strength:
        small = (int(rng.integers(48, 160)), int(rng.integers(24, 80)))
        picture = cv2.resize(cv2.resize(picture, small, interpolation=cv2.INTER_AREA), (192, 96))
    if rng.random() < 0.4 * strength:
        picture = cv2.GaussianBlur(picture, (0, 0), rng.uniform(0.4, 2.0))
    picture = np.clip((picture - 0.5) * np.float32(rng.uniform(0.6, 1.3)) + np.float32(0.5 + rng.normal(0, 0.1)), 0, 1)
    if rng.random() < 0.03:
        picture = 1 - picture
    return np.asarray(picture, dtype=np.float32)[None]
