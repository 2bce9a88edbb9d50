from __future__ import annotations

import pytest

from edge_client.types import Vehicle
from edge_client.types.vehicles import shown_name


@pytest.mark.parametrize(
    ("label", "shown"),
    [
        ("suzuki", "Suzuki"),
        ("alfa_romeo", "Alfa Romeo"),
        ("mercedes-benz", "Mercedes-Benz"),
        ("bmw", "BMW"),
        ("3_series", "3 Series"),
        ("mx-5", "MX-5"),
        ("xf", "XF"),
        ("Citroën", "Citroën"),
        ("", ""),
    ],
)
def test_names_are_shown_as_people_write_them(label: str, shown: str) -> None:
    assert shown_name(label) == shown


def test_a_later_look_goes_before_and_keeps_what_it_does_not_tell() -> None:
    first = Vehicle("car", "", "grey", "suzuki", "swift", 0.0, 0.6, 0.7, 0.8)
    second = Vehicle("car", "hatchback", "silver", "suzuki", "", 0.9, 0.8, 0.9, 0.0)
    assert second.merged(first) == Vehicle("car", "hatchback", "silver", "suzuki", "swift", 0.9, 0.8, 0.9, 0.8)
    other = Vehicle("car", make="fiat", make_confidence=0.9)
    assert (other.merged(first).make, other.merged(first).model) == ("fiat", "")  # no Fiat Swift
    nothing = Vehicle("car")
    assert nothing.merged(first) == first
    assert not nothing.known
