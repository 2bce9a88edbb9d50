from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge_client.tracking.text import align, distance, same_plate

TEXTS = st.text("ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789", max_size=9)


@pytest.mark.parametrize(
    ("a", "b", "expected"),
    [
        ("", "", 0),
        ("ABC", "ABC", 0),
        ("ABC", "AXC", 1),
        ("AB0", "ABO", 0.5),
        ("ABC", "AB", 1),
        ("", "AB", 2),
        ("AIB", "AB", 0.5),
    ],
)
def test_distance(a: str, b: str, expected: float) -> None:
    assert distance(a, b) == expected


@given(TEXTS, TEXTS, TEXTS)
def test_distance_is_symmetric_and_bounded(a: str, b: str, c: str) -> None:
    assert distance(a, b) == distance(b, a)
    assert (distance(a, b) == 0) == (a == b)
    assert abs(len(a) - len(b)) / 2 <= distance(a, b) <= max(len(a), len(b))
    assert distance(a, c) <= 2 * (distance(a, b) + distance(b, c))


def test_align_finds_the_places_of_a_shorter_and_a_longer_read() -> None:
    assert align("AB123CD", "B123CD") == [1, 2, 3, 4, 5, 6]
    assert align("B123", "AB123") == [None, 0, 1, 2, 3]
    assert align("AB12", "AB12") == [0, 1, 2, 3]


@given(TEXTS, TEXTS)
def test_aligned_places_ascend(reference: str, other: str) -> None:
    places = [p for p in align(reference, other) if p is not None]
    assert places == sorted(set(places))
    assert all(0 <= p < len(reference) for p in places)


@pytest.mark.parametrize(
    ("a", "b", "sure", "same"),
    [
        ("24LSB1", "24LSB1", True, True),
        ("24LSB1", "89NVJP", False, False),
        ("24LSB1", "24LSBI", True, True),  # one easily confused character
        ("24LSB1", "24LSB9", True, False),  # sure of both: a neighbour's number
        ("24LSB1", "24LSB9", False, True),
        ("B123ABC", "123ABC", True, True),  # cut at the picture's edge
        ("B123ABC", "3ABC", True, True),
        ("B123ABC", "ABC", True, False),
    ],
)
def test_same_plate(a: str, b: str, sure: bool, same: bool) -> None:
    assert same_plate(a, b, sure=sure) is same
    assert same_plate(b, a, sure=sure) is same
