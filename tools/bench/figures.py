"""Medians, percentiles and slopes of measurements."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True, slots=True)
class Timing:
    """Durations of repeated runs, in seconds."""

    median_s: float
    p99_s: float
    least_s: float
    repeats: int

    @property
    def rate_hz(self) -> float:
        """Runs per second at the median."""
        return 1.0 / self.median_s if self.median_s > 0 else math.inf


def timing(durations_s: Sequence[float]) -> Timing:
    """Figures of these durations; raises ValueError without any."""
    if not durations_s:
        raise ValueError("nothing was measured")
    median, p99 = np.percentile(durations_s, (50, 99))
    return Timing(float(median), float(p99), min(durations_s), len(durations_s))


def timed(run: Callable[[], object], *, warm_up: int, repeats: int) -> Timing:
    """Times `run` so many times, after as many runs that do not count as `warm_up` says."""
    for _ in range(warm_up):
        run()
    durations = []
    for _ in range(repeats):
        start = time.perf_counter()
        run()
        durations.append(time.perf_counter() - start)
    return timing(durations)


def slope(times: Sequence[float], values: Sequence[float]) -> float:
    """Slope of the straight line through the points by least squares, in values per unit of time.

    0 when the points do not determine a line.
    """
    if len(times) < 2 or max(times) == min(times):
        return 0.0
    return float(np.polyfit(times, values, 1)[0])
