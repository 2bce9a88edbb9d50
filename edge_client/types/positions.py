"""Where the car is and when: fixes of the receiver, what tells the time, and the source of positions."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Protocol


@dataclass(frozen=True, slots=True)
class Fix:
    """One position of the GPS receiver.

    Latitude and longitude are WGS 84 degrees, speed metres per second, course degrees clockwise from true
    north; what the receiver did not tell is None. ``monotonic_s`` is when the fix was received.
    """

    latitude_deg: float
    longitude_deg: float
    utc: datetime | None
    monotonic_s: float
    speed_mps: float | None = None
    course_deg: float | None = None
    satellites: int | None = None
    hdop: float | None = None


class UtcSource(StrEnum):
    """What told the time of a frame."""

    GPS = "gps"
    SYSTEM = "system"  # the system's clock, which nothing confirmed
    RECORDING = "recording"  # the log replayed beside a recording


class GpsState(StrEnum):
    """Where the receiver of positions stands."""

    OFF = "off"  # none is configured
    CONNECTING = "connecting"  # the port or the daemon is not there (yet, or any more)
    SEARCHING = "searching"  # it talks, but has no fix
    FIX = "fix"
    STALE = "stale"  # the last fix is too old
    REPLAY = "replay"  # a log, beside a recording


@dataclass(frozen=True, slots=True)
class GpsStatus:
    """State of the receiver and its last fix; ``rejected`` lines had a wrong checksum or made no sense."""

    state: GpsState
    fix: Fix | None = None
    fix_age_s: float | None = None
    rejected: int = 0
    reason: str = ""


class PositionSource(Protocol):
    """Where positions come from."""

    def at(self, media_time_s: float, monotonic_s: float) -> Fix | None:
        """The position at a capture time, between two fixes interpolated; None without one.

        A receiver that has no later fix yet carries the last one on by its speed and course. Asked again once a
        later fix has come, it gives the interpolated position.
        """

    def utc_at(self, media_time_s: float) -> datetime | None:
        """When the picture at this media time was taken, if the source of positions knows it."""

    def status(self) -> GpsStatus:
        """Where the receiver stands."""

    def close(self) -> None:
        """Give everything back; nothing else is called afterwards."""
