"""Quantiles of durations in constant memory."""

from __future__ import annotations

import math

_SMALLEST_S = 1e-4
_STEP = 1.01
_BINS = 1700  # up to about 2,200 s


class AgeHistogram:
    """Durations in bins 1 % wide, from 0.1 ms to half an hour; what lies outside counts at the rim."""

    def __init__(self) -> None:
        self._bins = [0] * _BINS
        self._count = 0
        self._largest_s = 0.0

    def add(self, age_s: float) -> None:
        """Count one duration in seconds."""
        index = int(math.log(max(age_s, _SMALLEST_S) / _SMALLEST_S) / math.log(_STEP))
        self._bins[min(index, _BINS - 1)] += 1
        self._count += 1
        self._largest_s = max(self._largest_s, age_s)

    def quantile(self, q: float) -> float:
        """Seconds that the part ``q`` of all durations does not exceed, up to 1 % too large; 0 if none."""
        if self._count == 0:
            return 0.0
        wanted = math.ceil(q * self._count)
        seen = 0
        for index, n in enumerate(self._bins):
            seen += n
            if seen >= wanted and n:
                return min(_SMALLEST_S * _STEP ** (index + 1), self._largest_s)
        return self._largest_s
