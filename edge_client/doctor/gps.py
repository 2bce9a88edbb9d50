"""The receiver of positions: is it there, does it talk, does it know where it is?"""

from __future__ import annotations

import os
import threading
from dataclasses import dataclass
from datetime import datetime, timedelta

from edge_client.config import PositionSettings
from edge_client.doctor.finding import Finding, Verdict
from edge_client.doctor.machine import Machine
from edge_client.errors import DashcamError
from edge_client.overlay import position_text
from edge_client.positions.open import open_positions
from edge_client.types import Fix, GpsState, GpsStatus

_PLUG = "plug the receiver in; `ls /dev/serial/by-id`; a modem's GPS may have to be switched on (AT+QGPS=1)"
_SKY = "give the antenna a view of the sky; a first fix takes up to a few minutes"
_DIALOUT = "sudo usermod -aG dialout $USER, then log in again"


@dataclass(frozen=True, slots=True)
class Heard:
    """What came of listening: the finding, and the last fix that told the time."""

    finding: Finding
    fix: Fix | None = None

    def utc_at(self, monotonic_s: float) -> datetime | None:
        """The receiver's time at that moment of `time.monotonic`."""
        if self.fix is None or self.fix.utc is None:
            return None
        return self.fix.utc + timedelta(seconds=monotonic_s - self.fix.monotonic_s)


def listen(settings: PositionSettings, machine: Machine, seconds: float) -> Heard:
    """Opens what the settings name and listens until there is a fix, for so many seconds at most."""
    if settings.source == "serial":
        for port in (settings.device, settings.activation_device):
            if port is not None and (finding := serial_port(port, machine)) is not None:
                return Heard(finding)
    fixes: list[Fix] = []
    arrived = threading.Event()

    def on_fix(fix: Fix) -> None:
        fixes.append(fix)
        if fix.utc is not None:
            arrived.set()

    try:
        source = open_positions(settings, on_fix)
    except DashcamError as e:
        return Heard(Finding("GPS", Verdict.WRONG, str(e), "name a log with fixes: --positions LOG"))
    try:
        if source.status().state not in (GpsState.OFF, GpsState.REPLAY):
            arrived.wait(seconds)
        status = source.status()
    finally:
        source.close()
    return Heard(finding_of(status, seconds), fixes[-1] if fixes else None)


def serial_port(port: str, machine: Machine) -> Finding | None:
    """What is wrong with the port, None if it can be opened."""
    if not machine.path(port).exists():
        there = [
            str(p) for pattern in ("ttyUSB*", "ttyACM*", "ttyAMA*", "serial?") for p in machine.list("/dev", pattern)
        ]
        return Finding("GPS", Verdict.WRONG, f"there is no {port}; there are: {', '.join(there) or 'none'}", _PLUG)
    if not machine.may(port, os.R_OK | os.W_OK):
        return Finding("GPS", Verdict.WRONG, f"this account may not use {port}", _DIALOUT)
    return None


def finding_of(status: GpsStatus, seconds: float) -> Finding:
    """What the state of the receiver means."""
    why = f": {status.reason}" if status.reason else ""
    rejected = f", {status.rejected} broken lines" if status.rejected else ""
    match status.state:
        case GpsState.OFF:
            advice = "name a receiver in the settings (positions) or a log: --positions LOG"
            return Finding("GPS", Verdict.NOTE, "none is configured: reads have no position", advice)
        case GpsState.REPLAY:
            return Finding("GPS", Verdict.OK, status.reason or "a log is replayed")
        case GpsState.FIX if status.fix is not None:
            fix = status.fix
            told = f"{position_text(fix.latitude_deg, fix.longitude_deg)}{_quality(fix)}{rejected}"
            return Finding("GPS", Verdict.OK, told)
        case GpsState.CONNECTING:
            return Finding("GPS", Verdict.WRONG, f"not connected within {seconds:.0f} s{why}", _PLUG)
        case _:
            return Finding("GPS", Verdict.NOTE, f"talks, but has no fix{why}{rejected}", _SKY)


def _quality(fix: Fix) -> str:
    parts = [f"{fix.satellites} satellites"] if fix.satellites is not None else []
    parts += [f"HDOP {fix.hdop:.1f}"] if fix.hdop is not None else []
    return f", {', '.join(parts)}" if parts else ""
