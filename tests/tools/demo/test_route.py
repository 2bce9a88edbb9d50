"""The position log, parsed by a parser that is not ours."""

from __future__ import annotations

import math

import pynmea2
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.tools.demo.conftest import Rendered
from tools.demo.route import RoutePoint, nmea, sentences
from tools.demo.traffic import own_speed_mps


def test_the_log_holds_gga_and_rmc_once_a_second(small_drive: Rendered) -> None:
    lines = nmea(small_drive.route).split("\r\n")
    assert lines.pop() == ""
    parsed = [pynmea2.parse(line, check=True) for line in lines]
    assert [p.sentence_type for p in parsed] == ["GGA", "RMC"] * len(small_drive.route)
    assert [p.timestamp.second for p in parsed[::2]] == list(range(len(small_drive.route)))
    for point, message in zip(small_drive.route, parsed[1::2], strict=True):
        assert message.latitude == pytest.approx(point.latitude_deg, abs=2e-7)
        assert message.longitude == pytest.approx(point.longitude_deg, abs=2e-7)
        assert message.spd_over_grnd * 1852 / 3600 == pytest.approx(point.speed_mps, abs=0.01)
        assert message.spd_over_grnd * 1852 / 3600 == pytest.approx(own_speed_mps(point.time_s), abs=0.3)


def test_positions_move_as_fast_as_the_speed_says(small_drive: Rendered) -> None:
    first, second = small_drive.route[:2]
    north = math.radians(second.latitude_deg - first.latitude_deg) * 6_371_000
    east = (
        math.radians(second.longitude_deg - first.longitude_deg)
        * 6_371_000
        * math.cos(math.radians(first.latitude_deg))
    )
    assert math.hypot(north, east) == pytest.approx((first.speed_mps + second.speed_mps) / 2, rel=0.05)
    assert math.degrees(math.atan2(east, north)) == pytest.approx(first.course_deg, abs=8)


@given(st.floats(-89.99, 89.99), st.floats(-179.99, 179.99), st.floats(0, 80), st.floats(0, 359.99))
def test_every_position_comes_back(latitude: float, longitude: float, speed: float, course: float) -> None:
    for line in sentences(RoutePoint(12.0, latitude, longitude, speed, course)):
        message = pynmea2.parse(line, check=True)
        assert message.latitude == pytest.approx(latitude, abs=2e-7)
        assert message.longitude == pytest.approx(longitude, abs=2e-7)
