from __future__ import annotations

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from edge_client.positions.geometry import between, carried_on, course_between, distance_m

places = st.tuples(st.floats(-89, 89), st.floats(-180, 180))
DEGREE_M = 111_195.08


def test_a_degree_is_as_long_as_it_is() -> None:
    assert distance_m((0, 0), (1, 0)) == pytest.approx(DEGREE_M, rel=1e-6)
    assert distance_m((60, 10), (60, 11)) == pytest.approx(DEGREE_M / 2, rel=1e-3)
    assert distance_m((0, 179.5), (0, -179.5)) == pytest.approx(DEGREE_M, rel=1e-6)


def test_half_way_lies_in_the_middle_over_the_date_line_and_the_pole_too() -> None:
    assert between((45.5, 23.5), (45.6, 23.5), 0.5) == pytest.approx((45.55, 23.5), abs=1e-9)
    latitude, longitude = between((0, 179.99), (0, -179.99), 0.75)
    assert (latitude, longitude) == pytest.approx((0, -179.995), abs=1e-6)
    assert between((89.9, 0), (89.9, 180), 0.5)[0] == pytest.approx(90, abs=1e-6)


@settings(max_examples=40)
@given(places, st.floats(0, 360), st.floats(1, 3000), st.floats(0, 1))
def test_places_in_between_keep_to_the_share(
    first: tuple[float, float], course: float, way: float, share: float
) -> None:
    second = carried_on(first, way, course, 1.0)
    middle = between(first, second, share)
    assert distance_m(first, second) == pytest.approx(way, abs=1e-3)
    assert distance_m(first, middle) == pytest.approx(share * way, abs=0.01)
    assert distance_m(middle, second) == pytest.approx((1 - share) * way, abs=0.01)


@given(places, places)
def test_the_ends_are_kept(first: tuple[float, float], second: tuple[float, float]) -> None:
    assume(distance_m(first, second) < 10_000_000)
    assert between(first, second, 0.0) == first
    assert between(first, second, 1.0) == second


def test_a_course_leads_where_it_says() -> None:
    assert carried_on((45, 23), DEGREE_M / 10, 0, 10) == pytest.approx((46, 23), abs=1e-6)
    assert carried_on((0, 179.9), DEGREE_M, 90, 0.2) == pytest.approx((0, -179.9), abs=1e-6)


def test_a_turn_goes_the_short_way_round() -> None:
    assert course_between(350, 20, 0.5) == pytest.approx(5)
    assert course_between(20, 350, 0.5) == pytest.approx(5)
    assert course_between(90, 100, 0.3) == pytest.approx(93)
