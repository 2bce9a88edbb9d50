from __future__ import annotations

import json
from datetime import UTC, datetime
from functools import reduce
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge_client.errors import PositionError
from edge_client.positions.moments import fixes
from edge_client.positions.replay import NmeaReplay, NoPosition


def sentence(body: str) -> str:
    return f"${body}*{reduce(lambda a, c: a ^ ord(c), body, 0):02X}"


def rmc(clock: str, status: str = "A", day: str = "020126", speed: str = "10.0") -> str:
    return sentence(f"GPRMC,{clock},{status},4530.0000,N,02330.0000,E,{speed},90.0,{day},,,A")


def gga(clock: str, quality: int = 1) -> str:
    return sentence(f"GPGGA,{clock},4530.0000,N,02330.0000,E,{quality},8,1.0,100,M,,M,,")


def test_reads_position_time_speed_and_course() -> None:
    (fix,) = fixes([rmc("120000.50")])
    assert (fix.day_s, fix.latitude_deg, fix.longitude_deg, fix.course_deg) == (43200.5, 45.5, 23.5, 90.0)
    assert fix.utc == datetime(2026, 1, 2, 12, 0, 0, 500000, UTC)
    assert fix.speed_mps == pytest.approx(5.1444, abs=1e-3)


def test_sentences_of_one_moment_are_one_fix() -> None:
    lines = [gga("120000"), rmc("120000"), gga("120001"), rmc("120001")]
    found = list(fixes(lines))
    assert [fix.day_s for fix in found] == [43200.0, 43201.0]
    assert all(fix.utc is not None and fix.speed_mps is not None for fix in found)


@pytest.mark.parametrize(
    "line",
    [
        rmc("120000", status="V"),
        gga("120000", quality=0),
        rmc("120000")[:-2] + "00",  # wrong checksum
        rmc("120000").split("*", maxsplit=1)[0],  # none
        sentence("GPRMC,,V,,,,,,,,,,N"),
        sentence("GPRMC,120000,A,,,,,,,020126,,,A"),
        sentence("GPRMC,120000,A,9930.0,N,02330.0,E,,,020126,,,A"),
        sentence("GPRMC,999999,A,4530.0,N,02330.0,E,,,020126,,,A"),
        sentence("GPRMC,120000,A,4530.0,N,02330.0,E,,,020126,,,N"),
        sentence("GPGSV,1,1,00"),
        "$GPRMC",
        "",
        "\x00\xff garbage",
    ],
)
def test_void_and_broken_lines_give_no_fix(line: str) -> None:
    assert list(fixes([line])) == []


def test_midnight_goes_on_into_the_next_day() -> None:
    found = list(fixes([rmc("235959", day="311226"), rmc("000001", day="010127")]))
    assert [fix.day_s for fix in found] == [86399.0, 86401.0]
    assert found[1].utc == datetime(2027, 1, 1, 0, 0, 1, tzinfo=UTC)


def test_time_that_runs_backwards_is_left_out() -> None:
    assert [fix.day_s for fix in fixes([gga("120005"), gga("120003"), gga("120006")])] == [43205.0, 43206.0]


@given(st.lists(st.text(max_size=90), max_size=20))
def test_no_text_breaks_the_parser(lines: list[str]) -> None:
    assert all(abs(fix.latitude_deg) <= 90 for fix in fixes(lines))
    checked = [sentence(line) for line in lines if line.isascii()]
    assert all(abs(fix.longitude_deg) <= 180 for fix in fixes(checked))


@pytest.mark.parametrize("name", ["ublox-8", "telit-he910", "quectel-eg25-g", "sirfstarv-nmea", "bu353-glonass"])
def test_agrees_with_gpsd_on_logs_of_real_receivers(shared_data: Path, name: str) -> None:
    folder = shared_data / "gps"
    expected = set()
    for line in (folder / f"{name}.log.chk").read_text(errors="replace").splitlines():
        if line.startswith('{"class":"TPV"'):
            report = json.loads(line)
            if "lat" in report:
                expected.add((round(report["lat"], 4), round(report["lon"], 4)))
    found = list(fixes((folder / f"{name}.log").read_text(errors="replace").splitlines()))
    assert bool(found) == bool(expected)
    agreeing = sum((round(f.latitude_deg, 4), round(f.longitude_deg, 4)) in expected for f in found)
    assert agreeing >= 0.9 * len(found)


def test_replay_gives_the_latest_fix_with_its_age(tmp_path: Path) -> None:
    log = tmp_path / "drive.nmea"
    log.write_text("\n".join([rmc("115900", status="V"), rmc("120000"), rmc("120001", speed="20"), "junk"]))
    replay = NmeaReplay(log, max_age_s=5.0)
    first, second = replay.at(0.0, 100.0), replay.at(2.5, 102.5)
    assert first is not None
    assert second is not None
    assert (first.monotonic_s, first.latitude_deg) == (100.0, 45.5)
    assert second.monotonic_s == 101.0
    assert second.speed_mps == pytest.approx(10.289, abs=1e-3)
    assert replay.at(6.0, 106.0) is not None
    assert replay.at(6.1, 106.1) is None
    assert replay.utc_at(2.5) == datetime(2026, 1, 2, 12, 0, 2, 500000, UTC)
    assert "drive.nmea" in replay.status().reason


def test_logs_without_a_fix_and_without_a_file_are_refused(tmp_path: Path) -> None:
    with pytest.raises(PositionError, match="cannot read"):
        NmeaReplay(tmp_path / "none", 5.0)
    empty = tmp_path / "empty"
    empty.write_text(rmc("120000", status="V"))
    with pytest.raises(PositionError, match="no valid fix"):
        NmeaReplay(empty, 5.0)


def test_without_a_receiver_there_is_no_position() -> None:
    assert NoPosition().at(0.0, 0.0) is None
    assert NoPosition().utc_at(0.0) is None
