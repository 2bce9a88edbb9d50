"""Replays a position log beside a recording: the log's first fix is the recording's start."""

from __future__ import annotations

import time
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path

from edge_client.errors import PositionError
from edge_client.positions.history import FixHistory
from edge_client.positions.moments import MomentFix, fixes
from edge_client.types import Fix, GpsState, GpsStatus

_CARRY_ON_S = 3.0
_MAX_SPEED_MPS = 100.0


class NmeaReplay:
    """Fixes of an NMEA log by media time. Raises `PositionError` when the log cannot be read or has none.

    The times are as for `FixHistory`.
    """

    def __init__(
        self, path: Path, max_age_s: float, carry_on_s: float = _CARRY_ON_S, max_speed_mps: float = _MAX_SPEED_MPS
    ) -> None:
        try:
            with path.open(encoding="ascii", errors="replace") as lines:
                found = list(fixes(lines))
        except OSError as error:
            raise PositionError(f"cannot read the position log {path}: {error.strerror}") from None
        if not found:
            raise PositionError(f"the position log {path} holds no valid fix (RMC, GGA, GNS or GLL with checksum)")
        start_s = found[0].day_s
        self._history = FixHistory(max_age_s, carry_on_s, max_speed_mps, kept_s=None)
        self._jumps = sum(not self._history.put(to_fix(fix, fix.day_s - start_s)) for fix in found)
        dated = next((fix for fix in found if fix.utc is not None), None)
        self._start_utc: datetime | None = None
        if dated is not None and dated.utc is not None:
            self._start_utc = dated.utc - timedelta(seconds=dated.day_s - start_s)
        self._latest: tuple[float, Fix | None] = float("-inf"), None
        self._status = f"replaying {path.name}"

    def at(self, media_time_s: float, monotonic_s: float) -> Fix | None:
        """The position at the capture, between the fixes before and after it or carried on from the last one.

        None before the first fix, and when the last one is older than the greatest age.
        """
        fix = self._history.at(media_time_s)
        if fix is not None:
            fix = replace(fix, monotonic_s=monotonic_s - max(media_time_s - fix.monotonic_s, 0.0))
        if media_time_s >= self._latest[0]:  # earlier moments are asked for again
            self._latest = media_time_s, fix
        return fix

    def utc_at(self, media_time_s: float) -> datetime | None:
        """The log's own time, where it tells the date."""
        return self._start_utc + timedelta(seconds=media_time_s) if self._start_utc is not None else None

    def status(self) -> GpsStatus:
        """Which log is replayed, and the position at the latest capture; ``rejected`` fixes were jumps."""
        _, fix = self._latest
        age_s = None if fix is None else max(time.monotonic() - fix.monotonic_s, 0.0)
        return GpsStatus(GpsState.REPLAY, fix, age_s, self._jumps, self._status)

    def close(self) -> None:
        """Nothing is kept open."""


class NoPosition:
    """For drives without a receiver: there is never a fix."""

    def at(self, media_time_s: float, monotonic_s: float) -> Fix | None:
        """None."""
        return None

    def utc_at(self, media_time_s: float) -> datetime | None:
        """None: the clock tells the time."""
        return None

    def status(self) -> GpsStatus:
        """There is no receiver."""
        return GpsStatus(GpsState.OFF)

    def close(self) -> None:
        """Nothing is kept open."""


def to_fix(fix: MomentFix, received_s: float) -> Fix:
    """The fix as it flows through a drive, received at this time of the clock that matters."""
    return Fix(
        fix.latitude_deg,
        fix.longitude_deg,
        fix.utc,
        received_s,
        fix.speed_mps,
        fix.course_deg,
        fix.satellites,
        fix.hdop,
    )
