"""Lines of real crops by their known text: search quads, keep those under which the CRNN finds the text likely.

A line finder's own count of characters says nothing where it fails. The transcription does: of many guesses at a
line's quad (found in turned, sheared and enlarged views of the crop, and random changes of the best ones) the one
with the lowest CTC loss of the known text is kept, and the CTC alignment tells where each character stands in it.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from cloud_apis.craft.postprocess import line_quads
from cloud_apis.craft.preprocess import HEIGHT_PX, WIDTH_PX
from cloud_apis.craft.straighten import Window, frame_of, text_window
from cloud_apis.crnn.preprocess import shown, warp_word
from tools.training.craft.ctc import CODE, losses, places
from tools.training.craft.pseudo import Score

Quad = NDArray[np.float32]
Read = Callable[[NDArray[np.float32]], NDArray[np.float32]]
"""The recogniser: patches (N, 1, h, w) to logits (N, T, 37)."""

BATCH = 16
PLACE_BIAS = 0.08
"""The CRNN fires this part of a line's height before a character's middle (measured on synthetic lines)."""
CERTAIN = 0.4
"""Loss per line (nats) below which the finder's own quads need no search."""
MOVED = 0.3
GUESSED = 0.5
"""Penalties (nats) of randomly changed and of guessed quads: the finder's are tighter where they read as well."""
STRAIGHT = np.deg2rad(4.0)
PLAIN = 0.15
"""Text turned and leaning no more than this, of no more loss, is not looked at in a straightened view."""
LOOSE = 0.3
"""Ends of changed or guessed quads further from the characters than this part of the height are cut."""


@dataclass(frozen=True)
class Aligned:
    """One crop's lines: a quad per line in crop pixels, its loss (nats), its characters' quads (n, 4, 2)."""

    quads: tuple[Quad, ...]
    losses: tuple[float, ...]
    characters: tuple[NDArray[np.float32], ...]


class Aligner:
    """Searches lines with a line finder's and a recogniser's network."""

    def __init__(self, score: Score, read: Read, rounds: int = 3, children: int = 24) -> None:
        self.score = score
        self.read = read
        self.rounds = rounds
        self.children = children

    def align(self, gray: NDArray[np.uint8], texts: Sequence[str], rng: np.random.Generator) -> Aligned:
        """The best quads found for the lines ``texts`` (top first) of a crop, grey uint8 (H, W)."""
        table = _Table(gray, texts, self.read)
        table.add(self._find(gray, [whole_window(gray)]))
        if table.quads and not (table.loss_now() < PLAIN and all(level(quad) for quad in table.chosen())):
            table.add(self._find(gray, [text_window(table.quads)]))
        if table.loss_now() > CERTAIN:
            table.add(self._find(gray, views(gray)))
        if table.loss_now() > CERTAIN:
            self._search(gray, table, rng)
        quads = table.chosen()
        characters = (self._characters(gray, quad, text) for quad, text in zip(quads, texts, strict=True))
        return Aligned(quads, table.chosen_losses(), tuple(characters))

    def _search(self, gray: NDArray[np.uint8], table: _Table, rng: np.random.Generator) -> None:
        table.add(guesses(gray, len(table.texts)), GUESSED)
        for number in range(self.rounds):
            parents = table.best(4)
            table.add([q for quad in parents for q in perturbed(quad, self.children // (1 + number), rng)], MOVED)
        table.add(self._find(gray, [text_window(table.chosen())]))
        trimmed = [
            trim(quad, self._characters(gray, quad, text))
            for quad, text in zip(table.chosen(), table.texts, strict=True)
        ]
        table.add(trimmed, MOVED - 0.1)

    def _find(self, gray: NDArray[np.uint8], windows: Sequence[Window]) -> list[Quad]:
        found = []
        for start in range(0, len(windows), BATCH):
            part = windows[start : start + BATCH]
            for maps, window in zip(self.score(np.stack([w.cut(gray) for w in part])), part, strict=True):
                found += [window.to_crop(quad) for quad in line_quads(maps)]
        return found

    def _characters(self, gray: NDArray[np.uint8], quad: Quad, text: str) -> NDArray[np.float32]:
        return character_quads(quad, places(self.read(warp_word(gray, quad)[None])[0], text))


class _Table:
    """Quads tried so far and each text's loss under them."""

    def __init__(self, gray: NDArray[np.uint8], texts: Sequence[str], read: Read) -> None:
        self.gray = gray
        self.texts = texts
        self.read = read
        self.quads: list[Quad] = []
        self.loss = np.zeros((0, len(texts)))

    def add(self, quads: Sequence[Quad], penalty: float = 0.0) -> None:
        quads = [quad for quad in quads if sound(quad)]
        for start in range(0, len(quads), BATCH):
            part = quads[start : start + BATCH]
            logits = self.read(np.stack([warp_word(self.gray, quad) for quad in part]))
            columns = [losses(logits, [text] * len(part)) for text in self.texts]
            self.loss = np.concatenate([self.loss, np.minimum(np.stack(columns, axis=1), 99.0) + penalty])
        self.quads += quads

    def best(self, count: int) -> list[Quad]:
        """The best quads of each line."""
        rows = {int(row) for line in range(len(self.texts)) for row in np.argsort(self.loss[:, line])[:count]}
        return [self.quads[row] for row in sorted(rows)]

    def rows(self) -> list[int]:
        """One row per line with the lowest sum of losses; of two lines the first stands above the second."""
        if not self.quads:
            return []
        if len(self.texts) == 1:
            return [int(self.loss[:, 0].argmin())]
        upper, lower = (np.argsort(self.loss[:, line])[:40] for line in (0, 1))
        pairs = [
            (self.loss[a, 0] + self.loss[b, 1], int(a), int(b))
            for a in upper
            for b in lower
            if above(self.quads[a], self.quads[b])
        ]
        return list(min(pairs)[1:]) if pairs else [int(upper[0]), int(lower[0])]

    def loss_now(self) -> float:
        return max(self.chosen_losses()) if self.quads else 99.0

    def chosen(self) -> tuple[Quad, ...]:
        return tuple(self.quads[row] for row in self.rows())

    def chosen_losses(self) -> tuple[float, ...]:
        return tuple(float(self.loss[row, line]) for line, row in enumerate(self.rows()))


def alignable(texts: Sequence[str]) -> bool:
    """Whether lines can be searched: one or two, of characters that the CRNN knows."""
    return 1 <= len(texts) <= 2 and all(text and all(character in CODE for character in text) for text in texts)


def sound(quad: Quad) -> bool:
    """Whether a quad is convex, clockwise and neither needle nor speck."""
    sides = np.roll(quad, -1, axis=0) - quad
    after = np.roll(sides, -1, axis=0)
    turn = sides[:, 0] * after[:, 1] - sides[:, 1] * after[:, 0]
    return bool(np.isfinite(quad).all() and (turn > 1.0).all())


def level(quad: Quad) -> bool:
    """Whether text runs level and upright."""
    along, down, _ = frame_of(quad)
    return bool(abs(along[1]) < STRAIGHT and abs(down[0]) < 2 * STRAIGHT)


def trim(quad: Quad, characters: NDArray[np.float32]) -> Quad:
    """Cut a quad's ends where they lie far from its first and last characters (n, 4, 2)."""
    along, _, height = frame_of(quad)
    left, right = characters[0, [0, 3]], characters[-1, [1, 2]]
    result = quad.copy()
    if (left.mean(axis=0) - quad[[0, 3]].mean(axis=0)) @ along > LOOSE * height:
        result[[0, 3]] = left
    if (quad[[1, 2]].mean(axis=0) - right.mean(axis=0)) @ along > LOOSE * height:
        result[[1, 2]] = right
    return result


def above(upper: Quad, lower: Quad) -> bool:
    """Whether one line stands above the other, seen along their common direction, without much overlap."""
    along, _, height = frame_of(max(upper, lower, key=lambda quad: float(np.linalg.norm(quad[1] - quad[0]))))
    square = np.array([-along[1], along[0]])
    gap = float((lower.mean(axis=0) - upper.mean(axis=0)) @ square)
    return gap > 0.5 * min(height, frame_of(upper)[2], frame_of(lower)[2])


def whole_window(
    gray: NDArray[np.uint8],
    angle: float = 0.0,
    lean: float = 0.0,
    zoom: float = 1.0,
    shift: tuple[float, float] = (0.0, 0.0),
) -> Window:
    """A window on the crop, turned by ``angle`` (radians) and sheared; ``shift`` in parts of the crop's size."""
    height, width = gray.shape
    along = np.array([np.cos(angle), np.sin(angle)])
    down = np.array([-np.sin(angle), np.cos(angle)]) + lean * along
    frame = np.stack([along, down])
    corners = np.array([[0, 0], [width, 0], [width, height], [0, height]]) @ np.linalg.inv(frame)
    size = (corners.max(axis=0) - corners.min(axis=0)) / zoom
    middle = np.array([(width - 1) / 2 + shift[0] * width, (height - 1) / 2 + shift[1] * height])
    return Window(middle, frame * max(size[0] / WIDTH_PX, size[1] / HEIGHT_PX))


def views(gray: NDArray[np.uint8]) -> list[Window]:
    """Turned, sheared and enlarged windows."""
    turned = [whole_window(gray, angle, 0.0, 1.15) for angle in np.deg2rad([-26, -18, -10, -5, 5, 10, 18, 26])]
    leaning = [whole_window(gray, angle, lean, 1.1) for angle in np.deg2rad([-12, 0, 12]) for lean in (-0.35, 0.35)]
    closer = [
        whole_window(gray, 0.0, 0.0, zoom, (dx, dy))
        for zoom, dx, dy in (
            (0.8, 0, 0),
            (1.4, 0, 0),
            (1.9, 0, 0),
            (1.6, -0.15, 0),
            (1.6, 0.15, 0),
            (1.6, 0, -0.15),
            (1.6, 0, 0.15),
        )
    ]
    return turned + leaning + closer


def guesses(gray: NDArray[np.uint8], lines: int) -> list[Quad]:
    """Quads without any finder: the whole crop, turned and tightened; its upper and lower part for two lines."""
    height, width = gray.shape
    bands = (
        [(0.5, 0.9), (0.5, 0.7), (0.5, 0.5), (0.42, 0.45), (0.58, 0.45)]
        if lines == 1
        else [(0.27, 0.4), (0.34, 0.34), (0.4, 0.3), (0.66, 0.36), (0.72, 0.36), (0.6, 0.3)]
    )
    found = []
    for middle, tall in bands:
        for wide in (0.95, 0.8, 0.65):
            for angle in np.deg2rad([-16, -8, 0, 8, 16]):
                half = np.array([wide * width, tall * height]) / 2
                box = np.array([[-1, -1], [1, -1], [1, 1], [-1, 1]]) * half
                turn = np.array([[np.cos(angle), np.sin(angle)], [-np.sin(angle), np.cos(angle)]])
                found.append((box @ turn + [width / 2, middle * height]).astype(np.float32))
    return found


def perturbed(quad: Quad, count: int, rng: np.random.Generator) -> list[Quad]:
    """Random changes of a quad: its ends (outwards more), height, place across, turn, lean and taper."""
    along, down, height = frame_of(quad)
    frame = np.stack([along, down])
    found = []
    for _ in range(count):
        inside = (quad - quad.mean(axis=0)) @ np.linalg.inv(frame) / height
        half = (inside[1:3, 0].mean() - inside[[0, 3], 0].mean()) / 2
        changed = inside.copy()
        changed[[0, 3], 0] -= rng.normal(0.12, 0.5) * rng.integers(0, 2)
        changed[[1, 2], 0] += rng.normal(0.12, 0.5) * rng.integers(0, 2)
        changed[:, 1] = changed[:, 1] * np.exp(rng.normal(0, 0.12)) + rng.normal(0, 0.1)
        changed[:, 0] += changed[:, 1] * rng.normal(0, 0.1)
        changed[:, 1] += changed[:, 0] * rng.normal(0, 0.08) / max(half, 0.5)
        changed[:, 1] *= 1 + changed[:, 0] * rng.normal(0, 0.08) / max(half, 0.5)
        found.append((changed * height @ frame + quad.mean(axis=0)).astype(np.float32))
    return found


def character_quads(quad: Quad, places_: NDArray[np.float64]) -> NDArray[np.float32]:
    """The line's quad cut into characters at ``places_`` (parts of the CRNN's patch): (n, 4, 2).

    Characters are as tall as the line; one without near neighbours is no wider than 0.75 of its height.
    """
    wide = shown(quad)
    to_patch = cv2.getPerspectiveTransform(wide, np.array([[0, 0], [1, 0], [1, 1], [0, 1]], np.float32))
    inside = cv2.perspectiveTransform(quad[None], to_patch)[0].astype(np.float64)
    height = float(np.linalg.norm(quad[3] - quad[0]) + np.linalg.norm(quad[2] - quad[1])) / 2
    length = float(np.linalg.norm(wide[1] - wide[0]) + np.linalg.norm(wide[2] - wide[3])) / 2
    unit = height / max(length, 1e-6)
    centres = np.asarray(places_) + PLACE_BIAS * unit
    steps = np.diff(centres)
    typical = float(np.median(steps)) if len(steps) else 0.6 * unit
    half = min(0.5 * typical, 0.38 * unit)
    boxes = []
    for number, middle in enumerate(centres):
        before = steps[number - 1] / 2 if number else half
        after = steps[number] / 2 if number < len(steps) else half
        left, right = middle - min(before, half) * 0.94, middle + min(after, half) * 0.94
        top, bottom = inside[:2, 1].mean(), inside[2:, 1].mean()
        boxes.append([[left, top], [right, top], [right, bottom], [left, bottom]])
    corners = np.array(boxes, np.float64).reshape(-1, 1, 2)
    return cv2.perspectiveTransform(corners, np.linalg.inv(to_patch)).reshape(-1, 4, 2).astype(np.float32)
