"""Word patches for the CRNN: synthetic lines by their exact boxes, real lines by found or guessed boxes."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from cloud_apis.crnn.postprocess import ALPHABET
from cloud_apis.crnn.preprocess import MARGIN_X, MARGIN_Y, warp_word
from tools.training.common.crops import RealCrop
from tools.training.synthetic.geometry import line_quad
from tools.training.synthetic.store import Store

Words = Mapping[str, list[NDArray[np.float32]]]
"""Per crop (file name) its lines' quads, each (4, 2) in pixels of the crop at full size."""

MIN_CHARACTER_PX = 6.5
CODE = {character: index + 1 for index, character in enumerate(ALPHABET)}


@dataclass(frozen=True)
class Patch:
    """What the network is shown: ``image`` (1, 32, 128) float32, the text's classes (1..36)."""

    image: NDArray[np.float32]
    target: tuple[int, ...]


def load_words(path: Path | None) -> Words:
    """Read quads that CRAFT found (``tools.training.craft --words``); an empty mapping without a file."""
    if path is None or not path.exists():
        return {}
    found = json.loads(path.read_text())
    return {name: [np.array(quad, np.float32) for quad in quads] for name, quads in found.items()}


class WordSampler:
    """Draws training patches; everything random comes from the generator handed in."""

    def __init__(self, synthetic: Store | None, real: Sequence[RealCrop], words: Words, real_share: float) -> None:
        self.synthetic = synthetic
        self.words = words
        self.real = [crop for crop in real if len(crop.lines) <= 2]
        self.real_share = real_share if self.real else 0.0
        if synthetic is None and not self.real:
            raise ValueError("nothing to train from: neither synthetic nor real crops")

    def batch(self, size: int, rng: np.random.Generator) -> tuple[NDArray[np.float32], list[tuple[int, ...]]]:
        """``size`` patches: images (size, 1, 32, 128) and their targets."""
        patches = [self.draw(rng) for _ in range(size)]
        return np.stack([patch.image for patch in patches]), [patch.target for patch in patches]

    def draw(self, rng: np.random.Generator) -> Patch:
        """One patch, real with probability ``real_share``."""
        while True:
            real = self.synthetic is None or rng.random() < self.real_share
            patch = self._real(rng) if real else self._synthetic(rng)
            if patch is not None:
                return patch

    def _synthetic(self, rng: np.random.Generator) -> Patch | None:
        assert self.synthetic is not None  # noqa: S101 - draw() asks only then
        crop = self.synthetic[int(rng.integers(len(self.synthetic)))]
        line = crop.lines[rng.integers(len(crop.lines))]
        if np.linalg.norm(line.quads[:, 3] - line.quads[:, 0], axis=1).max() < MIN_CHARACTER_PX:
            return None
        if len(crop.lines) == 1 and rng.random() < 0.06:
            return _patch(crop.image, whole(crop.image, rng), line.text, rng, 0.0)
        return _patch(crop.image, line_quad(line.quads), line.text, rng, 0.3)

    def _real(self, rng: np.random.Generator) -> Patch | None:
        crop = self.real[int(rng.integers(len(self.real)))]
        number = int(rng.integers(len(crop.lines)))
        quads = self.words.get(crop.file_name)
        if quads is not None and len(quads) == len(crop.lines) and rng.random() < 0.94:
            return _patch(crop.image, quads[number] * np.float32(crop.scale), crop.lines[number], rng, 0.8)
        if len(crop.lines) > 1 and self.words:
            return None
        return _patch(crop.image, whole(crop.image, rng, number, len(crop.lines)), crop.lines[number], rng, 0.8)


def whole(image: NDArray[np.uint8], rng: np.random.Generator, line: int = 0, lines: int = 1) -> NDArray[np.float32]:
    """The whole crop (or its upper or lower half) as one word, with random edges."""
    height, width = image.shape
    x0, x1 = rng.uniform(-0.02, 0.06) * width, (1 - rng.uniform(-0.02, 0.06)) * width
    y0, y1 = height * line / lines, height * (line + 1) / lines
    y0, y1 = y0 + rng.uniform(0.0, 0.16) * height / lines, y1 - rng.uniform(0.0, 0.16) * height / lines
    return np.array([[x0, y0], [x1, y0], [x1, y1], [x0, y1]], np.float32)


def _patch(
    image: NDArray[np.uint8], quad: NDArray[np.float32], text: str, rng: np.random.Generator, strength: float
) -> Patch | None:
    if not text or any(character not in CODE for character in text):
        return None
    warped = warp_word(image, jitter(quad, rng), MARGIN_X + rng.uniform(-0.1, 0.22), MARGIN_Y + rng.uniform(-0.1, 0.14))
    return Patch(disturb(warped, rng, strength), tuple(CODE[character] for character in text))


def jitter(quad: NDArray[np.float32], rng: np.random.Generator) -> NDArray[np.float32]:
    """Move a quad as a finder would err: the whole a little, tilt, and each corner."""
    height = float(np.linalg.norm(quad[3] - quad[0]) + np.linalg.norm(quad[2] - quad[1])) / 2
    moved = quad + rng.normal(0, 0.05, 2) * height + rng.normal(0, 0.045, (4, 2)) * height
    if rng.random() < 0.3:
        tilt = rng.normal(0, 0.12) * height
        moved = moved + np.array([[0, -tilt], [0, tilt], [0, tilt], [0, -tilt]])
    return moved.astype(np.float32)


def disturb(patch: NDArray[np.float32], rng: np.random.Generator, strength: float) -> NDArray[np.float32]:
    """Light and blur on the patch itself: much for real crops (few), little for synthetic ones (already done)."""
    image = patch[0]
    if rng.random() < 0.5 * strength:
        image = np.power(np.clip(image, 0, 1), float(np.exp(rng.normal(0, 0.3))))
    if rng.random() < 0.3 * strength:
        small = cv2.resize(image, (int(rng.integers(36, 110)), int(rng.integers(10, 28))), interpolation=cv2.INTER_AREA)
        image = cv2.resize(small, (patch.shape[2], patch.shape[1]), interpolation=cv2.INTER_LINEAR)
    if rng.random() < 0.3 * strength:
        image = cv2.GaussianBlur(image, (0, 0), sigmaX=rng.uniform(0.3, 2.2), sigmaY=rng.uniform(0.3, 1.2))
    if rng.random() < 0.25 * strength:
        edge = np.clip((np.arange(128) - rng.uniform(0, 128)) / rng.uniform(1, 30) + 0.5, 0, 1).astype(np.float32)
        image = image * (1 - edge * np.float32(rng.uniform(0.1, 0.6)))
    image = (image - 0.5) * np.float32(rng.uniform(0.6, 1.3)) + np.float32(0.5 + rng.normal(0, 0.1))
    if rng.random() < 0.5:
        image = image + rng.normal(0, rng.uniform(0, 0.04), image.shape)
    if rng.random() < 0.03:
        image = 1 - image
    return np.asarray(np.clip(image, 0, 1), dtype=np.float32)[None]
