"""Reliability, calibration error, coverage and intervals against cases worked out by hand."""

from __future__ import annotations

import math
from pathlib import Path

import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tools.evaluation.confidence import Judged, coverage, of_characters, of_plates, reliability, wilson
from tools.evaluation.plots import write_reliability
from tools.evaluation.reading import PlateReading

READINGS = (
    PlateReading("a", "s", "AB/12", "AB12", 0.95, (0.99, 0.95, 0.98, 0.97)),
    PlateReading("b", "s", "CD34", "CO34", 0.9, (0.9, 0.6, 0.95, 0.99)),
    PlateReading("c", "s", "EF56", "F56", 0.4, (0.4, 0.8, 0.9)),
    PlateReading("d", "s", "GH78", ""),
)


def test_plates_and_characters_are_judged() -> None:
    assert of_plates(READINGS) == [Judged(0.95, True), Judged(0.9, False), Judged(0.4, False)]
    characters = of_characters(READINGS)
    assert len(characters) == 11
    assert [j for j in characters if not j.right] == [Judged(0.6, False)]


def test_calibration_error_by_hand() -> None:
    """Two bins: 0.25 and 0.35, one right of two, and 0.9 five times, four right."""
    judged = [Judged(0.25, True), Judged(0.35, False), *[Judged(0.9, i > 0) for i in range(5)]]
    found = reliability(judged, bins=2)
    assert [(b.count, b.right) for b in found.bins] == [(2, 1), (5, 4)]
    assert [b.confidence for b in found.bins] == pytest.approx([0.3, 0.9])
    assert found.error == pytest.approx((2 * 0.2 + 5 * 0.1) / 7)
    assert found.brier == pytest.approx((0.75**2 + 0.35**2 + 4 * 0.1**2 + 0.9**2) / 7)


def test_bins_hold_their_upper_edge() -> None:
    found = reliability([Judged(c, True) for c in (0.0, 0.5, 0.50001, 1.0)], bins=2)
    assert [b.count for b in found.bins] == [2, 2]


def test_without_any_there_is_no_error() -> None:
    found = reliability([])
    assert math.isnan(found.error)
    assert found.count == 0


@given(st.lists(st.tuples(st.floats(0, 1), st.booleans()), min_size=1))
def test_calibration_error_is_a_share(rows: list[tuple[float, bool]]) -> None:
    found = reliability([Judged(c, r) for c, r in rows])
    assert 0 <= found.error <= 1
    assert sum(b.count for b in found.bins) == len(rows)


def test_coverage_counts_plates_without_a_read_as_not_shown() -> None:
    low, high = coverage(READINGS, (0.0, 0.9))
    assert (low.plates, low.shown, low.right) == (4, 3, 1)
    assert (high.shown, high.share_shown, high.share_right) == (2, 0.5, 0.5)
    assert math.isnan(coverage(READINGS, (0.99,))[0].share_right)


def test_wilson_interval() -> None:
    """Newcombe (1998), table I: 81 of 263 gives 0.2553 to 0.3662; 0 of 20 gives 0 to 0.1611."""
    assert wilson(81, 263) == pytest.approx((0.2553, 0.3662), abs=5e-5)
    assert wilson(0, 20) == pytest.approx((0.0, 0.1611), abs=5e-5)
    assert wilson(0, 0) == (0.0, 1.0)


def test_the_diagram_is_drawn(tmp_path: Path) -> None:
    pytest.importorskip("matplotlib")
    before, after = reliability(of_plates(READINGS)), reliability([])
    file = tmp_path / "new" / "reliability.png"
    write_reliability({"plates": {"before": before, "after": after}}, file, "models")
    image = cv2.imread(str(file))
    assert image is not None
    assert np.unique(image).size > 10
