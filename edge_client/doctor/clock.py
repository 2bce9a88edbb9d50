"""The system's clock: set at all, kept right by somebody, and kept over a power cut."""

from __future__ import annotations

import ctypes
from collections.abc import Callable
from datetime import UTC, datetime

from edge_client.doctor.finding import Finding, Verdict
from edge_client.doctor.machine import Machine

_FIRST_YEAR = 2024  # this program was not written before: an earlier clock was never set
_TIMEX_BYTES = 512  # larger than struct timex on any machine
_TIME_ERROR = 5  # adjtimex(2): the clock is not synchronised
_MOST_OFF_S = 2.0
_SET_IT = "connect it to a network once (timedatectl set-ntp true), or give it a GPS receiver or a clock chip (DS3231)"


def clock(machine: Machine, now: datetime, synchronised: bool | None, gps_utc: datetime | None) -> Finding:
    """The clock of this moment.

    Args:
        machine: where the clock chip is looked for.
        now: what the clock says.
        synchronised: whether the kernel thinks that it is kept right; None if it does not tell.
        gps_utc: what a GPS receiver said at the same moment, None without a fix.
    """
    text = f"{now:%Y-%m-%d %H:%M:%S} UTC"
    if now.year < _FIRST_YEAR:
        return Finding("clock", Verdict.WRONG, f"{text}: was never set", _SET_IT)
    if gps_utc is not None:
        off_s = (now - gps_utc).total_seconds()
        if abs(off_s) > _MOST_OFF_S:
            side = "ahead of" if off_s > 0 else "behind"
            told = f"{text}: {abs(off_s):.0f} s {side} GPS"
            return Finding(
                "clock", Verdict.NOTE, told, "reads take their time from GPS; for other programs: " + _SET_IT
            )
        return Finding("clock", Verdict.OK, f"{text}, {abs(off_s):.1f} s from GPS")
    chip = bool(machine.list("/sys/class/rtc", "rtc*"))
    kept = "with a clock chip" if chip else "without a clock chip"
    if synchronised is False:
        advice = "" if chip else "after a power cut it is wrong until there is GPS or a network: " + _SET_IT
        return Finding("clock", Verdict.NOTE, f"{text}, set by nobody right now, {kept}", advice)
    return Finding(
        "clock", Verdict.OK, f"{text}, {'synchronised' if synchronised else 'no word whether kept right'}, {kept}"
    )


def kernel_synchronised(adjtimex: Callable[[object], int] | None = None) -> bool | None:
    """Whether NTP or PTP keeps the clock right, as `adjtimex(2)` says without setting anything; None if it fails."""
    if adjtimex is None:
        try:
            adjtimex = ctypes.CDLL(None).adjtimex
        except (OSError, AttributeError):
            return None
    state = adjtimex(ctypes.create_string_buffer(_TIMEX_BYTES))
    return None if state < 0 else state != _TIME_ERROR


def utc_now() -> datetime:
    """The clock."""
    return datetime.now(UTC)
