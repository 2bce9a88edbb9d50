from __future__ import annotations

import numpy as np
import pytest

from cloud_apis.annotate import annotate
from cloud_apis.contract import PlateBox, PlateRead, Quad, Word

QUAD: Quad = ((0, 0), (1, 0), (1, 1), (0, 1))


def read(xmin: float, ymin: float, xmax: float, ymax: float, text: str) -> PlateRead:
    words = (Word(text, QUAD, (0.9,) * len(text)),) if text else ()
    return PlateRead(PlateBox(xmin, ymin, xmax, ymax, 0.9, (0.9,)), words)


def test_box_and_text_are_drawn_into_a_copy() -> None:
    picture = np.zeros((360, 640, 3), np.uint8)
    boxed = annotate(picture, [read(200, 200, 320, 240, "")])
    assert boxed.shape == picture.shape
    assert boxed[200, 260].any()
    assert boxed[240, 260].any()
    assert not boxed[220, 260].any()
    assert not boxed[190, 210].any()
    labelled = annotate(picture, [read(200, 200, 320, 240, "B123")])
    assert labelled[190, 210].any()
    assert not picture.any()


@pytest.mark.parametrize("corner", [(0, 0), (600, 0), (0, 340), (600, 340), (-50, -50), (639, 359)])
def test_a_plate_at_the_edge_keeps_its_label_in_the_picture(corner: tuple[int, int]) -> None:
    picture = np.zeros((360, 640, 3), np.uint8)
    x, y = corner
    drawn = annotate(picture, [read(x, y, x + 60, y + 20, "ABC12345")])
    filled = (drawn == (64, 200, 32)).all(axis=2)
    assert filled.sum() > 1000


def test_tiny_and_large_pictures_can_be_drawn_on() -> None:
    for height, width in ((1, 1), (5, 400), (3000, 4000)):
        picture = np.zeros((height, width, 3), np.uint8)
        assert annotate(picture, [read(0, 0, width, height, "AB12")]).shape == picture.shape
