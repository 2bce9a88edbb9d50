"""From CRAFT's maps to the plate's text lines (after Baek et al., 2019, with lines fitted through character mass).

The region map of a character is trained as a Gaussian of known spread inside its box, so the box of a whole line
follows from moments: where the mass lies (centre line), how it spreads across (height, which may grow along a
line seen in perspective) and how it leans (slant).
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

STRIDE = 2
SIGMA = 0.42
"""Spread of a character's Gaussian as a part of half its box; the targets of training use the same."""

REGION_THRESHOLD = 0.35
AFFINITY_THRESHOLD = 0.30
PEAK_THRESHOLD = 0.42
_CUT = -math.log(REGION_THRESHOLD)
KEPT_SPREAD = SIGMA * math.sqrt((1 - REGION_THRESHOLD * (1 + _CUT)) / (1 - REGION_THRESHOLD))
"""Deviation, as a part of half a box, of a 2-D Gaussian cut off at the region threshold."""

SMALL_PRINT = 0.55
"""Lines lower than this part of the main one are small print."""

BESIDE = 0.5
"""A second line lies above or below the main one by at least this part of its own length."""

STRAY_MASS = 0.08
STEEPEST = 0.6
"""Characters lean no more than this (shear)."""

MIN_CELLS = 4
MAX_PIECES = 16
"""Noise may give hundreds of specks: only the pieces with most character mass are looked at."""


@dataclass(frozen=True)
class _Mass:
    """Map cells of one line: positions (n, 2) in map cells (x, y), region scores (n,), numbers of their blobs (n,).

    A blob is mostly one character, for between Gaussians the region map falls below its threshold.
    """

    points: NDArray[np.float64]
    weights: NDArray[np.float64]
    blobs: NDArray[np.intp]

    def joined(self, other: _Mass) -> _Mass:
        return _Mass(
            np.concatenate([self.points, other.points]),
            np.concatenate([self.weights, other.weights]),
            np.concatenate([self.blobs, other.blobs]),
        )


@dataclass(frozen=True)
class _Axis:
    """A line's own frame: ``centre``, unit ``along`` and ``across``; height, slant, growth of height along."""

    centre: NDArray[np.float64]
    along: NDArray[np.float64]
    across: NDArray[np.float64]
    height: float
    start: float
    end: float


def peaks(region: NDArray[np.float32]) -> NDArray[np.intp]:
    """Character centres: local maxima of the region map (48, 96) as (n, 2) cells (y, x)."""
    highest = cv2.dilate(region, np.ones((3, 3), np.uint8))
    return np.argwhere((region >= highest) & (region > PEAK_THRESHOLD))


def line_quads(score: NDArray[np.float32]) -> list[NDArray[np.float32]]:
    """The text lines of one crop.

    ``score`` is (2, 48, 96) float32: region and affinity, 0..1, stride 2. Returns one (4, 2) float32 quad per line
    in network input pixels (192 x 96), clockwise from the text's top left, tight around the characters, in
    reading order (top line first); empty when nothing looks like a character. Small print is left out.
    """
    region = np.ascontiguousarray(score[0])
    lines = _merge_rows([(mass, _axis(mass)) for mass in _components(region, score[1])])
    kept = _without_strays(lines)
    kept.sort(key=lambda line: float(line[1].centre[1]))
    return [_quad(mass, axis) for mass, axis in kept]


def _without_strays(lines: list[tuple[_Mass, _Axis]]) -> list[tuple[_Mass, _Axis]]:
    """Leave out small print, and pieces that do not stand above or below the main line (seals, grilles)."""
    if not lines:
        return []
    main = max(lines, key=lambda line: float(line[0].weights.sum()))
    mass, axis = main
    kept = [main]
    for other in lines:
        if other is main or other[1].height < SMALL_PRINT * axis.height:
            continue
        along = (other[0].points - axis.centre) @ axis.along
        length = max(1.0, float(along.max() - along.min()))
        shared = min(float(along.max()), axis.end) - max(float(along.min()), axis.start)
        if shared >= BESIDE * length and other[0].weights.sum() >= STRAY_MASS * mass.weights.sum():
            kept.append(other)
    # A tall stray cannot make the main line small print, for the main line is the one with most character mass.
    return kept


def _components(region: NDArray[np.float32], affinity: NDArray[np.float32]) -> list[_Mass]:
    """Characters that affinity links, one mass per group."""
    linked = ((region > REGION_THRESHOLD) | (affinity > AFFINITY_THRESHOLD)).astype(np.uint8)
    _, labels = cv2.connectedComponents(linked, connectivity=4)
    inside = region > REGION_THRESHOLD
    _, blobs = cv2.connectedComponents(inside.astype(np.uint8), connectivity=4)
    y, x = np.nonzero(inside)
    order = np.argsort(labels[y, x], kind="stable")
    y, x = y[order], x[order]
    _, first = np.unique(labels[y, x], return_index=True)
    masses = [
        _Mass(
            np.stack([xs, ys], axis=1).astype(np.float64),
            region[ys, xs].astype(np.float64),
            blobs[ys, xs].astype(np.intp),
        )
        for ys, xs in zip(np.split(y, first[1:]), np.split(x, first[1:]), strict=True)
        if len(xs) >= MIN_CELLS and region[ys, xs].max() >= PEAK_THRESHOLD
    ]
    masses.sort(key=lambda mass: -float(mass.weights.sum()))
    return masses[:MAX_PIECES]


def _axis(mass: _Mass) -> _Axis:
    """Fit the line's frame by weighted moments."""
    weights = mass.weights / mass.weights.sum()
    centre = weights @ mass.points
    offset = mass.points - centre
    covariance = (offset * weights[:, None]).T @ offset
    # Text runs more along x than y: the main axis of a long line, but level for a single, upright character.
    sxx, sxy, syy = covariance[0, 0], covariance[0, 1], covariance[1, 1]
    angle = 0.5 * np.arctan2(2 * sxy, sxx - syy) if sxx > 1.5 * syy else 0.0
    along = np.array([np.cos(angle), np.sin(angle)])
    across = np.array([-along[1], along[0]])
    u, v = offset @ along, offset @ across
    height = 2 * float(np.sqrt(weights @ (v * v) + 1e-9)) / KEPT_SPREAD
    return _Axis(centre, along, across, height, float(u.min()), float(u.max()))


def _merge_rows(lines: list[tuple[_Mass, _Axis]]) -> list[tuple[_Mass, _Axis]]:
    """Join pieces of one row whose link was missed: same height, one lying on the other's axis."""
    lines = sorted(lines, key=lambda line: float(line[1].centre[0]))
    merged: list[tuple[_Mass, _Axis]] = []
    for mass, axis in lines:
        for number, (other, base) in enumerate(merged):
            longer = base if base.end - base.start >= axis.end - axis.start else axis
            gap = abs(float((axis.centre - base.centre) @ longer.across))
            low, high = sorted((axis.height, base.height))
            if gap < 0.35 * high and low > 0.6 * high:
                both = other.joined(mass)
                merged[number] = (both, _axis(both))
                break
        else:
            merged.append((mass, axis))
    return merged


def _quad(mass: _Mass, axis: _Axis) -> NDArray[np.float32]:
    weights = mass.weights / mass.weights.sum()
    offset = mass.points - axis.centre
    u, v = offset @ axis.along, offset @ axis.across
    # Height along the line: v squared against u, a straight line by weighted least squares.
    spread = float(weights @ (u * u)) + 1e-6
    square = weights @ (v * v)
    growth = float(weights @ (u * (v * v - square))) / spread
    lean = _slant(u, v, weights, mass.blobs)
    left, right = _ends(u - lean * v, weights, axis.height)
    limit = 0.6 * square
    heights = [
        2 * float(np.sqrt(square + np.clip(growth * end, -limit, limit) + 1e-9)) / KEPT_SPREAD for end in (left, right)
    ]
    corners = []
    for end, height, side in (
        (left, heights[0], -1),
        (right, heights[1], -1),
        (right, heights[1], 1),
        (left, heights[0], 1),
    ):
        reach = side * height / 2
        corners.append(axis.centre + axis.along * (end + lean * reach) + axis.across * reach)
    return np.array((np.array(corners) + 0.5) * STRIDE - 0.5, dtype=np.float32)


def _ends(u: NDArray[np.float64], weights: NDArray[np.float64], height: float) -> tuple[float, float]:
    """Where the first and last characters end along the line, from the mass's profile."""
    low = float(u.min())
    cells = np.floor(u - low).astype(np.intp)
    profile = np.bincount(cells, weights=weights)
    strong = np.nonzero(profile > 0.1 * profile.max())[0]
    # Cells above the threshold end at 0.6 of the half width: the box's edge lies a little further out.
    outward = 0.12 * height
    return low + float(strong[0]) - 0.25 - outward, low + float(strong[-1]) + 0.75 + outward


def _slant(
    u: NDArray[np.float64], v: NDArray[np.float64], weights: NDArray[np.float64], blobs: NDArray[np.intp]
) -> float:
    """How far characters lean: shear (along per across), from the covariance of u and v within the blobs."""
    _, blob = np.unique(blobs, return_inverse=True)
    mass = np.bincount(blob, weights)
    from_u = u - (np.bincount(blob, weights * u) / mass)[blob]
    from_v = v - (np.bincount(blob, weights * v) / mass)[blob]
    lean = float(weights @ (from_u * from_v)) / (float(weights @ (from_v * from_v)) + 1e-6)
    return float(np.clip(lean, -STEEPEST, STEEPEST))
