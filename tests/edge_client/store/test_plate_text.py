from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge_client.store.plate_text import confusion, edits, plain_pattern, plain_plate, within_edits

PLATES = st.text(alphabet="ABCIO0123 -", max_size=9)


@pytest.mark.parametrize("text", ["B101ABC", "b-101 abc", "B·101·ABC", "Ｂ101ABC", " b101abc "])
def test_case_and_separators_do_not_count(text: str) -> None:
    assert plain_plate(text) == "B101ABC"


def test_patterns_keep_their_wildcards_and_nothing_else() -> None:
    assert plain_pattern("b?-01*") == "B?01*"
    assert plain_pattern("[ab]*") == "AB*"


@pytest.mark.parametrize(
    ("a", "b", "count"),
    [
        ("B101ABC", "BI0IABC", 0),
        ("B101ABC", "B1O1-abc", 0),
        ("B101ABC", "B101ABD", 1),
        ("B101ABC", "B01ABC", 1),
        ("B101ABC", "XB101ABC", 1),
        ("B101ABC", "B110ABC", 2),
        ("", "AB", 2),
    ],
)
def test_edits(a: str, b: str, count: int) -> None:
    assert edits(a, b) == edits(b, a) == count


@given(PLATES, PLATES, PLATES)
def test_edits_are_a_distance(a: str, b: str, c: str) -> None:
    assert edits(a, a) == 0
    assert edits(a, c) <= edits(a, b) + edits(b, c)
    assert edits(a, b) <= max(len(plain_plate(a)), len(plain_plate(b)))


@given(PLATES, PLATES, st.integers(0, 4))
def test_the_quick_way_tells_the_same(a: str, b: str, distance: int) -> None:
    assert within_edits(a, distance)(plain_plate(b)) == (edits(a, b) <= distance)


def test_confusion_counts_easy_mistakes_half() -> None:
    assert confusion("B101ABC", "8101ABC") == 0.5
    assert confusion("B101ABC", "BIO1ABC") == 0.0
    assert confusion("B101ABC", "B101XBC") == 1.0
