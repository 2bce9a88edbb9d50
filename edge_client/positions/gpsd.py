"""A receiver behind gpsd: its JSON protocol over TCP, as the manual page gpsd_json(5) states it."""

from __future__ import annotations

import json
import math
import socket
import time
from collections.abc import Iterator
from contextlib import suppress
from datetime import UTC, datetime
from typing import Any

from edge_client.errors import PositionError
from edge_client.positions.delay import DelayFilter
from edge_client.positions.lines import Lines
from edge_client.positions.receiver import Heard
from edge_client.types import Fix

_WATCH = b'?WATCH={"enable":true,"json":true}\n'
_DEVICES = b"?DEVICES;\n"
_CONNECT_S = 5.0
_CHUNK = 65536
_FIX_MODES = (2, 3)
_SIMULATED = 8
_FASTEST_MPS = 1000.0
_MOST_SATELLITES = 1000
_OTHER_DEVICE_AFTER_S = 10.0


class Gpsd:
    """The daemon on a host."""

    def __init__(self, host: str, port: int, *, silence_s: float = 10.0) -> None:
        self._address = host, port
        self._silence_s = silence_s
        self._socket: socket.socket | None = None
        self._interrupted = False

    @property
    def name(self) -> str:
        """Host and port."""
        return f"gpsd at {self._address[0]}:{self._address[1]}"

    def interrupt(self) -> None:
        """Let `listen` end soon."""
        self._interrupted = True
        connection = self._socket
        if connection is not None:
            with suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)

    def listen(self) -> Iterator[Heard]:
        """See `Link`: each report of the daemon that says something about a fix, until the connection is lost."""
        try:
            with socket.create_connection(self._address, timeout=_CONNECT_S) as connection:
                self._socket = connection
                connection.settimeout(self._silence_s)
                connection.sendall(_WATCH)
                yield from self._reports(connection)
        except TimeoutError:
            raise PositionError(f"{self.name} does not answer") from None
        except OSError as error:
            raise PositionError(f"{self.name}: {error.strerror or error}") from None
        finally:
            self._socket = None

    def _reports(self, connection: socket.socket) -> Iterator[Heard]:
        lines, reports = Lines(), Reports()
        asked = False
        while not self._interrupted:
            try:
                data = connection.recv(_CHUNK)
                asked = False
            except TimeoutError:
                if asked:
                    raise
                asked = True
                connection.sendall(_DEVICES)  # without a receiver the daemon has nothing to say unless it is asked
                continue
            if not data:
                raise PositionError(f"{self.name} closed the connection")
            for line, arrived_s in lines.add(data, time.monotonic()):
                if line.strip():
                    yield reports.add(line, arrived_s)


class Reports:
    """Makes fixes of the daemon's lines: TPV holds time and place, SKY satellites and HDOP."""

    def __init__(self) -> None:
        self._delay = DelayFilter()
        self._satellites: int | None = None
        self._hdop: float | None = None
        self._moment: tuple[str, float] | None = None
        self._device: tuple[object, float] | None = None

    def add(self, line: str, arrived_s: float) -> Heard:
        """What one line says; one with values that nobody can mean is broken."""
        try:
            return self._said(json.loads(line), arrived_s)
        except (ValueError, RecursionError, OverflowError):
            return Heard(broken=True)

    def _said(self, report: object, arrived_s: float) -> Heard:
        if not isinstance(report, dict):
            return Heard(broken=True)
        match report.get("class"):
            case "TPV":
                return self._position(report, arrived_s)
            case "SKY":
                self._sky(report)
            case "DEVICES":
                return Heard(notice="" if report.get("devices") else "gpsd has no receiver")
            case "DEVICE" if report.get("activated") == 0:
                return Heard(notice="gpsd lost its receiver")
            case "ERROR":
                return Heard(notice=f"gpsd says: {str(report.get('message'))[:100]}")
        return Heard()

    def _sky(self, report: dict[str, Any]) -> None:
        used = report.get("uSat")
        satellites = report.get("satellites")
        if not isinstance(used, int) and isinstance(satellites, list):  # before gpsd 3.23 they have to be counted
            used = sum(isinstance(s, dict) and s.get("used") is True for s in satellites)
        self._satellites = used if isinstance(used, int) and 0 <= used <= _MOST_SATELLITES else self._satellites
        self._hdop = _number(report, "hdop", 0.0, 100.0) or self._hdop

    def _position(self, report: dict[str, Any], arrived_s: float) -> Heard:
        if not self._same_receiver(report.get("device"), arrived_s):
            return Heard()
        if report.get("mode") not in _FIX_MODES or report.get("status") == _SIMULATED:
            return Heard(void=True)
        latitude, longitude = _number(report, "lat", -90.0, 90.0), _number(report, "lon", -180.0, 180.0)
        if latitude is None or longitude is None or latitude == longitude == 0:
            return Heard(void=True)
        text = report.get("time")
        utc = _utc(text)
        if utc is None or not isinstance(text, str):
            received_s = arrived_s
        elif self._moment is not None and self._moment[0] == text:
            received_s = self._moment[1]
        else:
            received_s = self._delay.steady_s(utc.timestamp(), arrived_s)
            self._moment = text, received_s
        return Heard(
            Fix(
                latitude,
                longitude,
                utc,
                received_s,
                _number(report, "speed", 0.0, _FASTEST_MPS),
                _number(report, "track", 0.0, 360.0),
                self._satellites,
                self._hdop,
            ),
            notice="",
        )

    def _same_receiver(self, device: object, arrived_s: float) -> bool:
        """Of several receivers the first that talks counts, until it is silent."""
        known = self._device
        if known is not None and device != known[0] and arrived_s - known[1] < _OTHER_DEVICE_AFTER_S:
            return False
        self._device = device, arrived_s
        return True


def _number(report: dict[str, Any], key: str, least: float, most: float) -> float | None:
    value = report.get(key)
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not math.isfinite(value):
        return None
    return float(value) if least <= value <= most else None


def _utc(text: object) -> datetime | None:
    if not isinstance(text, str):
        return None
    try:
        utc = datetime.fromisoformat(text)
    except ValueError:
        return None
    return utc.astimezone(UTC) if utc.tzinfo is not None else None
