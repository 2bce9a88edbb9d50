from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from edge_client.positions.geometry import distance_m
from edge_client.positions.history import FixHistory
from edge_client.types import Fix

EAST = 90.0


def fix(time_s: float, latitude: float = 45.0, longitude: float = 23.0, speed: float | None = None) -> Fix:
    return Fix(latitude, longitude, None, time_s, speed, EAST, 8, 1.0)


def history(*fixes: Fix, max_age_s: float = 10.0, carry_on_s: float = 3.0, speed: float = 100.0) -> FixHistory:
    made = FixHistory(max_age_s, carry_on_s, speed)
    for one in fixes:
        made.put(one)
    return made


def test_between_two_fixes_the_position_is_interpolated() -> None:
    made = history(fix(100.0), fix(101.0, 45.0002, speed=20.0))
    found = made.at(100.25)
    assert found is not None
    assert found.latitude_deg == pytest.approx(45.00005, abs=1e-9)
    assert found.longitude_deg == pytest.approx(23.0, abs=1e-9)
    assert (found.monotonic_s, found.satellites, found.hdop) == (100.0, 8, 1.0)


def test_without_a_later_fix_it_is_carried_on_for_a_while_and_interpolated_when_asked_again() -> None:
    made = history(fix(100.0, speed=20.0))
    found = [made.at(100.0 + age) for age in (1.0, 3.0, 9.0)]
    ways = [distance_m((45.0, 23.0), (f.latitude_deg, f.longitude_deg)) for f in found if f is not None]
    assert ways == pytest.approx([20.0, 60.0, 60.0], abs=0.01)
    assert made.at(110.01) is None
    made.put(fix(102.0, 45.0002, speed=20.0))
    again = made.at(101.0)
    assert again is not None
    assert (again.latitude_deg, again.longitude_deg) == pytest.approx((45.0001, 23.0), abs=1e-8)


def test_one_that_stands_is_not_carried_on_by_the_noise_of_its_course() -> None:
    found = history(fix(100.0, speed=0.3)).at(103.0)
    assert found is not None
    assert (found.latitude_deg, found.longitude_deg) == (45.0, 23.0)


def test_before_the_first_fix_nothing_is_known() -> None:
    assert history().at(100.0) is None
    assert history(fix(100.0)).at(99.9) is None
    assert history().latest is None


def test_a_gap_is_not_crossed_in_a_straight_line() -> None:
    made = history(fix(100.0, speed=20.0), fix(130.0, 45.003, speed=20.0))
    assert made.at(111.0) is None
    found = made.at(105.0)
    assert found is not None
    assert found.latitude_deg == pytest.approx(45.0, abs=1e-6)


def test_a_jump_is_left_out_and_the_way_goes_on() -> None:
    made = history(fix(100.0))
    assert not made.put(fix(101.0, 46.0))
    assert made.put(fix(102.0, 45.0002))
    found = made.at(101.0)
    assert found is not None
    assert found.latitude_deg == pytest.approx(45.0001, abs=1e-8)


def test_three_fixes_that_agree_on_another_place_are_right() -> None:
    made = history(fix(100.0))
    taken = [made.put(fix(101.0 + i, 46.0 + i / 10_000)) for i in range(4)]
    assert taken == [False, False, True, True]
    found = made.at(103.5)
    assert found is not None
    assert found.latitude_deg == pytest.approx(46.00025, abs=1e-8)
    before = made.at(102.0)
    assert before is not None
    assert before.latitude_deg == pytest.approx(45.0, abs=1e-6)


def test_jumps_that_do_not_agree_and_more_of_the_same_one_do_not_count_together() -> None:
    made = history(fix(100.0))
    assert not any(made.put(fix(101.0 + i, place)) for i, place in enumerate((46.0, 50.0, 46.0, 50.0)))
    assert not any(made.put(fix(106.0, 46.0)) for _ in range(5))


def test_more_of_the_latest_fix_replaces_it() -> None:
    made = history(fix(100.0))
    assert made.put(fix(100.0, speed=12.0))
    assert made.latest is not None
    assert made.latest.speed_mps == 12.0


def test_old_fixes_are_let_go() -> None:
    made = FixHistory(10.0, 3.0, 100.0, kept_s=60.0)
    for second in range(200):
        made.put(fix(float(second)))
    assert len(made._fixes) <= 121
    assert made.at(10.0) is None
    assert made.at(150.5) is not None


@settings(max_examples=40)
@given(
    st.lists(st.tuples(st.floats(0, 50), st.floats(-90, 90), st.floats(-180, 180)), max_size=12),
    st.floats(-10, 100),
)
def test_whatever_comes_positions_lie_on_earth(rows: list[tuple[float, float, float]], time_s: float) -> None:
    made = history()
    for row in rows:
        made.put(fix(*row, speed=30.0))
    found = made.at(time_s)
    assert found is None or (abs(found.latitude_deg) <= 90 and abs(found.longitude_deg) <= 180)


def test_what_a_moment_has_not_told_yet_is_that_of_the_one_before() -> None:
    """Receivers that begin each moment with GGA tell the speed half a second later, with RMC."""
    history = FixHistory(10.0, 3.0, 100.0)
    history.put(Fix(45.0, 23.0, None, 10.0, 12.0, 90.0, 8, 0.9))
    history.put(Fix(45.0, 23.0001, None, 11.0, satellites=9))
    latest = history.latest
    assert latest is not None
    assert (latest.speed_mps, latest.course_deg, latest.satellites, latest.hdop) == (12.0, 90.0, 9, 0.9)
    carried = history.at(11.5)
    assert carried is not None
    assert carried.longitude_deg > 23.0001  # it drives on
    history.put(Fix(45.0, 23.0002, None, 12.0))  # one that never tells it: once is enough
    assert history.latest is not None
    assert (history.latest.speed_mps, history.latest.satellites) == (None, 9)
    history.put(Fix(45.0, 23.0002, None, 15.0))
    assert history.latest.satellites is None
