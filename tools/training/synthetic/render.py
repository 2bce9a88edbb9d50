"""Draw one clean plate in grey with the exact box of every character."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from tools.training.synthetic import ornaments
from tools.training.synthetic.fonts import FANCY
from tools.training.synthetic.glyphs import CAP_HEIGHT_PX, Glyphs, sheared
from tools.training.synthetic.layouts import DARK, LAYOUTS, LIGHT, Layout
from tools.training.synthetic.patterns import Token, fill

PLATE_WIDTH_PX = 420
STACKED = 0.46
ALIKE = {"0": "O", "1": "I"}
HEBREW = "".join(chr(code) for code in range(0x05D0, 0x05EB))
ARABIC = "".join(chr(code) for code in (*range(0x0660, 0x066A), *range(0x0627, 0x063B), *range(0x0641, 0x064A)))
# Widths of ornaments as parts of the line's height.
WIDTHS = {
    "gap": 0.42, "narrow": 0.14, "hyphen": 0.36, "dot": 0.22, "dots": 0.3, "seal": 0.5, "emblem": 0.75, "bar": 0.3,
    "foreign": 0.6,
}  # fmt: skip
CELLS = ((0.34, 0.54), (0.54, 0.82), (0.82, 1.2))
_WEIGHTS = np.array([layout.weight for layout in LAYOUTS])
_WEIGHTS /= _WEIGHTS.sum()


@dataclass(frozen=True)
class Line:
    """One line of registration characters: its text and, per character, a (4, 2) quad clockwise from top left."""

    text: str
    quads: NDArray[np.float32]


@dataclass(frozen=True)
class Plate:
    """A plate without its surroundings: ``image`` (H, W) float32 grey 0..255, lines from top to bottom."""

    image: NDArray[np.float32]
    lines: tuple[Line, ...]


@dataclass(frozen=True)
class _Placed:
    token: Token
    x: float
    y: float
    width: float
    height: float


@dataclass(frozen=True)
class _Hand:
    """How the characters of one plate are drawn: which look alike, how much they lean, other scripts' font."""

    alike: bool
    slope: float
    script: Glyphs | None

    def upright(self, glyphs: Glyphs, character: str) -> NDArray[np.uint8]:
        return glyphs.mask(ALIKE.get(character, character) if self.alike else character)

    def mask(self, glyphs: Glyphs, character: str) -> NDArray[np.uint8]:
        mask = self.upright(glyphs, character)
        return sheared(mask, self.slope) if self.slope else mask


def choose_layout(rng: np.random.Generator) -> Layout:
    """A layout at random, by weight."""
    return LAYOUTS[rng.choice(len(LAYOUTS), p=_WEIGHTS)]


def render(layout: Layout, glyphs: Glyphs, rng: np.random.Generator, scripts: Sequence[Glyphs] = ()) -> Plate:
    """Draw a plate of ``layout`` in one font; the same generator state gives the same plate.

    ``scripts`` are fonts of other scripts; without them their characters are drawn as strokes.
    """
    width = PLATE_WIDTH_PX
    height = round(width * layout.size_mm[1] / layout.size_mm[0] * rng.uniform(0.92, 1.08))
    paper_level, ink_level = _tones(layout, rng)
    image = ornaments.paper(height, width, paper_level, layout.tone == "mixed", rng)
    ink = np.zeros((height, width), np.float32)

    left, right = ornaments.bands(image, layout.band, paper_level, glyphs, rng)
    rows = fill(layout.patterns[rng.integers(len(layout.patterns))], layout.letters, rng)
    char_height = layout.height * height * rng.uniform(0.92, 1.06)
    printed_top = ornaments.pick(layout.top, rng, 0.85)
    printed_bottom = ornaments.pick(layout.bottom, rng, 0.75)
    middle = height * (0.5 + 0.05 * (bool(printed_top) - bool(printed_bottom)) + (layout.band == "top") * 0.1)
    pitch = char_height * rng.uniform(1.1, 1.26)
    slope = _slope(glyphs, rng)
    hand = _Hand(rng.random() < layout.alike, slope, scripts[int(rng.integers(len(scripts)))] if scripts else None)
    bold = rng.uniform(0.85, 1.0)
    lines = []
    for index, row in enumerate(rows):
        centre = middle + (index - (len(rows) - 1) / 2) * pitch
        # The lower line of two is often the larger one.
        tall = char_height * (bold if len(rows) > 1 and index == 0 else 1.0)
        placed = _place(row, left, right, centre, tall, glyphs, hand, rng)
        line = _draw_row(ink, placed, glyphs, hand, rng)
        if line.text:
            lines.append(line)
    for text, y in ((printed_top, (middle - (len(rows) * pitch) / 2) / 2), (printed_bottom, None)):
        if text:
            room = max(6.0, (height - len(rows) * pitch) / 2)
            centre_y = y if y is not None else height - room * 0.5
            ornaments.small_print(
                ink,
                text,
                (left + right) / 2,
                max(centre_y, room * 0.35),
                room * rng.uniform(0.42, 0.66),
                right - left,
                glyphs,
            )
    ornaments.border(ink, rng)
    ink = _change_stroke(ink, rng)
    if rng.random() < (0.2 if glyphs.style == FANCY else 0.04):
        _throw_shadow(image, ink, rng)
    image = image * (1 - ink) + ink_level * ink
    _emboss(image, ink, rng)
    ornaments.screws(image, rng)
    if layout.top:
        ornaments.stickers(image, glyphs, rng)
    return Plate(np.clip(image, 0, 255), tuple(lines))


def _tones(layout: Layout, rng: np.random.Generator) -> tuple[float, float]:
    light_on_dark = layout.tone == LIGHT or (layout.tone != DARK and rng.random() < 0.3)
    dark, light = rng.uniform(10, 90), rng.uniform(150, 250)
    if light_on_dark:
        return dark, light
    return light, dark


def _place(
    row: Sequence[Token], left: float, right: float, centre: float, char_height: float, glyphs: Glyphs, hand: _Hand,
    rng: np.random.Generator,
) -> list[_Placed]:  # fmt: skip
    """Lay out a row between ``left`` and ``right``; characters are squeezed when they would not fit."""
    cell = rng.uniform(
        *((0.34, 0.54) if (draw := rng.random()) < 0.12 else (0.82, 1.2) if draw > 0.85 else (0.54, 0.82))
    )
    spacing = rng.uniform(0.05, 0.2) if rng.random() < 0.82 else rng.uniform(0.2, 0.5)
    small = rng.uniform(0.45, 0.72)
    monospaced = rng.random() < 0.6
    stretch = cell * rng.uniform(0.8, 0.95) / (glyphs.mask("N").shape[1] / glyphs.mask("N").shape[0])
    gap_scale = rng.uniform(0.6, 1.5)
    sizes = []
    for token in row:
        height = char_height * (STACKED if token.stack else small if token.small else 1.0)
        if token.kind == "char":
            mask = hand.upright(glyphs, token.value)
            own = float(np.clip(mask.shape[1] / mask.shape[0] * stretch, 0.08, cell * 1.25)) * height
            advance = (max(cell * height, own) if monospaced else own) + spacing * height
            advance *= token.stack != "upper"
        else:
            own = advance = WIDTHS[token.kind] * height * (gap_scale if token.kind in ("gap", "hyphen") else 1.0)
        sizes.append((token, own, advance, height))
    total = sum(advance for _, _, advance, _ in sizes)
    squeeze = min(1.0, (right - left) * rng.uniform(0.88, 0.97) / total)
    free = (right - left) - total * squeeze
    x = left + free * (0.5 + rng.normal(0, 0.08))
    raised = rng.choice([0.0, 0.5, 1.0, rng.uniform(0, 1)])
    placed = []
    for token, own, advance, height in sizes:
        width = own * squeeze
        share = {"upper": 0.0, "lower": 1.0}.get(token.stack, raised)
        y = centre - char_height / 2 + share * (char_height - height)
        middle = x + (advance * squeeze or own * squeeze + spacing * height) / 2
        placed.append(_Placed(token, middle - width / 2, y, width, height))
        x += advance * squeeze
    return placed


def _slope(glyphs: Glyphs, rng: np.random.Generator) -> float:
    """How much the characters lean: mostly not, to the right in owners' fonts."""
    if rng.random() < (0.35 if glyphs.style == FANCY else 0.08):
        return float(rng.uniform(0.1, 0.36))
    return float(rng.uniform(-0.12, 0.12)) if rng.random() < 0.04 else 0.0


def _draw_row(
    ink: NDArray[np.float32], placed: Sequence[_Placed], glyphs: Glyphs, hand: _Hand, rng: np.random.Generator
) -> Line:
    text, quads = [], []
    for item in placed:
        if item.token.kind == "foreign" and hand.script is not None:
            signs = HEBREW if hand.script.name.startswith("heebo") else ARABIC
            mask = hand.script.mask(signs[rng.integers(len(signs))])
            high = item.height * float(np.clip(mask.shape[0] / CAP_HEIGHT_PX, 0.25, 1.1))
            wide = min(item.width, high * mask.shape[1] / mask.shape[0])
            ornaments.stamp(ink, mask, item.x, item.y + (item.height - high) / 2, wide, high)
            continue
        if item.token.kind != "char":
            ornaments.between(ink, item.token.kind, item.x, item.y, item.width, item.height, rng)
            continue
        lean = hand.slope * item.height
        mask = hand.mask(glyphs, item.token.value)
        ornaments.stamp(ink, mask, item.x - abs(lean) / 2, item.y, item.width + abs(lean), item.height)
        # A thin I or 1 still gets a box with some width: it stands for the character's cell.
        half = max(item.width, 0.36 * item.height) / 2
        upper, lower = item.x + item.width / 2 + lean / 2, item.x + item.width / 2 - lean / 2
        y0, y1 = item.y, item.y + item.height
        quads.append([[upper - half, y0], [upper + half, y0], [lower + half, y1], [lower - half, y1]])
        text.append(item.token.value)
    return Line("".join(text), np.array(quads, dtype=np.float32).reshape(-1, 4, 2))


def _change_stroke(ink: NDArray[np.float32], rng: np.random.Generator) -> NDArray[np.float32]:
    """Make strokes bolder, thinner, hollow, or leave them: paint spreads, stamps wear."""
    choice = rng.random()
    kernel = np.ones((2, 2) if rng.random() < 0.5 else (3, 3) if rng.random() < 0.7 else (5, 5), np.uint8)
    if choice < 0.27:
        return np.asarray(cv2.dilate(ink, kernel), dtype=np.float32)
    if choice < 0.4:
        return np.asarray(cv2.erode(ink, kernel[:3, :3]), dtype=np.float32)
    if choice < 0.43:
        return np.asarray(ink - rng.uniform(0.3, 0.9) * cv2.erode(ink, np.ones((6, 6), np.uint8)), dtype=np.float32)
    return ink


def _throw_shadow(image: NDArray[np.float32], ink: NDArray[np.float32], rng: np.random.Generator) -> None:
    """Characters with depth, as owners like them: a second tone behind, to the side and below."""
    dx, dy = int(rng.integers(-5, 6)), int(rng.integers(1, 6))
    depth = np.roll(ink, (dy, dx), axis=(0, 1))
    image += depth * rng.uniform(0.3, 1.0) * (rng.uniform(0, 255) - image)


def _emboss(image: NDArray[np.float32], ink: NDArray[np.float32], rng: np.random.Generator) -> None:
    """Light falls from one side on raised characters; dirt or worn paint marks their edges."""
    if rng.random() < 0.15:
        edge = cv2.dilate(ink, np.ones((5, 5), np.uint8)) - ink
        image += edge * rng.uniform(-70, 40)
    if rng.random() < 0.5:
        return
    soft = cv2.GaussianBlur(ink, (0, 0), rng.uniform(0.8, 1.8))
    angle = rng.uniform(0, 2 * np.pi)
    gradient = cv2.Sobel(soft, cv2.CV_32F, 1, 0) * np.cos(angle) + cv2.Sobel(soft, cv2.CV_32F, 0, 1) * np.sin(angle)
    image += gradient * rng.uniform(5, 32)
