from __future__ import annotations

import cv2
import numpy as np
import pytest

from cloud_apis.contract import PlateBox
from edge_client.tracking.appearance import likeness, most_alike, thumbnails
from tests.edge_client.tracking.test_identity import LOOKS, look_of, painted


def test_the_same_plate_is_alike_and_another_is_not() -> None:
    assert likeness(LOOKS[0], look_of("B12XYZ")) == pytest.approx(1.0, abs=0.02)
    assert (likeness(LOOKS[0], LOOKS[1]) or 0.0) < 0.6
    assert (likeness(LOOKS[1], LOOKS[0]) or 0.0) < 0.6


def test_a_box_that_lies_a_little_differently_is_still_alike() -> None:
    frame = np.full((120, 300, 3), 90, np.uint8)
    frame[40:80, 60:240] = painted("B12XYZ")
    (moved,) = thumbnails(frame, [PlateBox(54, 37, 250, 82, 0.9, (0.9,))])
    assert (likeness(LOOKS[0], moved) or 0.0) > 0.75


def test_what_shows_nothing_is_like_nothing() -> None:
    flat = thumbnails(np.full((50, 100, 3), 7, np.uint8), [PlateBox(10, 10, 60, 25, 0.9, (0.9,))])[0]
    assert likeness(flat, LOOKS[0]) is likeness(LOOKS[0], flat) is likeness(flat, flat) is None
    assert most_alike(LOOKS[0], [[flat, flat], [], [flat, LOOKS[0]]]) == [None, None, pytest.approx(1.0, abs=0.02)]
    assert most_alike(flat, [[LOOKS[0]], []]) == [None, None]


def test_the_most_similar_look_of_each_plate_counts() -> None:
    same, other, nothing = most_alike(LOOKS[0], [[LOOKS[1], look_of("B12XYZ")], [LOOKS[1]], []])
    assert same == pytest.approx(1.0, abs=0.02)
    assert other is not None
    assert other < 0.6
    assert nothing is None
    assert most_alike(LOOKS[0], []) == []


@pytest.mark.parametrize("gain", [0.4, 0.7, 1.3])
def test_light_and_size_do_not_count(gain: float) -> None:
    frame = np.full((240, 600, 3), 90, np.uint8)
    frame[80:160, 120:480] = cv2.resize(painted("B12XYZ"), (360, 80))
    shaded = np.clip(frame * np.linspace(0.6, 1.0, 600)[None, :, None] * gain, 0, 255).astype(np.uint8)
    (look,) = thumbnails(shaded, [PlateBox(120, 80, 480, 160, 0.9, (0.9,))])
    assert (likeness(LOOKS[0], look) or 0.0) > 0.85
    assert (likeness(LOOKS[1], look) or 0.0) < 0.6


def test_boxes_at_the_edge_and_of_no_size_are_taken() -> None:
    random = np.random.default_rng(1)
    frame = random.integers(0, 255, (60, 90, 3), dtype=np.uint8)
    boxes = [
        PlateBox(0, 0, 90, 60, 0.9, (0.9,)),
        PlateBox(-20, -10, 15, 8, 0.9, (0.9,)),
        PlateBox(80, 50, 140, 90, 0.9, (0.9,)),
        PlateBox(30, 30, 30, 30, 0.9, (0.9,)),
    ]
    for thumbnail in thumbnails(frame, boxes):
        assert thumbnail.around.shape == (22, 90)
        assert np.isfinite(thumbnail.around).all()
        if thumbnail.inside is not None:
            assert thumbnail.inside.shape == (500,)
            assert float(np.linalg.norm(thumbnail.inside)) == pytest.approx(1.0, abs=1e-4)
            assert -1.0 <= (likeness(thumbnail, LOOKS[0]) or 0.0) <= 1.001
