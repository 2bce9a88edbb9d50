"""Replays a position log beside a recording: the log's first fix is the recording's start."""

from __future__ import annotations

from bisect import bisect_right
from datetime import datetime, timedelta
from pathlib import Path

from edge_client.errors import PositionError
from edge_client.positions.nmea import LogFix, fixes
from edge_client.types import Fix, GpsState, GpsStatus


class NmeaReplay:
    """Fixes of an NMEA log by media time. Raises `PositionError` when the log cannot be read or has none."""

    def __init__(self, path: Path, max_age_s: float) -> None:
        try:
            with path.open(encoding="ascii", errors="replace") as lines:
                self._fixes: list[LogFix] = list(fixes(lines))
        except OSError as error:
            raise PositionError(f"cannot read the position log {path}: {error.strerror}") from None
        if not self._fixes:
            raise PositionError(f"the position log {path} holds no valid fix (RMC, GGA or GLL with checksum)")
        start = self._fixes[0].day_s
        self._times_s = [fix.day_s - start for fix in self._fixes]
        self._max_age_s = max_age_s
        self._start_utc = self._find_start()
        self._status = f"replaying {path.name}"

    def at(self, media_time_s: float, monotonic_s: float) -> Fix | None:
        """The latest fix not newer than the capture; None when it is older than the greatest age."""
        index = bisect_right(self._times_s, media_time_s + 1e-9) - 1
        if index < 0:
            return None
        age_s = max(media_time_s - self._times_s[index], 0.0)
        if age_s > self._max_age_s:
            return None
        fix = self._fixes[index]
        return Fix(
            fix.latitude_deg,
            fix.longitude_deg,
            fix.utc,
            monotonic_s - age_s,
            fix.speed_mps,
            fix.course_deg,
        )

    def utc_at(self, media_time_s: float) -> datetime | None:
        """The log's own time, where it tells the date."""
        return self._start_utc + timedelta(seconds=media_time_s) if self._start_utc is not None else None

    def status(self) -> GpsStatus:
        """Which log is replayed."""
        return GpsStatus(GpsState.REPLAY, reason=self._status)

    def close(self) -> None:
        """Nothing is kept open."""

    def _find_start(self) -> datetime | None:
        for fix, time_s in zip(self._fixes, self._times_s, strict=True):
            if fix.utc is not None:
                return fix.utc - timedelta(seconds=time_s)
        return None


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
