"""Word patches for the CRNN: synthetic lines by their exact boxes, real lines by found or guessed boxes."""

from __future__ import annotations

import itertools
import json
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from torch import nn

from cloud_apis.crnn.postprocess import ALPHABET
from cloud_apis.crnn.preprocess import MARGIN_X, MARGIN_Y, warp_word
from tools.training.common.crops import RealCrop
from tools.training.crnn.augment import disturb, jitter, margins
from tools.training.crnn.splice import LONGEST, Cuttable, cuttable, splice
from tools.training.synthetic.geometry import line_quad
from tools.training.synthetic.store import Store

Words = Mapping[str, list[NDArray[np.float32]]]
"""Per crop (file name) its lines' quads, each (4, 2) in pixels of the crop at full size."""

MIN_CHARACTER_PX = 5.5
REAL_STRENGTH = 0.8
SYNTHETIC_STRENGTH = 0.3
CODE = {character: index + 1 for index, character in enumerate(ALPHABET)}


@dataclass(frozen=True)
class Patch:
    """What the network is shown: ``image`` (1, 32, 160) float32, the text's classes (1..36)."""

    image: NDArray[np.float32]
    target: tuple[int, ...]


@dataclass(frozen=True)
class Mixture:
    """What a batch is made of: shares of real lines and of spliced ones among these, how two lines count."""

    real_share: float = 0.5
    spliced_share: float = 0.0
    two_lines: float = 3.0
    augment: bool = True


def load_words(path: Path | None) -> Words:
    """Read quads that CRAFT found (``tools.training.craft --words``); an empty mapping where none is named.

    Raises OSError when the file cannot be read, ValueError when it is not of that form.
    """
    if path is None:
        return {}
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
        return {name: [np.array(quad, np.float32) for quad in quads] for name, quads in found.items()}
    except (ValueError, TypeError, AttributeError) as error:
        raise ValueError(f"{path} holds no line quads: {error}") from error


def shares(crops: Sequence[RealCrop], two_lines: float) -> NDArray[np.float64]:
    """How often each crop is drawn: plates seen often and common characters less, two lines more; sums to 1."""
    seen = Counter(crop.text for crop in crops)
    used = Counter(itertools.chain.from_iterable(crop.text.replace("/", "") for crop in crops))
    typical = float(np.median(list(used.values()))) if used else 1.0
    weights = []
    for crop in crops:
        rarity = [(typical / used[character]) ** 0.4 for character in crop.text.replace("/", "")]
        weight = float(np.clip(np.mean(rarity or [1.0]), 0.7, 2.0)) / seen[crop.text] ** 0.4
        weights.append(weight * (two_lines if len(crop.lines) > 1 else 1.0))
    total = max(sum(weights), 1e-9)
    return np.array([weight / total for weight in weights], dtype=np.float64)


class WordSampler:
    """Draws training patches; everything random comes from the generator handed in."""

    def __init__(self, synthetic: Store | None, real: Sequence[RealCrop], words: Words, mixture: Mixture) -> None:
        self.synthetic = synthetic
        self.words = words
        self.real = [crop for crop in real if self._usable(crop)]
        self.mixture = mixture
        self._real_share = mixture.real_share if self.real else 0.0
        self._shares = np.cumsum(shares(self.real, mixture.two_lines))
        self._cuttable: list[Cuttable] = []
        if synthetic is None and not self.real:
            raise ValueError("nothing to train from: neither synthetic nor real crops")

    def _usable(self, crop: RealCrop) -> bool:
        # Of two lines only what says where they are tells them apart; without any words they are cut in halves.
        found = not self.words or len(self.words.get(crop.file_name, ())) == len(crop.lines)
        return (len(crop.lines) == 1 or (len(crop.lines) == 2 and found)) and all(map(readable, crop.lines))

    def find_gaps(self, model: nn.Module) -> int:
        """Let a trained network place the real lines' characters, so that lines can be spliced; gives how many."""
        lines = [
            (crop.image, quad * np.float32(crop.scale), tuple(CODE[c] for c in text))
            for crop in self.real
            if len(self.words.get(crop.file_name, ())) == len(crop.lines)
            for quad, text in zip(self.words[crop.file_name], crop.lines, strict=True)
        ]
        self._cuttable = cuttable(model.eval(), lines)
        return len(self._cuttable)

    def batch(self, size: int, rng: np.random.Generator) -> tuple[NDArray[np.float32], list[tuple[int, ...]]]:
        """``size`` patches: images (size, 1, 32, 160) and their targets."""
        patches = [self.draw(rng) for _ in range(size)]
        return np.stack([patch.image for patch in patches]), [patch.target for patch in patches]

    def draw(self, rng: np.random.Generator) -> Patch:
        """One patch, real with the mixture's probability."""
        while True:
            real = self.synthetic is None or rng.random() < self._real_share
            spliced = real and bool(self._cuttable) and rng.random() < self.mixture.spliced_share
            patch = self._spliced(rng) if spliced else self._real(rng) if real else self._synthetic(rng)
            if patch is not None:
                return patch

    def _synthetic(self, rng: np.random.Generator) -> Patch | None:
        assert self.synthetic is not None  # noqa: S101 - draw() asks only then
        crop = self.synthetic[int(rng.integers(len(self.synthetic)))]
        line = crop.lines[rng.integers(len(crop.lines))]
        if np.linalg.norm(line.quads[:, 3] - line.quads[:, 0], axis=1).max() < MIN_CHARACTER_PX:
            return None
        if len(crop.lines) == 1 and rng.random() < 0.06:
            return self._patch(crop.image, whole(crop.image, rng), line.text, rng, 0.0)
        return self._patch(crop.image, line_quad(line.quads), line.text, rng, SYNTHETIC_STRENGTH)

    def _real(self, rng: np.random.Generator) -> Patch | None:
        crop = self.real[min(int(np.searchsorted(self._shares, rng.random())), len(self.real) - 1)]
        number = int(rng.integers(len(crop.lines)))
        quads = self.words.get(crop.file_name)
        if quads is not None and len(quads) == len(crop.lines) and rng.random() < 0.96:
            quad = quads[number] * np.float32(crop.scale)
            return self._patch(crop.image, quad, crop.lines[number], rng, REAL_STRENGTH)
        if len(crop.lines) > 1 and self.words:
            return None
        guess = whole(crop.image, rng, number, len(crop.lines))
        return self._patch(crop.image, guess, crop.lines[number], rng, REAL_STRENGTH)

    def _spliced(self, rng: np.random.Generator) -> Patch | None:
        head, tail = (self._cuttable[int(rng.integers(len(self._cuttable)))] for _ in range(2))
        image, target = splice(head, tail, rng)
        if len(target) > LONGEST:
            return None
        return Patch(disturb(image, rng, REAL_STRENGTH) if self.mixture.augment else image, target)

    def _patch(
        self, image: NDArray[np.uint8], quad: NDArray[np.float32], text: str, rng: np.random.Generator, strength: float
    ) -> Patch | None:
        if not readable(text):
            return None
        target = tuple(CODE[character] for character in text)
        if not self.mixture.augment:
            return Patch(warp_word(image, quad), target)
        # What is small already bears little more.
        height = float(np.linalg.norm(quad[3] - quad[0]) + np.linalg.norm(quad[2] - quad[1])) / 2
        bearable = strength * float(np.clip(height / 16, 0.4, 1.0))
        return Patch(disturb(warp_word(image, jitter(quad, rng), *margins(rng)), rng, bearable), target)


def readable(text: str) -> bool:
    """Whether a line has characters, all of which the network has classes for."""
    return bool(text) and all(character in CODE for character in text)


def whole(image: NDArray[np.uint8], rng: np.random.Generator, line: int = 0, lines: int = 1) -> NDArray[np.float32]:
    """The whole crop (or its upper or lower half) as one line, with random edges.

    The quad lies inside by the patch's margins, so that these end about where the crop does.
    """
    height, width = image.shape
    x0, x1 = rng.uniform(-0.02, 0.06) * width, (1 - rng.uniform(-0.02, 0.06)) * width
    y0, y1 = height * line / lines, height * (line + 1) / lines
    y0, y1 = y0 + rng.uniform(0.0, 0.16) * height / lines, y1 - rng.uniform(0.0, 0.16) * height / lines
    inset_y = MARGIN_Y * (y1 - y0) / (1 + 2 * MARGIN_Y)
    inset_x = min(MARGIN_X * (y1 - y0 - 2 * inset_y), 0.3 * (x1 - x0))
    x0, x1, y0, y1 = x0 + inset_x, x1 - inset_x, y0 + inset_y, y1 - inset_y
    return np.array([[x0, y0], [x1, y0], [x1, y1], [x0, y1]], np.float32)
