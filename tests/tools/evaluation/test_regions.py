"""What the knowledge of a region changes."""

from __future__ import annotations

import re

import pytest

from cloud_apis.crnn.regions import Region
from tools.evaluation.reading import PlateReading
from tools.evaluation.regions import change, change_by_source


def reading(name: str, text: str, confidence: float, source: str = "s") -> PlateReading:
    return PlateReading(name, source, "AB01", text, confidence)


OFF = (
    reading("a", "ABO1", 0.6),
    reading("b", "AB01", 0.7, "t"),
    reading("c", "AB01", 0.95),
    reading("d", "A801", 0.92),
)
ON = (
    reading("a", "AB01", 0.8),
    reading("b", "ABO1", 0.7, "t"),
    reading("c", "AB01", 0.95),
    reading("d", "AB01", 0.9),
)


def test_changes_are_counted() -> None:
    found = change(OFF, ON)
    assert (found.plates, found.exact_off, found.exact_on) == (4, 2, 3)
    assert (found.changed, found.made_right, found.made_wrong) == (3, 2, 1)
    assert (found.confident, found.confident_changed) == (2, 1)


def test_changes_by_source() -> None:
    found = change_by_source(OFF, ON)
    assert {name: f.changed for name, f in found.items()} == {"s": 2, "t": 1, "all": 3}


def test_plates_of_the_regions_forms_have_a_row() -> None:
    here = Region("XX", "Here", (re.compile("[A-Z]{2}[0-9]{2}"),))
    other = PlateReading("e", "s", "0123", "O123", 0.5)
    found = change_by_source([*OFF, other], [*ON, other], [here])
    assert {name: f.plates for name, f in found.items()} == {"s": 4, "t": 1, "of the form of XX": 4, "all": 5}


def test_runs_over_other_plates_are_refused() -> None:
    with pytest.raises(ValueError, match="same plates"):
        change(OFF, ON[:3])
