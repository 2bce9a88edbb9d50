"""rapidocr's texts are made comparable, and what of it is installed reads a crop."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from tools.bench.peers import V4, V6, joined, missing, plain_text, rapidocr_peers


def box(left: float, top: float, right: float, bottom: float) -> np.ndarray[tuple[int, ...], np.dtype[np.float64]]:
    return np.array([(left, top), (right, top), (right, bottom), (left, bottom)])


@pytest.mark.parametrize(
    ("text", "plain"),
    [("ab 12-cd", "AB12CD"), ("ＡＢ１２", "AB12"), ("B·01 XEN", "B01XEN"), ("川A12345", "A12345"), ("", "")],
)
def test_texts_are_compared_as_plates_are(text: str, plain: str) -> None:
    assert plain_text(text) == plain


def test_lines_are_joined_from_the_top_and_words_from_the_left() -> None:
    boxes = [box(60, 3, 90, 20), box(0, 30, 90, 50), box(0, 0, 50, 18)]
    assert joined(boxes, ["12", "xyz 9", "AB"]) == "AB12XYZ9"
    assert joined([], []) == ""


def test_tilted_words_stay_on_their_line() -> None:
    assert joined([box(50, 8, 90, 28), box(0, 0, 45, 20)], ["CD", "AB"]) == "ABCD"


def test_what_is_not_installed_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tools.bench.peers._version", lambda name: None)
    assert missing() == [V4, V6]
    assert list(rapidocr_peers(1)) == []


def test_the_installed_peers_read_a_plain_plate() -> None:
    if missing():
        pytest.skip(f"not installed: {', '.join(missing())}")
    crop = np.full((40, 150, 3), 255, np.uint8)
    cv2.putText(crop, "AB 12 CD", (8, 29), cv2.FONT_HERSHEY_SIMPLEX, 0.85, (0, 0, 0), 2, cv2.LINE_AA)
    kind = [p for p in rapidocr_peers(1) if "as it comes" not in p.name]
    assert len(kind) == 2
    assert {p.read(crop) for p in kind} == {"AB12CD"}
    assert all(p.size > 10**7 for p in kind)
