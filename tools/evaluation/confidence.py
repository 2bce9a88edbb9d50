"""What confidences are worth: reliability, expected calibration error, coverage at thresholds. Pure functions.

A confidence is good when of all reads that claim 0.9, nine in ten are right. The expected calibration error is that
of Guo, Pleiss, Sun and Weinberger, *On Calibration of Modern Neural Networks*, 2017 (arXiv:1706.04599): over 15
equally wide bins, the mean distance between confidence and share of right ones, weighted by the bins' sizes.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from tools.evaluation.alignment import right_characters
from tools.evaluation.reading import PlateReading, plain

BINS: Final = 15
THRESHOLDS: Final = (0.5, 0.8, 0.9, 0.95)


@dataclass(frozen=True, slots=True)
class Judged:
    """A confidence in 0..1, and whether what it was claimed for is right."""

    confidence: float
    right: bool


@dataclass(frozen=True, slots=True)
class Bin:
    """The judged with a confidence above `low`, up to `high`: how many, their mean confidence, how many right."""

    low: float
    high: float
    count: int
    confidence: float
    right: int

    @property
    def rate(self) -> float:
        """Share right, 0..1; NaN in an empty bin."""
        return self.right / self.count if self.count else math.nan


@dataclass(frozen=True, slots=True)
class Reliability:
    """The bins of one kind of confidence, the expected calibration error over them and the Brier score."""

    bins: tuple[Bin, ...]
    count: int
    error: float
    brier: float


@dataclass(frozen=True, slots=True)
class Coverage:
    """Of `plates`, those `shown` at a confidence of `threshold` or more, and how many of these are `right`."""

    threshold: float
    plates: int
    shown: int
    right: int

    @property
    def share_shown(self) -> float:
        """Coverage, 0..1; NaN without plates."""
        return self.shown / self.plates if self.plates else math.nan

    @property
    def share_right(self) -> float:
        """Share right of those shown, 0..1; NaN when none is."""
        return self.right / self.shown if self.shown else math.nan


def of_plates(readings: Iterable[PlateReading]) -> list[Judged]:
    """Each plate on which something was read: its confidence, and whether all its characters are right."""
    return [Judged(r.confidence, r.exact) for r in readings if r.text]


def of_characters(readings: Iterable[PlateReading]) -> list[Judged]:
    """Each character that was read, aligned with the truth by edit distance."""
    return [
        Judged(confidence, right)
        for r in readings
        for confidence, right in zip(r.characters, right_characters(r.text, plain(r.truth)), strict=True)
    ]


def reliability(judged: Sequence[Judged], bins: int = BINS) -> Reliability:
    """The reliability over equally wide bins; errors are NaN without any judged."""
    confidences = np.array([j.confidence for j in judged], np.float64)
    right = np.array([j.right for j in judged], np.float64)
    place = np.clip(np.ceil(confidences * bins).astype(int) - 1, 0, bins - 1)
    made = []
    for i in range(bins):
        chosen = place == i
        count = int(chosen.sum())
        mean = float(confidences[chosen].mean()) if count else math.nan
        made.append(Bin(i / bins, (i + 1) / bins, count, mean, int(right[chosen].sum())))
    if not judged:
        return Reliability(tuple(made), 0, math.nan, math.nan)
    error = sum(b.count * abs(b.confidence - b.rate) for b in made if b.count) / len(judged)
    return Reliability(tuple(made), len(judged), error, float(np.mean((confidences - right) ** 2)))


def coverage(readings: Sequence[PlateReading], thresholds: Sequence[float] = THRESHOLDS) -> tuple[Coverage, ...]:
    """Coverage and right reads at each threshold."""
    found = []
    for threshold in thresholds:
        shown = [r for r in readings if r.text and r.confidence >= threshold]
        found.append(Coverage(threshold, len(readings), len(shown), sum(r.exact for r in shown)))
    return tuple(found)


def wilson(right: int, count: int, z: float = 1.959964) -> tuple[float, float]:
    """The interval that holds a share of right ones with 95 % confidence (Wilson, 1927); (0, 1) without any."""
    if not count:
        return 0.0, 1.0
    share, spread = right / count, z * z / count
    centre = (share + spread / 2) / (1 + spread)
    half = z / (1 + spread) * math.sqrt(share * (1 - share) / count + spread / count / 4)
    return max(0.0, centre - half), min(1.0, centre + half)
