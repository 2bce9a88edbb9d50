"""Figures of measurements, against values worked out by hand."""

from __future__ import annotations

import pytest

from tools.bench.figures import slope, timed, timing


def test_timing_of_durations() -> None:
    result = timing([0.1, 0.3, 0.2])
    assert result.median_s == pytest.approx(0.2)
    assert result.least_s == 0.1
    assert result.repeats == 3
    assert 0.2 < result.p99_s <= 0.3
    assert result.rate_hz == pytest.approx(5)


def test_nothing_measured_is_an_error() -> None:
    with pytest.raises(ValueError, match="nothing"):
        timing([])


def test_warm_up_runs_are_made_but_do_not_count() -> None:
    runs: list[int] = []
    result = timed(lambda: runs.append(1), warm_up=2, repeats=3)
    assert len(runs) == 5
    assert result.repeats == 3


def test_slope_of_a_line_and_of_a_point() -> None:
    assert slope([0, 1, 2], [5.0, 7.0, 9.0]) == pytest.approx(2)
    assert slope([0, 1, 2, 3], [1.0, 2.0, 1.0, 2.0]) == pytest.approx(0.2)
    assert slope([3], [5.0]) == 0
    assert slope([3, 3], [5.0, 6.0]) == 0
