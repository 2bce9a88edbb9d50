"""Thins the positions of a drive out: about one a second where it moves, and few where it stands."""

from __future__ import annotations

from edge_client.store.drives import Position
from edge_client.types import Frame

_EVERY_S = 1.0
_STANDING_EVERY_S = 30.0
_STANDING_DEG = 0.00003
"""About three metres of latitude: what a receiver at rest wanders."""
_OLDEST_FIX_S = 2.0


class Trail:
    """Which frames lengthen the track of their drive; by their own times, so that recordings are thinned alike."""

    def __init__(self) -> None:
        self._last: Position | None = None

    def add(self, frame: Frame) -> Position | None:
        """The point that a frame adds, None where it adds none: no fix, an old one, too soon, not moved."""
        fix = frame.fix
        if fix is None or (frame.fix_age_s is not None and frame.fix_age_s > _OLDEST_FIX_S):
            return None
        last = self._last
        if last is not None:
            passed_s = abs((frame.captured_utc - last.utc).total_seconds())
            moved_deg = max(abs(fix.latitude_deg - last.latitude_deg), abs(fix.longitude_deg - last.longitude_deg))
            if passed_s < (_EVERY_S if moved_deg > _STANDING_DEG else _STANDING_EVERY_S):
                return None
        self._last = Position(
            frame.captured_utc,
            fix.latitude_deg,
            fix.longitude_deg,
            fix.speed_mps,
            fix.course_deg,
            frame.utc_source,
        )
        return self._last

    def restart(self) -> None:
        """The clock was set: times before and after cannot be compared."""
        self._last = None
