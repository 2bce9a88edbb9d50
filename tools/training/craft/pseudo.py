"""Weak supervision: lines and character boxes of real crops from a half-trained CRAFT, where they fit the text."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from cloud_apis.craft.postprocess import STRIDE, line_quads, peaks
from cloud_apis.craft.preprocess import CropFit, fit_crop
from tools.training.common.crops import RealCrop
from tools.training.synthetic.render import Line
from tools.training.synthetic.scene import Crop

Score = Callable[[NDArray[np.float32]], NDArray[np.float32]]
"""The network: images (N, 1, 96, 192) to scores (N, 2, 48, 96)."""
BATCH = 32


@dataclass(frozen=True)
class Found:
    """What CRAFT found in one crop: its maps, the fit, line quads in network pixels."""

    score: NDArray[np.float32]
    fit: CropFit
    quads: list[NDArray[np.float32]]


def find(score: Score, images: Sequence[NDArray[np.uint8]]) -> list[Found]:
    """Run the network over crops (H, W) uint8."""
    results = []
    for start in range(0, len(images), BATCH):
        fitted = [fit_crop(image) for image in images[start : start + BATCH]]
        maps = score(np.stack([image for image, _ in fitted]))
        results += [Found(row, fit, line_quads(row)) for row, (_, fit) in zip(maps, fitted, strict=True)]
    return results


def centres_in(found: Found, quad: NDArray[np.float32]) -> NDArray[np.float32]:
    """Character centres inside a line's quad, left to right: (n, 2) in network pixels."""
    cells = peaks(found.score[0])[:, ::-1].astype(np.float32)
    points = (cells + 0.5) * STRIDE - 0.5
    along, down = (quad[1] - quad[0]), (quad[3] - quad[0])
    area = float(along[0] * down[1] - along[1] * down[0])
    offset = points - quad[0]
    a = (offset[:, 0] * down[1] - offset[:, 1] * down[0]) / area
    b = (along[0] * offset[:, 1] - along[1] * offset[:, 0]) / area
    inside = (a > -0.05) & (a < 1.05) & (b > 0.05) & (b < 0.95)
    points, a = points[inside], a[inside]
    points = points[np.argsort(a)]
    # Two maxima on one plateau are one character.
    height = float(np.linalg.norm(down))
    keep = [0] if len(points) else []
    for index in range(1, len(points)):
        if np.linalg.norm(points[index] - points[keep[-1]]) > 0.18 * height:
            keep.append(index)
    return np.asarray(points[keep], dtype=np.float32)


def character_quads(quad: NDArray[np.float32], centres: NDArray[np.float32]) -> NDArray[np.float32]:
    """Boxes of a line's characters: the line's quad cut half way between neighbours, (n, 4, 2)."""
    along = quad[1] - quad[0]
    length = float(np.linalg.norm(along))
    place = np.sort((centres - quad[0]) @ along / length**2)
    height = float(np.linalg.norm(quad[3] - quad[0]) + np.linalg.norm(quad[2] - quad[1])) / 2 / length
    step = float(np.median(np.diff(place))) if len(place) > 1 else 0.7 * height
    half = min(0.46 * step, 0.42 * height)
    boxes = []
    for number, middle in enumerate(place):
        left = max(0.0, middle - half) if number else 0.0
        right = min(1.0, middle + half) if number < len(place) - 1 else 1.0
        left, right = max(left, middle - 1.3 * half), min(right, middle + 1.3 * half)
        boxes.append([_at(quad, left, 0), _at(quad, right, 0), _at(quad, right, 1), _at(quad, left, 1)])
    return np.array(boxes, np.float32)


def _at(quad: NDArray[np.float32], u: float, v: float) -> NDArray[np.float32]:
    top, bottom = quad[0] + (quad[1] - quad[0]) * u, quad[3] + (quad[2] - quad[3]) * u
    return np.asarray(top + (bottom - top) * v, np.float32)


def lines_fit(found: Found, crop: RealCrop) -> bool:
    """Whether as many lines were found as the transcription has."""
    return len(found.quads) == len(crop.lines)


def labelled(found: Found, crop: RealCrop) -> Crop | None:
    """The crop with character boxes, if on every line as many centres were found as the text has characters."""
    if not lines_fit(found, crop):
        return None
    lines = []
    for text, quad in zip(crop.lines, found.quads, strict=True):
        centres = centres_in(found, quad)
        if len(centres) != len(text) or not text:
            return None
        lines.append(Line(text, found.fit.to_crop(character_quads(quad, centres))))
    return Crop(crop.image, tuple(lines))


def word_quads(found: Found, crop: RealCrop, check: bool = True) -> list[list[list[float]]]:
    """Line quads in pixels of the crop at full size; with ``check`` none unless as many as the text has lines."""
    if check and not lines_fit(found, crop):
        return []
    return [np.round(found.fit.to_crop(quad) / crop.scale, 2).tolist() for quad in found.quads]
