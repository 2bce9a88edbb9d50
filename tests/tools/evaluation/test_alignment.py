"""Alignment of what was read with the truth."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tools.evaluation.alignment import edit_distance, right_characters


@pytest.mark.parametrize(
    ("read", "truth", "right"),
    [
        ("AB12", "AB12", "++++"),
        ("A812", "AB12", "+-++"),
        ("B12", "AB12", "+++"),  # the first was left out
        ("AAB12", "AB12", None),  # one of the two is beyond the truth
        ("XAB12", "AB12", "-++++"),
        ("", "AB12", ""),
        ("XY", "", "--"),
    ],
)
def test_alignment_by_hand(read: str, truth: str, right: str | None) -> None:
    found = "".join("+" if r else "-" for r in right_characters(read, truth))
    assert found == right or (right is None and sorted(found) == ["+", "+", "+", "+", "-"])


@given(st.text("AB1", max_size=8), st.text("AB1", max_size=8))
def test_right_characters_are_a_common_subsequence_that_explains_the_distance(read: str, truth: str) -> None:
    right = right_characters(read, truth)
    assert len(right) == len(read)
    kept = "".join(c for c, good in zip(read, right, strict=True) if good)
    rest = iter(truth)
    assert all(c in rest for c in kept)
    assert edit_distance(read, truth) >= max(len(read), len(truth)) - len(kept)
    assert all(right) or edit_distance(read, truth) > 0
