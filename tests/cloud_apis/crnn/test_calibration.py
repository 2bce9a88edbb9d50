"""Calibration: monotone, within bounds, and the identity where there is none."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from cloud_apis.crnn.calibration import Calibration, Line, log_odds, probability

chance = st.floats(0, 1)
lines = st.builds(Line, scale=st.floats(0.05, 10), offset=st.floats(-10, 10))


@given(lines, chance, chance)
def test_a_surer_read_stays_the_surer_one(line: Line, a: float, b: float) -> None:
    low, high = sorted((a, b))
    assert 0 <= line.apply(low) <= line.apply(high) <= 1


@given(st.floats(1e-5, 1 - 1e-5))
def test_without_calibration_nothing_changes(raw: float) -> None:
    assert Calibration.none().plate.apply(raw) == pytest.approx(raw)
    assert probability(log_odds(raw)) == pytest.approx(raw)


def test_the_line_is_one_between_log_odds() -> None:
    line = Line(scale=2.0, offset=-1.0)
    assert log_odds(line.apply(0.9)) == pytest.approx(2 * log_odds(0.9) - 1)
    assert line.apply(0.0) == 0.0
    assert line.apply(1.0) < 1


@pytest.mark.parametrize("fields", [{"scale": 0}, {"scale": -1}, {"scale": float("nan")}, {"offset": float("inf")}])
def test_a_line_that_does_not_rise_is_refused(fields: dict[str, float]) -> None:
    with pytest.raises(ValidationError):
        Line.model_validate(fields)
