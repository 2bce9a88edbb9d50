"""A pseudo-terminal stands for the receiver's port."""

from __future__ import annotations

import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from edge_client.config import PositionSettings
from edge_client.doctor.finding import Verdict
from edge_client.doctor.gps import Heard, finding_of, listen, serial_port
from edge_client.doctor.machine import Machine
from edge_client.types import Fix, GpsState, GpsStatus
from tests.edge_client.doctor.trees import machine
from tools.demo.route import checksum, nmea, route

HERE = Machine()


@contextmanager
def receiver(text: str) -> Iterator[str]:
    """A port on which that text is said again and again."""
    ours, theirs = os.openpty()
    end = threading.Event()

    def talk() -> None:
        while not end.wait(0.05):
            try:
                os.write(ours, text.encode("ascii"))
            except OSError:
                return

    thread = threading.Thread(target=talk, daemon=True)
    thread.start()
    try:
        yield os.ttyname(theirs)
    finally:
        end.set()
        thread.join()
        os.close(theirs)
        os.close(ours)


def serial(port: str) -> PositionSettings:
    return PositionSettings(source="serial", device=port)


def test_a_fix_is_told_with_its_place_and_gives_the_time() -> None:
    with receiver(nmea(route([0.0], [12.0], [0.0]))) as port:
        heard = listen(serial(port), HERE, 30.0)
    assert heard.finding.verdict is Verdict.OK, heard.finding
    assert "45.74890 N 21.20870 E" in heard.finding.found
    assert heard.fix is not None
    assert heard.fix.utc is not None
    later = heard.utc_at(heard.fix.monotonic_s + 2)
    assert later is not None
    assert later - heard.fix.utc == timedelta(seconds=2)


def test_a_receiver_in_a_garage() -> None:
    void = "GPRMC,093000.00,V,,,,,,,140625,,,N"
    with receiver(f"${void}*{checksum(void)}\r\n") as port:
        heard = listen(serial(port), HERE, 1.5)
    assert heard.finding.verdict is Verdict.NOTE
    assert "no fix" in heard.finding.found
    assert "sky" in heard.finding.advice
    assert heard.utc_at(0.0) is None


def test_no_daemon() -> None:
    heard = listen(PositionSettings(source="gpsd", gpsd_port=9), HERE, 0.5)
    assert heard.finding.verdict is Verdict.WRONG
    assert "not connected" in heard.finding.found


def test_ports(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    here = machine(tmp_path, {"/dev/ttyUSB1": "", "/dev/ttyACM0": ""})
    missing = serial_port("/dev/ttyUSB7", here)
    assert missing is not None
    assert "there are: /dev/ttyUSB1, /dev/ttyACM0" in missing.found
    assert serial_port("/dev/ttyUSB1", here) is None
    monkeypatch.setattr(Machine, "may", lambda *_: False)
    denied = serial_port("/dev/ttyUSB1", here)
    assert denied is not None
    assert "dialout" in denied.advice
    absent = listen(PositionSettings(source="serial", device="/dev/ttyUSB1", activation_device="/dev/x"), here, 1.0)
    assert absent.finding.verdict is Verdict.WRONG


def test_a_log(tmp_path: Path) -> None:
    log = tmp_path / "route.nmea"
    log.write_text(nmea(route([0.0, 1.0], [12.0, 12.0], [0.0, 0.0])), "ascii")
    assert listen(PositionSettings(nmea_log=log), HERE, 1.0).finding.verdict is Verdict.OK
    missing = listen(PositionSettings(nmea_log=tmp_path / "none"), HERE, 1.0).finding
    assert missing.verdict is Verdict.WRONG
    assert "none" in missing.found


@pytest.mark.parametrize(
    ("status", "verdict", "told"),
    [
        (GpsStatus(GpsState.OFF), Verdict.NOTE, "none is configured"),
        (GpsStatus(GpsState.STALE, rejected=4), Verdict.NOTE, "4 broken lines"),
        (GpsStatus(GpsState.CONNECTING, reason="refused"), Verdict.WRONG, "refused"),
        (
            GpsStatus(GpsState.FIX, Fix(45.0, -21.0, None, 1.0, satellites=9, hdop=0.8)),
            Verdict.OK,
            "45.00000 N 21.00000 W, 9 satellites, HDOP 0.8",
        ),
    ],
)
def test_states(status: GpsStatus, verdict: Verdict, told: str) -> None:
    finding = finding_of(status, 5.0)
    assert finding.verdict is verdict
    assert told in finding.found


def test_without_a_fix_there_is_no_time() -> None:
    finding = finding_of(GpsStatus(GpsState.OFF), 1.0)
    assert Heard(finding, Fix(1.0, 2.0, None, 0.0)).utc_at(1.0) is None
    assert Heard(finding, Fix(1.0, 2.0, datetime(2026, 5, 1, tzinfo=UTC), 0.0)).utc_at(1.0) is not None
