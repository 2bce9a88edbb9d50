"""What time it is during a drive: the GPS tells it once it has fixes, the system's clock until then.

Frames are stamped by the monotonic clock; their UTC is that plus one offset. When the offset turns out wrong (the
receiver tells the time, or the system's clock is set), what was stamped before is wrong by the same amount: a
`Correction` says by how much, and `Timeline` applies it.
"""

from __future__ import annotations

import logging
import sys
import threading
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from edge_client.types import Fix, UtcSource

_LOG = logging.getLogger(__name__)
_STEP_S = 0.5
"""A greater difference is a clock that was set; a smaller one is delay on the line, or drift."""
_AGREEING_FIXES = 3
_KEPT_OFFSETS = 60
_SLOW_READING_S = 0.05
_STAMPED_WITHIN_S = 2.0
"""A frame is stamped within this time of its capture."""
_EARLIEST = datetime(2024, 1, 1, tzinfo=UTC)
"""Earlier times come from clocks that nobody set, and from receivers whose week number rolled over."""


@dataclass(frozen=True, slots=True)
class Correction:
    """The clock of a drive was set: all UTC times stamped so far in it move by ``shift`` and come from ``source``.

    ``at`` is when that was by the clock as it went before, ``monotonic_s`` by the monotonic clock.
    """

    drive: str
    shift: timedelta
    source: UtcSource
    at: datetime
    monotonic_s: float


class Clock:
    """Tells UTC for monotonic times of one drive, whose uid is ``drive``; may be used from any thread."""

    def __init__(
        self,
        drive: str = "",
        *,
        wall_s: Callable[[], float] = time.time,
        monotonic_s: Callable[[], float] = time.monotonic,
    ) -> None:
        self._drive = drive
        self._listeners: list[Callable[[Correction], None]] = []
        self._wall_s = wall_s
        self._monotonic_s = monotonic_s
        self._lock = threading.Lock()
        self._source = UtcSource.SYSTEM
        self._offset_s = 0.0
        self._stamped = False
        self._system_offset_s: float | None = None
        self._told: deque[float] = deque(maxlen=_KEPT_OFFSETS)
        self._odd: deque[float] = deque(maxlen=_AGREEING_FIXES)

    @property
    def source(self) -> UtcSource:
        """What tells the time now."""
        return self._source

    @property
    def is_set(self) -> bool:
        """Whether the time can be right: the GPS tells it, or the system's clock has been set at all."""
        return self._source is UtcSource.GPS or self._wall_s() >= _EARLIEST.timestamp()

    def subscribe(self, listener: Callable[[Correction], None]) -> None:
        """Have each correction told, before any time of the new reckoning is given out.

        The listener is called from the thread that noticed; it must not block, and not call the clock.
        """
        with self._lock:
            self._listeners.append(listener)

    def utc(self, monotonic_s: float) -> tuple[datetime, UtcSource]:
        """UTC at a moment of the monotonic clock that has just been, and what told it.

        Once the GPS has told the time it goes on by the monotonic clock, through tunnels too.
        """
        with self._lock:
            self._look_at_system()
            self._stamped = True
            return datetime.fromtimestamp(_running_s(monotonic_s) + self._offset_s, UTC), self._source

    def observe(self, fix: Fix) -> None:
        """Take the time of a fix, received at its ``monotonic_s``.

        The line delays fixes, never the reverse: the greatest offset of the last ones is the least delayed. A new
        offset counts once three fixes in a row agree.
        """
        if fix.utc is None or fix.utc < _EARLIEST:
            return
        offset_s = fix.utc.timestamp() - _running_s(fix.monotonic_s)
        with self._lock:
            if self._told and abs(offset_s - max(self._told)) > _STEP_S:
                self._odd.append(offset_s)
                if len(self._odd) < _AGREEING_FIXES or max(self._odd) - min(self._odd) > _STEP_S:
                    return
                self._told.clear()
                self._told.extend(self._odd)
            else:
                self._told.append(offset_s)
            self._odd.clear()
            if len(self._told) >= _AGREEING_FIXES:
                self._set(max(self._told), UtcSource.GPS)

    def _look_at_system(self) -> None:
        """Follow the system's clock, unless the GPS has told the time; small steps are drift."""
        before_s = self._monotonic_s()
        wall_s = self._wall_s()
        if self._system_offset_s is not None and self._monotonic_s() - before_s > _SLOW_READING_S:
            return  # we were interrupted between the two clocks
        offset_s = wall_s - _running_s(before_s)
        if self._system_offset_s is None and wall_s < _EARLIEST.timestamp():
            _LOG.warning("the system clock is not set; times will be corrected once the GPS or the network tells them")
        self._system_offset_s = offset_s
        if self._source is not UtcSource.GPS:
            self._set(offset_s, UtcSource.SYSTEM)

    def _set(self, offset_s: float, source: UtcSource) -> None:
        shift_s = offset_s - self._offset_s
        if self._stamped and abs(shift_s) > _STEP_S:
            now_s = self._monotonic_s()
            at = datetime.fromtimestamp(_running_s(now_s) + self._offset_s, UTC)
            _LOG.warning("the clock was set by %+.1f s (%s); the times of this drive are corrected", shift_s, source)
            correction = Correction(self._drive, timedelta(seconds=shift_s), source, at, now_s)
            for listener in self._listeners:
                listener(correction)
        self._offset_s = offset_s
        self._source = source


class Timeline:
    """The corrections of a drive so far, for what was stamped before them. Not for several threads at once."""

    def __init__(self) -> None:
        self._corrections: list[Correction] = []

    def add(self, correction: Correction) -> None:
        """Take the next correction in."""
        self._corrections.append(correction)

    def corrected(
        self, utc: datetime, source: UtcSource, monotonic_s: float | None = None
    ) -> tuple[datetime, UtcSource]:
        """A stamped time as it is known now, and what told it; times of a recording stay.

        Without the ``monotonic_s`` at which it was taken, a time between two reckonings of a clock that was set
        back counts as one of the later.
        """
        if source is UtcSource.RECORDING:
            return utc, source
        for index, correction in enumerate(self._corrections):
            if _stamped_before(correction, utc, monotonic_s):
                later = self._corrections[index:]
                return utc + sum((c.shift for c in later), timedelta()), later[-1].source
        return utc, source


def _stamped_before(correction: Correction, utc: datetime, monotonic_s: float | None) -> bool:
    if monotonic_s is not None:
        ago_s = correction.monotonic_s - monotonic_s
        if not 0 < ago_s <= _STAMPED_WITHIN_S:
            return ago_s > 0
        # The very frame whose stamping noticed it, say: taken before, stamped after. Its time tells.
        moved = (utc - correction.at).total_seconds() + ago_s
        return abs(moved) < abs(moved - correction.shift.total_seconds())
    forward = correction.shift > timedelta()
    return utc < correction.at + (correction.shift / 2 if forward else correction.shift)


def _running_s(monotonic_s: float) -> float:
    """The monotonic time with what the machine slept, so that waking up is no clock that was set."""
    if sys.platform != "linux":
        return monotonic_s
    slept_s = (time.clock_gettime(time.CLOCK_BOOTTIME) - time.clock_gettime(time.CLOCK_MONOTONIC) for _ in range(3))
    return monotonic_s + max(slept_s)  # being interrupted between the two makes it less
