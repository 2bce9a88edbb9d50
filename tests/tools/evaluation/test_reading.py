"""The reading figures against cases worked out by hand."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tools.evaluation.reading import PlateReading, by_group, confident, edit_distance, figures, grouped, plain

READINGS = (
    PlateReading("a", "one", "B01XEN", "B01XEN", 0.9),
    PlateReading("b", "one", "12AB/34", "12AB34", 0.6),
    PlateReading("c", "two", "CJ09ABC", "CJ9A8C", 0.8),  # 0 left out, B read as 8
    PlateReading("d", "two", "XY1", "", 0.0),
)


@pytest.mark.parametrize(
    ("a", "b", "distance"),
    [("", "", 0), ("", "ABC", 3), ("KITTEN", "SITTING", 3), ("B01XEN", "B01XEN", 0), ("AB", "BA", 2)],
)
def test_edit_distance(a: str, b: str, distance: int) -> None:
    assert edit_distance(a, b) == distance
    assert edit_distance(b, a) == distance


@given(st.text("AB1", max_size=8), st.text("AB1", max_size=8), st.text("AB1", max_size=8))
def test_edit_distance_is_a_distance(a: str, b: str, c: str) -> None:
    assert (edit_distance(a, b) == 0) == (a == b)
    assert edit_distance(a, c) <= edit_distance(a, b) + edit_distance(b, c)
    assert abs(len(a) - len(b)) <= edit_distance(a, b) <= max(len(a), len(b))


def test_figures_by_hand() -> None:
    result = figures(READINGS)
    assert (result.plates, result.exact) == (4, 2)
    assert (result.errors, result.characters) == (2 + 3, 6 + 6 + 7 + 3)
    assert result.exact_rate == 0.5
    assert result.character_error_rate == pytest.approx(5 / 22)


def test_a_stroke_between_lines_does_not_count() -> None:
    assert plain("12AB/34") == "12AB34"
    assert READINGS[1].exact
    assert READINGS[1].lines == 2
    assert READINGS[0].lines == 1


def test_groups_and_confidence() -> None:
    by_source = grouped(READINGS, lambda r: r.source)
    assert list(by_source) == ["one", "two"]
    assert by_source["one"].exact_rate == 1.0
    assert by_source["two"].exact == 0
    sure = confident(READINGS, 0.8)
    assert (sure.plates, sure.exact) == (2, 1)


def test_no_readings_have_no_rate() -> None:
    assert math.isnan(figures([]).exact_rate)
    assert math.isnan(figures([]).character_error_rate)


def test_all_groups_of_a_table() -> None:
    groups = by_group(READINGS)
    assert {name: f.plates for name, f in groups.items()} == {
        "one": 2,
        "two": 2,
        "one line": 3,
        "two lines": 1,
        "two lines, one": 1,
        "all": 4,
    }
