from __future__ import annotations

import ctypes
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from edge_client.doctor.clock import clock, kernel_synchronised, utc_now
from edge_client.doctor.finding import Verdict
from tests.edge_client.doctor.trees import machine

NOW = datetime(2026, 5, 1, 10, 30, tzinfo=UTC)
CHIP = {"/sys/class/rtc/rtc0/name": "ds3231"}


def test_a_clock_of_1970_was_never_set(tmp_path: Path) -> None:
    finding = clock(machine(tmp_path, {}), datetime(1970, 1, 1, 0, 2, tzinfo=UTC), None, NOW)
    assert finding.verdict is Verdict.WRONG
    assert "1970-01-01 00:02:00 UTC: was never set" in finding.found
    assert "GPS" in finding.advice


@pytest.mark.parametrize(
    ("off_s", "verdict", "told"),
    [
        (0.4, Verdict.OK, "0.4 s from GPS"),
        (90, Verdict.NOTE, "90 s ahead of GPS"),
        (-7, Verdict.NOTE, "7 s behind GPS"),
    ],
)
def test_gps_is_believed(tmp_path: Path, off_s: float, verdict: Verdict, told: str) -> None:
    finding = clock(machine(tmp_path, {}), NOW + timedelta(seconds=off_s), True, NOW)
    assert finding.verdict is verdict
    assert told in finding.found


def test_without_gps_somebody_must_set_it(tmp_path: Path) -> None:
    bare, chip = machine(tmp_path / "bare", {}), machine(tmp_path / "chip", CHIP)
    assert clock(chip, NOW, True, None).verdict is Verdict.OK
    assert clock(bare, NOW, None, None).verdict is Verdict.OK
    alone = clock(bare, NOW, False, None)
    assert alone.verdict is Verdict.NOTE
    assert "without a clock chip" in alone.found
    assert "power cut" in alone.advice
    assert "with a clock chip" in clock(chip, NOW, False, None).found


@pytest.mark.parametrize(("state", "synchronised"), [(0, True), (4, True), (5, False), (-1, None)])
def test_the_kernel_is_asked_without_setting_anything(state: int, synchronised: bool | None) -> None:
    asked: list[bytes] = []

    def adjtimex(buffer: object) -> int:
        assert isinstance(buffer, ctypes.Array)
        asked.append(bytes(buffer))
        return state

    assert kernel_synchronised(adjtimex) is synchronised
    assert asked == [bytes(len(asked[0]))]  # `modes` is 0: read only


def test_the_real_kernel_answers() -> None:
    assert kernel_synchronised() in (True, False, None)
    assert utc_now().tzinfo is UTC
