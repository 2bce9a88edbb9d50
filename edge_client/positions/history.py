"""The fixes of the last while: from them comes the position at any moment."""

from __future__ import annotations

import threading
from bisect import bisect_right
from dataclasses import replace

from edge_client.positions.geometry import between, carried_on, course_between, distance_m
from edge_client.types import Fix

_KEPT_S = 900.0
_NOISE_M = 50.0
_AGREEING_JUMPS = 3
_MOVING_MPS = 0.5
"""Slower receivers stand: their course is noise."""
_ROUNDING_S = 1e-9
_TOLD_LATER = ("speed_mps", "course_deg", "satellites", "hdop")
_COMPLETES_S = 1.5
"""A fix may still be completed by the one before it that is no older: receivers tell one a second, or more."""


class FixHistory:
    """Fixes in the order of their time, which is ``Fix.monotonic_s`` (any clock in seconds); for several threads.

    ``max_age_s``: an older fix is no position, and nothing is known between two that lie farther apart.
    ``carry_on_s``: how long speed and course tell how it went on. ``max_speed_mps``: who would have had to drive
    faster has not been there; such a jump is left out, unless the next fixes agree with it.
    ``kept_s``: how long fixes are kept, None for ever.
    """

    def __init__(
        self, max_age_s: float, carry_on_s: float, max_speed_mps: float, kept_s: float | None = _KEPT_S
    ) -> None:
        self._max_age_s = max_age_s
        self._carry_on_s = carry_on_s
        self._max_speed_mps = max_speed_mps
        self._kept_s = kept_s
        self._lock = threading.Lock()
        self._fixes: list[Fix] = []
        self._times_s: list[float] = []
        self._jumps: list[Fix] = []

    @property
    def latest(self) -> Fix | None:
        """The newest fix that was taken in, with what only the one before has told so far."""
        with self._lock:
            return self._completed(len(self._fixes) - 1) if self._fixes else None

    def put(self, fix: Fix) -> bool:
        """Take a fix in, or more of the latest one; False if it was left out because nobody could get there."""
        with self._lock:
            if self._times_s and fix.monotonic_s == self._times_s[-1]:
                self._fixes[-1] = fix
                return True
            if not self._believable(fix):
                return False
            while self._times_s and self._times_s[-1] >= fix.monotonic_s:
                self._times_s.pop()
                self._fixes.pop()
            self._fixes.append(fix)
            self._times_s.append(fix.monotonic_s)
            if self._kept_s is not None and self._times_s[0] < fix.monotonic_s - 2 * self._kept_s:
                old = bisect_right(self._times_s, fix.monotonic_s - self._kept_s)
                del self._fixes[:old], self._times_s[:old]
            return True

    def at(self, monotonic_s: float) -> Fix | None:
        """The position at a moment: between two fixes, or carried on from the last one; None without one.

        ``utc``, ``monotonic_s``, satellites and HDOP are those of the fix before, so that its age can be told.
        """
        with self._lock:
            index = bisect_right(self._times_s, monotonic_s + _ROUNDING_S) - 1
            if index < 0:
                return None
            before = self._completed(index)
            after = self._fixes[index + 1] if index + 1 < len(self._fixes) else None
        age_s = max(monotonic_s - before.monotonic_s, 0.0)
        if after is not None and self._connected(before, after):
            return _interpolated(before, after, age_s / (after.monotonic_s - before.monotonic_s))
        if age_s > self._max_age_s + _ROUNDING_S:
            return None
        return _carried(before, min(age_s, self._carry_on_s))

    def _completed(self, index: int) -> Fix:
        """A receiver tells each moment in several sentences: until the last one speed or satellites are missing."""
        fix = self._fixes[index]
        earlier = self._fixes[index - 1] if index > 0 else None
        if earlier is None or fix.monotonic_s - earlier.monotonic_s > _COMPLETES_S:
            return fix
        lacking = {name: getattr(earlier, name) for name in _TOLD_LATER if getattr(fix, name) is None}
        return replace(fix, **lacking) if lacking else fix

    def _connected(self, before: Fix, after: Fix) -> bool:
        return after.monotonic_s - before.monotonic_s <= self._max_age_s and self._reachable(before, after)

    def _reachable(self, first: Fix, second: Fix) -> bool:
        way_m = distance_m(_place(first), _place(second))
        return way_m <= _NOISE_M + self._max_speed_mps * abs(second.monotonic_s - first.monotonic_s)

    def _believable(self, fix: Fix) -> bool:
        """Whether one could have got there; several jumps in a row to one region are the truth after all."""
        if not self._fixes or self._reachable(self._fixes[-1], fix):
            self._jumps.clear()
            return True
        if self._jumps and self._jumps[-1].monotonic_s == fix.monotonic_s:
            return False  # more of the same one
        if self._jumps and not self._reachable(self._jumps[-1], fix):
            self._jumps.clear()
        self._jumps.append(fix)
        if len(self._jumps) < _AGREEING_JUMPS:
            return False
        self._jumps.clear()
        return True


def _interpolated(before: Fix, after: Fix, share: float) -> Fix:
    latitude, longitude = between(_place(before), _place(after), share)
    speed = before.speed_mps
    if speed is not None and after.speed_mps is not None:
        speed += share * (after.speed_mps - speed)
    course = before.course_deg
    if course is not None and after.course_deg is not None:
        course = course_between(course, after.course_deg, share)
    return replace(before, latitude_deg=latitude, longitude_deg=longitude, speed_mps=speed, course_deg=course)


def _carried(fix: Fix, time_s: float) -> Fix:
    if fix.speed_mps is None or fix.course_deg is None or fix.speed_mps < _MOVING_MPS or time_s <= 0:
        return fix
    latitude, longitude = carried_on(_place(fix), fix.speed_mps, fix.course_deg, time_s)
    return replace(fix, latitude_deg=latitude, longitude_deg=longitude)


def _place(fix: Fix) -> tuple[float, float]:
    return fix.latitude_deg, fix.longitude_deg
