"""Training samples of CRAFT: crops seen as at inference, at the first look or the second, and their maps."""

from __future__ import annotations

from collections.abc import Sequence

import cv2
import numpy as np
from numpy.typing import NDArray

from cloud_apis.craft.preprocess import fit_crop
from cloud_apis.craft.straighten import Window, frame_of, text_window
from tools.training.craft.targets import levelled, maps
from tools.training.synthetic.geometry import line_quad
from tools.training.synthetic.render import Line
from tools.training.synthetic.scene import Crop
from tools.training.synthetic.store import Store

STRAIGHTENED_SHARE = 0.45
TWO_LINE_SHARE = 0.3
"""Least share of synthetic draws that are asked to have two lines."""


class MapSampler:
    """Draws crops from synthetic ones and, by ``real_share``, from real ones with character boxes.

    ``weights`` are how often each real crop is drawn, in any unit; alike if not given.
    """

    def __init__(
        self,
        synthetic: Store,
        real: Sequence[Crop] = (),
        real_share: float = 0.0,
        weights: Sequence[float] | None = None,
    ) -> None:
        self.synthetic = synthetic
        self.real = real
        self.real_share = real_share if real else 0.0
        drawn = np.ones(len(real)) if weights is None else np.asarray(weights, np.float64)
        self._chances = drawn / drawn.sum() if len(drawn) else drawn
        counts = np.diff(np.append(synthetic.index[:, 3], len(synthetic.texts)))
        self._tall = np.flatnonzero(counts > 1)

    def batch(self, size: int, rng: np.random.Generator) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        """Images (size, 1, 96, 192) and targets (size, 2, 48, 96)."""
        samples = [self.draw(rng) for _ in range(size)]
        return np.stack([image for image, _ in samples]), np.stack([target for _, target in samples])

    def draw(self, rng: np.random.Generator) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        """One sample."""
        real = rng.random() < self.real_share
        crop = self.real[int(rng.choice(len(self.real), p=self._chances))] if real else self._synthetic(rng)
        lines = [line.quads if real else levelled(line.quads) for line in crop.lines]
        crop = Crop(crop.image, tuple(Line(old.text, quads) for old, quads in zip(crop.lines, lines, strict=True)))
        crop = posed(crop, rng) if rng.random() < (0.7 if real else 0.4) else recut(crop, rng)
        if rng.random() < STRAIGHTENED_SHARE:
            window = second_look(crop, rng)
            image, target = window.cut(crop.image), maps([window.to_network(line.quads) for line in crop.lines])
        else:
            image, fit = fit_crop(crop.image)
            target = maps([fit.to_network(line.quads) for line in crop.lines])
        return disturb(image, rng, 1.0 if real else 0.4), target

    def _synthetic(self, rng: np.random.Generator) -> Crop:
        if len(self._tall) and rng.random() < TWO_LINE_SHARE:
            return self.synthetic[int(rng.choice(self._tall))]
        return self.synthetic[int(rng.integers(len(self.synthetic)))]


def recut(crop: Crop, rng: np.random.Generator) -> Crop:
    """Cut again as another detector would: edges moved, outwards by border pixels."""
    height, width = crop.image.shape
    points = np.concatenate([line.quads.reshape(-1, 2) for line in crop.lines])
    low, high = points.min(axis=0), points.max(axis=0)
    # Moving an edge inwards stops short of the characters; outwards repeats the border.
    x0 = min(rng.normal(0, 0.05) * width, low[0] - 1)
    y0 = min(rng.normal(0, 0.06) * height, low[1] - 1)
    x1 = max(width + rng.normal(0, 0.05) * width, high[0] + 1)
    y1 = max(height + rng.normal(0, 0.06) * height, high[1] + 1)
    return _warped(crop, np.eye(3), (x0, y0, x1, y1))


def posed(crop: Crop, rng: np.random.Generator) -> Crop:
    """Seen from elsewhere: turned, sheared, stretched, in perspective; mostly a little, sometimes very much."""
    height, width = crop.image.shape
    strong = rng.random() < 0.4
    angle = np.deg2rad(rng.uniform(-25, 25) if strong else rng.normal(0, 4))
    shear = rng.uniform(-0.35, 0.35) if strong else rng.normal(0, 0.08)
    turn = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    stretch = np.diag(np.exp(rng.normal(0, 0.1, 2)))
    middle = np.array([width, height]) / 2
    linear = turn @ np.array([[1, shear], [0, 1]]) @ stretch
    corners = np.array([[0, 0], [width, 0], [width, height], [0, height]], np.float64)
    moved = (corners - middle) @ linear.T + middle
    moved += rng.normal(0, 0.04 if strong else 0.015, (4, 2)) * min(width, height * 2)
    matrix = np.asarray(cv2.getPerspectiveTransform(corners.astype(np.float32), moved.astype(np.float32)), np.float64)
    points = np.concatenate([line.quads.reshape(-1, 2) for line in crop.lines])
    points = cv2.perspectiveTransform(points.reshape(-1, 1, 2).astype(np.float64), matrix).reshape(-1, 2)
    tall = max(frame_of(line_quad(line.quads))[2] for line in crop.lines)
    # Plates reach beyond their text by some part of its height, more at the sides; loose boxes by more.
    reach = rng.uniform([0.05, 0.05, 0.05, 0.05], [1.2, 0.8, 1.2, 0.8]) * tall * (2.2 if rng.random() < 0.2 else 1.0)
    low, high = points.min(axis=0) - reach[:2], points.max(axis=0) + reach[2:]
    return _warped(crop, matrix, (low[0], low[1], high[0], high[1]))


def _warped(crop: Crop, matrix: NDArray[np.float64], box: tuple[float, float, float, float]) -> Crop:
    """The part ``box`` (x0, y0, x1, y1) of the crop after a perspective transformation."""
    x0, y0, x1, y1 = box
    whole = np.array([[1, 0, -x0], [0, 1, -y0], [0, 0, 1]], np.float64) @ matrix
    size = (int(np.clip(round(x1 - x0), 8, 512)), int(np.clip(round(y1 - y0), 8, 384)))
    image = cv2.warpPerspective(crop.image, whole, size, flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
    lines = tuple(
        Line(line.text, cv2.perspectiveTransform(line.quads.reshape(-1, 1, 2).astype(np.float64), whole)
             .reshape(-1, 4, 2).astype(np.float32))
        for line in crop.lines
    )  # fmt: skip
    return Crop(np.asarray(image, np.uint8), lines)


def second_look(crop: Crop, rng: np.random.Generator) -> Window:
    """The window that a first look with errors would choose: wrong corners, ends cut, now and then a line missed."""
    quads = [line_quad(line.quads) for line in crop.lines]
    if len(quads) > 1 and rng.random() < 0.2:
        quads = [quads[int(rng.integers(len(quads)))]]
    guessed = []
    for quad in quads:
        along, _, height = frame_of(quad)
        moved = quad + rng.normal(0, 0.07, (4, 2)) * height
        if rng.random() < 0.25:
            moved[[0, 3]] += along * height * rng.uniform(-0.6, 1.0)
            moved[[1, 2]] -= along * height * rng.uniform(-0.6, 1.0)
        if rng.random() < 0.3:
            tilt = along[::-1] * [-1, 1] * height * rng.normal(0, 0.2)
            moved += np.stack([-tilt, tilt, tilt, -tilt])
        guessed.append(moved.astype(np.float32))
    window = text_window(guessed)
    return Window(window.origin, window.axes * np.exp(rng.normal(0.0, 0.08)))


def disturb(image: NDArray[np.float32], rng: np.random.Generator, strength: float) -> NDArray[np.float32]:
    """Light and blur on the fitted picture (1, 96, 192)."""
    picture = image[0]
    if rng.random() < 0.5 * strength:
        small = (int(rng.integers(48, 160)), int(rng.integers(24, 80)))
        picture = cv2.resize(cv2.resize(picture, small, interpolation=cv2.INTER_AREA), (192, 96))
    if rng.random() < 0.4 * strength:
        picture = cv2.GaussianBlur(picture, (0, 0), rng.uniform(0.4, 2.0))
    faint = rng.random() < 0.15
    contrast = np.float32(rng.uniform(0.15, 0.5) if faint else rng.uniform(0.6, 1.3))
    picture = np.clip((picture - 0.5) * contrast + np.float32(0.5 + rng.normal(0, 0.25 if faint else 0.1)), 0, 1)
    if rng.random() < 0.3:
        picture = picture + rng.normal(0, rng.uniform(0, 0.04) * contrast, picture.shape)
    if rng.random() < 0.05:
        picture = 1 - picture
    return np.asarray(np.clip(picture, 0, 1), dtype=np.float32)[None]
