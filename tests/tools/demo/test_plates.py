"""The invented plates."""

from __future__ import annotations

import re

import numpy as np
import pytest

from tools.demo.plates import FORMATS, LETTERS, Format, invent, make_plate, registration


@pytest.mark.parametrize("style", FORMATS, ids=lambda f: f"{f.country} {f.pattern}")
def test_registrations_follow_their_pattern(style: Format) -> None:
    rng = np.random.default_rng(1)
    for _ in range(50):
        shown = invent(rng, style)
        if style.prefixes:
            first = re.split(r"[ =/]", shown)[0]
            assert first in style.prefixes
            rest = shown[len(first) :]
            pattern = style.pattern[re.search(r"[ =/]", style.pattern).start() :]  # type: ignore[union-attr]
        else:
            rest, pattern = shown, style.pattern
        assert len(rest) == len(pattern)
        for symbol, place in zip(rest, pattern, strict=True):
            assert (place == "L" and symbol in LETTERS) or (place == "D" and symbol.isdecimal()) or symbol == place


def test_a_registration_is_letters_and_digits_alone() -> None:
    assert registration("M=AB 1234") == "MAB1234"
    assert registration("HU AB/123") == "HUAB123"
    assert registration("YA-123-B") == "YA123B"


@pytest.mark.parametrize("style", FORMATS, ids=lambda f: f"{f.country} {f.pattern}")
def test_plates_are_painted_in_their_shape(style: Format) -> None:
    plate = make_plate(np.random.default_rng(2), style)
    height, width = plate.levels[0].shape[:2]
    assert width / height == pytest.approx(style.width_m / style.height_m, rel=0.02)
    assert len(plate.levels) > 4
    inner = plate.levels[0][height // 5 : -height // 5, width // 8 : -width // 8].mean(axis=2)
    assert inner.max() > 140  # ground
    assert inner.min() < 70  # ink
    ink = (inner < inner.mean() * 0.6).mean()
    assert 0.08 < ink < 0.5
