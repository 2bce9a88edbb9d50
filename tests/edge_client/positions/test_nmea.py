from __future__ import annotations

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge_client.positions.nmea import NmeaError, parse
from tests.edge_client.positions.sentences import gga, rmc, sentence


def test_rmc_tells_place_time_date_speed_and_course() -> None:
    found = parse(rmc("120000.50"))
    assert found is not None
    assert (found.kind, found.clock_s, found.position, found.course_deg) == ("RMC", 43200.5, (45.5, 23.5), 90.0)
    assert found.day == date(2026, 1, 2)
    assert found.speed_mps == pytest.approx(5.1444, abs=1e-3)


def test_gga_and_gns_tell_satellites_and_hdop() -> None:
    for line in (gga("120000"), sentence("GNGNS,120000.0,4530.0000,S,02330.0000,W,NAN,8,1.0,16.5,18.0,,,V")):
        found = parse(line)
        assert found is not None
        assert found.position is not None
        assert (found.satellites, found.hdop) == (8, 1.0)
        assert abs(found.position[0]) == 45.5


def test_zda_tells_the_date_and_nothing_void() -> None:
    found = parse(sentence("GPZDA,120000.00,26,05,2024,,"))
    assert found is not None
    assert (found.day, found.position, found.is_void) == (date(2024, 5, 26), None, False)


@pytest.mark.parametrize(("day", "year"), [("060180", 1980), ("311299", 1999), ("010100", 2000), ("311279", 2079)])
def test_years_of_two_digits_begin_with_gps_time(day: str, year: int) -> None:
    found = parse(rmc("120000", day=day))
    assert found is not None
    assert found.day is not None
    assert found.day.year == year


@pytest.mark.parametrize("talker", ["GP", "GN", "GL", "GA", "GB", "BD", "GQ"])
def test_every_satellite_system_is_one_receiver(talker: str) -> None:
    found = parse(rmc("120000", talker=talker))
    assert found is not None
    assert found.position == (45.5, 23.5)


@pytest.mark.parametrize(
    "line",
    [
        rmc("120000", status="V"),
        rmc("120000", mode="N"),
        rmc("120000", mode="S"),
        gga("120000", quality=0),
        gga("120000", quality=6),
        gga("120000", quality=8),
        sentence("GPRMC,,V,,,,,,,,,,N"),
        sentence("GPRMC,120000,A,,,,,,,020126,,,A"),
        sentence("GNGNS,120000.0,4530.0000,N,02330.0000,E,NNN,8,1.0,16.5,18.0,,,V"),
        sentence("GPGLL,4530.0,N,02330.0,E,120000,V,N"),
        sentence("GPRMC,120000,A,0000.0000,N,00000.0000,E,,,020126,,,A"),
    ],
)
def test_void_positions_are_told_apart(line: str) -> None:
    found = parse(line)
    assert found is not None
    assert found.position is None
    assert found.is_void


@pytest.mark.parametrize(
    "line",
    [
        rmc("120000")[:-2] + "00",
        rmc("120000").split("*", maxsplit=1)[0],
        rmc("120000").split("*", maxsplit=1)[0] + "*",
        rmc("120000")[:-1],
        rmc("120000") + "0",
        rmc("120000").replace("A", "V", 1),
        sentence("GPRMC,120000,A,9930.0,N,02330.0,E,,,020126,,,A"),
        sentence("GPRMC,120000,A,4560.0,N,02330.0,E,,,020126,,,A"),
        sentence("GPRMC,120000,A,9000.1,N,02330.0,E,,,020126,,,A"),
        sentence("GPRMC,120000,A,4530.0,X,02330.0,E,,,020126,,,A"),
        sentence("GPRMC,120000,A,nan,N,02330.0,E,,,020126,,,A"),
        sentence("GPRMC,999999,A,4530.0,N,02330.0,E,,,020126,,,A"),
        sentence("GPRMC,12:00,A,4530.0,N,02330.0,E,,,020126,,,A"),
        "$GPRMC",
        "$",
        "",
        "\x00\xff garbage",
        "$" + "A" * 5000,
    ],
)
def test_broken_lines_are_refused(line: str) -> None:
    with pytest.raises(NmeaError):
        parse(line)


@pytest.mark.parametrize("speed", ["nan", "inf", "-5", "1e9", "99999", ""])
def test_a_speed_that_makes_no_sense_is_none(speed: str) -> None:
    found = parse(rmc("120000", speed=speed))
    assert found is not None
    assert found.speed_mps is None
    assert found.position == (45.5, 23.5)


def test_noise_before_a_sentence_does_not_matter_and_other_sentences_tell_nothing() -> None:
    assert parse("\x05\ufffd$GPGGA,12" + rmc("120000") + "\r\n") == parse(rmc("120000"))
    assert parse(sentence("GPGSV,1,1,00")) is None
    assert parse(sentence("PQGSV,1,1,00")) is None
    assert parse(sentence("AIVDM,1,1")) is None


@given(st.text(max_size=90))
def test_no_text_breaks_the_parser(text: str) -> None:
    for line in (text, sentence(text), sentence(f"GPRMC,{text}"), sentence(f"GPZDA,120000,{text},01,2026,,")):
        try:
            found = parse(line)
        except NmeaError:
            continue
        if found is not None and found.position is not None:
            assert abs(found.position[0]) <= 90
            assert abs(found.position[1]) <= 180
