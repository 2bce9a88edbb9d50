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


@pytest.mark.parametrize(
    ("one", "other", "contradicts", "agrees"),
    [
        (Vehicle(colour="red"), Vehicle(colour="red"), False, False),  # many cars are red
        (Vehicle(colour="red", type="van"), Vehicle(colour="red", type="van"), False, True),
        (Vehicle(colour="red", type="van"), Vehicle(colour="red", type="suv"), False, False),
        (Vehicle(colour="red", make="suzuki"), Vehicle(make="suzuki"), False, True),
        (Vehicle(colour="red", make="suzuki"), Vehicle(colour="blue", make="suzuki"), True, False),
        (Vehicle(colour="red", make="suzuki"), Vehicle(colour="red", make="fiat"), True, False),
        (Vehicle(colour="red"), Vehicle(make="suzuki"), False, False),
        (Vehicle(type="suv"), Vehicle(type="van"), False, False),
        (Vehicle(), Vehicle(), False, False),
    ],
)
def test_two_looks_contradict_or_agree_by_colour_and_make(
    one: Vehicle, other: Vehicle, contradicts: bool, agrees: bool
) -> None:
    assert (one.contradicts(other), other.contradicts(one)) == (contradicts, contradicts)
    assert (one.agrees(other), other.agrees(one)) == (agrees, agrees)
