from __future__ import annotations

from datetime import UTC, datetime

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from edge_client.positions.moments import fixes
from tests.edge_client.positions.sentences import gga, rmc, sentence


def test_sentences_of_one_moment_are_one_fix() -> None:
    lines = [gga("120000"), rmc("120000"), gga("120001"), rmc("120001")]
    found = list(fixes(lines))
    assert [fix.day_s for fix in found] == [43200.0, 43201.0]
    assert all(fix.speed_mps is not None and fix.hdop == 1.0 for fix in found)
    assert [fix.utc for fix in found] == [datetime(2026, 1, 2, 12, 0, second, tzinfo=UTC) for second in (0, 1)]


def test_mixed_talkers_are_one_receiver_and_the_greatest_count_of_satellites_holds() -> None:
    lines = [
        gga("120000", talker="GP", satellites="05"),
        gga("120000", talker="GL", satellites="02"),
        sentence("GNGNS,120000,4530.0000,N,02330.0000,E,AAN,09,0.9,16.5,18.0,,,V"),
        rmc("120000", talker="GN"),
    ]
    (fix,) = fixes(lines)
    assert fix.satellites == 9
    assert fix.speed_mps is not None


def test_void_and_broken_lines_give_no_fix() -> None:
    assert list(fixes([rmc("120000", status="V"), gga("120000", quality=0), rmc("120000")[:-1], "", "\xff"])) == []


def test_midnight_goes_on_into_the_next_day() -> None:
    found = list(fixes([rmc("235959", day="311226"), gga("000000"), rmc("000001", day="010127")]))
    assert [fix.day_s for fix in found] == [86399.0, 86400.0, 86401.0]
    assert [fix.utc for fix in found[1:]] == [datetime(2027, 1, 1, 0, 0, second, tzinfo=UTC) for second in (0, 1)]


def test_a_date_told_just_after_midnight_is_not_that_of_the_moment_before() -> None:
    lines = [sentence("GPZDA,000000,01,01,2027,,"), gga("235959")]
    assert [fix.utc for fix in fixes(lines)] == [datetime(2026, 12, 31, 23, 59, 59, tzinfo=UTC)]


def test_time_that_runs_backwards_is_left_out() -> None:
    assert [fix.day_s for fix in fixes([gga("120005"), gga("120003"), gga("120006")])] == [43205.0, 43206.0]


def test_a_receivers_clock_that_is_set_back_is_followed_after_a_while() -> None:
    lines = [gga("150000"), *(rmc(f"1200{second:02}") for second in range(10))]
    found = list(fixes(lines))
    assert [fix.day_s for fix in found] == [54000.0 + step for step in range(7)]
    assert found[-1].utc == datetime(2026, 1, 2, 12, 0, 9, tzinfo=UTC)


@settings(max_examples=40)
@given(st.lists(st.text(max_size=90), max_size=20))
def test_no_text_breaks_it(lines: list[str]) -> None:
    assert all(abs(fix.latitude_deg) <= 90 for fix in fixes(lines))
    checked = [sentence(line) for line in lines if line.isascii()]
    assert all(abs(fix.longitude_deg) <= 180 for fix in fixes(checked))


@pytest.mark.parametrize("day", ["000000", "320126", "311399", "", "abcdef", "29022", "0201266"])
def test_a_date_that_makes_no_sense_is_none(day: str) -> None:
    (fix,) = fixes([rmc("120000", day=day)])
    assert fix.utc is None
    assert fix.latitude_deg == 45.5
