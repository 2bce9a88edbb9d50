from __future__ import annotations

import contextlib
import json
import queue
import socket
import threading
from collections.abc import Iterator
from datetime import UTC, datetime

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from edge_client.errors import PositionError
from edge_client.positions.gpsd import Gpsd, Reports
from edge_client.positions.history import FixHistory
from edge_client.positions.receiver import Heard, Receiver
from edge_client.types import Fix, GpsState
from tests.edge_client.positions.test_receiver import wait_for

TPV = {
    "class": "TPV",
    "device": "/dev/ttyUSB0",
    "mode": 3,
    "time": "2026-01-02T12:00:00.500Z",
    "lat": 45.5,
    "lon": 23.5,
    "speed": 12.5,
    "track": 90.0,
}
SKY = {"class": "SKY", "hdop": 0.9, "uSat": 9}


def line(report: object) -> str:
    return json.dumps(report)


class FakeDaemon:
    """Speaks gpsd's protocol on loopback, as far as it is told to."""

    def __init__(self) -> None:
        self._server = socket.create_server(("127.0.0.1", 0))
        self.port = self._server.getsockname()[1]
        self.clients: queue.SimpleQueue[socket.socket] = queue.SimpleQueue()
        self.asked: queue.SimpleQueue[bytes] = queue.SimpleQueue()
        threading.Thread(target=self._run, daemon=True).start()

    def _run(self) -> None:
        while True:
            try:
                client, _ = self._server.accept()
                client.sendall(line({"class": "VERSION", "release": "3.25", "proto_major": 3}).encode() + b"\r\n")
                self.asked.put(client.recv(1000))
            except OSError:
                return
            self.clients.put(client)

    def close(self) -> None:
        with contextlib.suppress(OSError):
            self._server.shutdown(socket.SHUT_RDWR)  # wakes the thread that accepts
        self._server.close()


@pytest.fixture
def daemon() -> Iterator[FakeDaemon]:
    made = FakeDaemon()
    yield made
    made.close()


def test_reports_become_fixes_and_a_lost_daemon_is_found_again(daemon: FakeDaemon) -> None:
    told: queue.SimpleQueue[Fix] = queue.SimpleQueue()
    history = FixHistory(10.0, 3.0, 100.0)
    receiver = Receiver(Gpsd("127.0.0.1", daemon.port), history, 10.0, told.put, first_pause_s=0.01)
    try:
        assert daemon.asked.get(timeout=10) == b'?WATCH={"enable":true,"json":true}\n'
        client = daemon.clients.get(timeout=10)
        text = "\r\n".join([line(SKY), line(TPV), ""])
        client.sendall(text[:30].encode())
        client.sendall(text[30:].encode())
        fix = told.get(timeout=10)
        assert (fix.latitude_deg, fix.longitude_deg, fix.speed_mps, fix.course_deg) == (45.5, 23.5, 12.5, 90.0)
        assert (fix.satellites, fix.hdop) == (9, 0.9)
        assert fix.utc == datetime(2026, 1, 2, 12, 0, 0, 500000, UTC)
        wait_for(receiver, GpsState.FIX)
        client.close()
        again = daemon.clients.get(timeout=10)
        again.sendall(line({"class": "DEVICES", "devices": []}).encode() + b"\n")
        wait_for(receiver, GpsState.FIX)
        again.sendall(b"{broken\n")
        again.sendall(line({**TPV, "time": "2026-01-02T12:00:01.500Z"}).encode() + b"\n")
        assert told.get(timeout=10).utc == datetime(2026, 1, 2, 12, 0, 1, 500000, UTC)
        assert receiver.status().rejected == 1
        again.close()
    finally:
        receiver.close()
    assert not receiver._thread.is_alive()


def test_a_daemon_that_is_not_there_or_silent_is_an_error_with_a_reason(daemon: FakeDaemon) -> None:
    silent = Gpsd("127.0.0.1", daemon.port, silence_s=0.05).listen()
    next(silent)  # its version
    with pytest.raises(PositionError, match="does not answer"):
        next(silent)
    assert daemon.clients.get(timeout=10).recv(100) == b"?DEVICES;\n"
    daemon.close()
    with pytest.raises(PositionError, match="gpsd at"):
        next(Gpsd("127.0.0.1", daemon.port).listen())


@pytest.mark.parametrize(
    "report",
    [
        {**TPV, "mode": 1},
        {**TPV, "mode": 0},
        {**TPV, "status": 8},
        {**TPV, "lat": None},
        {**TPV, "lat": 95.0},
        {**TPV, "lat": "45"},
        {**TPV, "lat": 0, "lon": 0},
        {"class": "TPV", "mode": 3},
    ],
)
def test_void_reports_give_no_fix(report: object) -> None:
    assert Reports().add(line(report), 1.0) == Heard(void=True)


@pytest.mark.parametrize(
    "report",
    [
        {**TPV, "lat": 10**400},
        {**TPV, "speed": -(10**400)},
        {**SKY, "hdop": 10**400},
        {**TPV, "time": "0001-01-01T00:00:00+02:00"},
    ],
)
def test_values_that_nobody_can_mean_are_broken_and_do_not_end_it(report: object) -> None:
    reports = Reports()
    assert reports.add(line(report), 1.0) == Heard(broken=True)
    assert reports.add(line(TPV), 2.0).fix is not None


def test_a_number_of_satellites_that_no_sky_has_is_not_taken() -> None:
    reports = Reports()
    reports.add(line(SKY), 1.0)
    reports.add(line({**SKY, "uSat": 10**20}), 1.0)
    fix = reports.add(line(TPV), 2.0).fix
    assert fix is not None
    assert fix.satellites == 9


def test_reports_of_one_time_are_one_moment_and_another_receiver_is_not_mixed_in() -> None:
    reports = Reports()
    first, second = reports.add(line(TPV), 10.0).fix, reports.add(line({**TPV, "speed": 5.0}), 10.3).fix
    assert first is not None
    assert second is not None
    assert first.monotonic_s == second.monotonic_s == 10.0
    other = {**TPV, "device": "/dev/ttyUSB1"}
    assert reports.add(line(other), 11.0).fix is None
    assert reports.add(line(other), 21.0).fix is not None


def test_the_daemons_notices_are_told() -> None:
    reports = Reports()
    assert reports.add(line({"class": "DEVICES", "devices": []}), 1.0).notice == "gpsd has no receiver"
    assert reports.add(line({"class": "DEVICES", "devices": [{"path": "/dev/ttyUSB0"}]}), 1.0).notice == ""
    assert reports.add(line({"class": "DEVICE", "activated": 0}), 1.0).notice == "gpsd lost its receiver"
    assert reports.add(line({"class": "ERROR", "message": "odd"}), 1.0).notice == "gpsd says: odd"
    assert reports.add(line(TPV), 1.0).notice == ""


def test_satellites_are_counted_where_an_older_daemon_does_not_say_how_many() -> None:
    reports = Reports()
    used = [{"PRN": n, "used": n < 5} for n in range(9)]
    reports.add(line({"class": "SKY", "satellites": used}), 1.0)
    fix = reports.add(line(TPV), 1.0).fix
    assert fix is not None
    assert (fix.satellites, fix.hdop) == (5, None)


junk = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=8,
)


@settings(max_examples=40)
@given(st.sampled_from(["TPV", "SKY", "DEVICE", "DEVICES", "ERROR"]), st.sampled_from(sorted([*TPV, *SKY])), junk)
def test_no_report_breaks_it(kind: str, key: str, value: object) -> None:
    for report in ({**TPV, **SKY, "class": kind, key: value}, value, {"class": value}):
        fix = Reports().add(line(report), 1.0).fix
        assert fix is None or (abs(fix.latitude_deg) <= 90 and abs(fix.longitude_deg) <= 180)
    assert Reports().add(str(value), 1.0).fix is None
