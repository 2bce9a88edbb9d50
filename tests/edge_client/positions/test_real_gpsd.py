"""The real daemon (Debian package gpsd) between a pseudo-terminal and our client; skipped where it is not installed."""

from __future__ import annotations

import os
import queue
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from pathlib import Path

import pytest

from edge_client.positions.gpsd import Gpsd
from edge_client.positions.history import FixHistory
from edge_client.positions.receiver import Receiver
from edge_client.types import Fix, GpsState
from tests.edge_client.positions.pty_port import PtyPort, Speaker, pty_port
from tests.edge_client.positions.sentences import rmc, sentence
from tests.edge_client.positions.test_receiver import wait_for

PATIENCE_S = 120.0
GPSD = shutil.which("gpsd", path=f"{os.environ.get('PATH', '')}:/usr/sbin")
pytestmark = pytest.mark.skipif(GPSD is None, reason="the daemon gpsd is not installed (apt install gpsd)")


@pytest.fixture
def port(tmp_path: Path) -> Iterator[PtyPort]:
    with pty_port(tmp_path / "gps") as made:
        os.chmod(os.path.realpath(made.path), 0o666)  # noqa: PTH101, S103 (the daemon gives its rights up)
        yield made


@pytest.fixture
def daemon(port: PtyPort) -> Iterator[int]:
    """The daemon's TCP port, once it listens."""
    for _ in range(10):
        with socket.create_server(("127.0.0.1", 0)) as server:
            tcp_port: int = server.getsockname()[1]
        with started(port, tcp_port) as process:
            if listens(process, tcp_port):
                yield tcp_port
                return
        # Somebody else was quicker to take the port.
    pytest.fail("gpsd does not start")


@contextmanager
def started(port: PtyPort, tcp_port: int) -> Iterator[subprocess.Popen[bytes]]:
    assert GPSD is not None
    arguments = [GPSD, "-N", "-n", "-b", "-S", str(tcp_port), os.path.realpath(port.path)]
    with subprocess.Popen(arguments, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as process:
        try:
            yield process
        finally:
            process.terminate()


def listens(process: subprocess.Popen[bytes], tcp_port: int) -> bool:
    """Whether it does, after a while; False when it has ended."""
    end_s = time.monotonic() + PATIENCE_S
    while process.poll() is None and time.monotonic() < end_s:
        with suppress(OSError), socket.create_connection(("127.0.0.1", tcp_port), timeout=1.0) as connection:
            return b"VERSION" in connection.recv(100)
        time.sleep(0.02)
    return False


def moment(port: PtyPort, count: int) -> None:
    clock = f"12{count // 60 % 60:02}{count % 60:02}.00"
    today = datetime.now(UTC)
    port.say(rmc(clock, day=today.strftime("%d%m%y"), lat="4530.1234", lon="02330.5678"))
    port.say(sentence(f"GPGGA,{clock},4530.1234,N,02330.5678,E,1,8,1.1,100,M,,M,,"))
    port.say(sentence("GPGSA,A,3,03,19,27,13,01,02,04,05,,,,,2.75,1.1,1.00"))
    for part, satellites in enumerate(((3, 19, 27, 13), (1, 2, 4, 5)), 1):
        told = ",".join(f"{satellite:02},45,{10 * satellite:03},30" for satellite in satellites)
        port.say(sentence(f"GPGSV,2,{part},08,{told}"))


def garage(port: PtyPort, count: int) -> None:
    """As a receiver without a fix has it; GGA alone would not do, the daemon makes a fix of any place in there."""
    clock, day = f"1200{count % 60:02}.00", datetime.now(UTC).strftime("%d%m%y")
    port.say(sentence(f"GPRMC,{clock},V,,,,,,,{day},,,N"))
    port.say(sentence(f"GPGGA,{clock},,,,,0,00,99.99,,,,,,"))
    port.say(sentence("GPGSA,A,1,,,,,,,,,,,,,99.99,99.99,99.99"))


def test_fixes_come_through_the_daemon_as_the_receiver_told_them(port: PtyPort, daemon: int) -> None:
    told: queue.SimpleQueue[Fix] = queue.SimpleQueue()
    link = Gpsd("127.0.0.1", daemon)
    receiver = Receiver(link, FixHistory(10.0, 3.0, 1000.0), 10.0, told.put, first_pause_s=0.05)
    try:
        fixes: list[Fix] = []
        with Speaker(lambda count: moment(port, count), pause_s=0.2):
            while len(fixes) < 4 or fixes[-1].hdop is None:  # satellites come after the first fixes
                fixes.append(told.get(timeout=PATIENCE_S))
        for fix in fixes:
            assert (fix.latitude_deg, fix.longitude_deg) == pytest.approx((45.50205667, 23.50946333), abs=1e-6)
        fix = fixes[-1]
        assert fix.utc is not None
        assert (fix.utc.hour, fix.utc.date()) == (12, datetime.now(UTC).date())
        assert fix.speed_mps == pytest.approx(5.144, abs=1e-2)
        assert fix.course_deg == pytest.approx(90.0, abs=1e-2)
        assert fix.satellites == 8
        assert fix.hdop == pytest.approx(1.1)
        wait_for(receiver, GpsState.FIX)
    finally:
        receiver.close()


def test_a_daemon_whose_receiver_is_silent_stays_connected(port: PtyPort, daemon: int) -> None:
    receiver = Receiver(
        Gpsd("127.0.0.1", daemon, silence_s=0.2), FixHistory(10.0, 3.0, 1000.0), 10.0, first_pause_s=0.05
    )
    try:
        wait_for(receiver, GpsState.SEARCHING, timeout_s=PATIENCE_S)  # it has a port, from which nothing comes
        time.sleep(1.0)
        assert receiver.status().state is GpsState.SEARCHING
    finally:
        receiver.close()


def test_without_a_fix_it_searches(port: PtyPort, daemon: int) -> None:
    receiver = Receiver(Gpsd("127.0.0.1", daemon), FixHistory(10.0, 3.0, 1000.0), 10.0, first_pause_s=0.05)
    try:
        with Speaker(lambda count: garage(port, count), pause_s=0.2):
            wait_for(receiver, GpsState.SEARCHING, timeout_s=PATIENCE_S)
            end_s = time.monotonic() + PATIENCE_S
            while receiver._void_s == float("-inf"):  # the daemon has heard the receiver, not only us
                assert time.monotonic() < end_s
                time.sleep(0.02)
            assert receiver.status().state is GpsState.SEARCHING
        assert receiver.at(0.0, time.monotonic()) is None
    finally:
        receiver.close()
