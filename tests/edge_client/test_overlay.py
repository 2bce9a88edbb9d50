"""Drawing onto frames: what changes, what must not, and that any box is survived."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cloud_apis.contract import PlateBox
from edge_client.overlay import SURE, UNREAD, UNSURE, colour_of, draw, percent_text, position_text
from edge_client.types import Image, TrackedBox
from tests.edge_client.samples import FIX, picture, shown

SURE_BOX = TrackedBox(1, PlateBox(100.0, 90.0, 160.0, 110.0, 0.9, (0.9,)), False, "B123XYZ", 0.95)


def has_colour(image: Image, colour: tuple[int, int, int]) -> bool:
    return bool((image == np.array(colour, np.uint8)).all(axis=2).any())


@pytest.mark.parametrize("size", [(1280, 720), (640, 480), (416, 234), (97, 61)])
def test_a_new_picture_of_the_same_size_and_the_frame_untouched(size: tuple[int, int]) -> None:
    image = picture(*size)
    before = image.copy()
    drawn = draw(shown(image=image, boxes=(SURE_BOX,), fix=FIX, fix_age_s=0.1))
    assert drawn.shape == image.shape
    assert drawn.dtype == np.uint8
    assert (image == before).all()
    assert (drawn != before).any()


def test_a_frame_too_small_for_text_comes_back_as_it_is() -> None:
    assert (draw(shown(image=picture(40, 30), boxes=(SURE_BOX,))) == 90).all()


@pytest.mark.parametrize(
    ("text", "confidence", "colour"),
    [
        ("B123XYZ", 0.8, SURE),
        ("B123XYZ", 0.79, UNSURE),
        ("B123XYZ", None, UNSURE),
        (None, None, UNREAD),
        ("", 1.0, UNREAD),
    ],
)
def test_the_colour_says_how_sure_the_read_is(
    text: str | None, confidence: float | None, colour: tuple[int, int, int]
) -> None:
    assert colour_of(text, confidence) == colour
    drawn = draw(shown(image=picture(640, 480), boxes=(replace(SURE_BOX, text=text, confidence=confidence),)))
    assert has_colour(drawn, colour)


def test_the_car_stands_beside_the_plate_and_alone_where_it_is_not_read() -> None:
    def drawn(text: str | None, vehicle: str) -> Image:
        box = replace(SURE_BOX, text=text, confidence=None if text is None else 0.95, vehicle=vehicle)
        return draw(shown(image=picture(640, 480), boxes=(box,)))

    with_car, plate, car, neither = (
        drawn(text, vehicle) for text in ("B123XYZ", None) for vehicle in ("red Suzuki Swift", "")
    )
    lettered = [int((image != neither).any(axis=2).sum()) for image in (with_car, plate, car)]
    assert lettered[0] > lettered[1] > 0
    assert lettered[0] > lettered[2] > 0
    assert (drawn(None, "Škoda Octavia") == drawn(None, "Skoda Octavia")).all()  # in letters that can be drawn


def test_a_carried_box_has_corners_only() -> None:
    found, carried = (
        draw(shown(image=picture(640, 480), boxes=(replace(SURE_BOX, carried=c, text=None),))) for c in (False, True)
    )
    middle = int((SURE_BOX.box.xmin + SURE_BOX.box.xmax) / 2)
    rows = slice(int(SURE_BOX.box.ymin) - 6, int(SURE_BOX.box.ymin) + 1)
    assert (found[rows, middle] != 90).any()
    assert (carried[rows, middle] == 90).all()
    assert (carried[rows] != 90).any()


def test_a_read_is_labelled_and_an_unread_plate_is_not() -> None:
    label = (slice(40, 80), slice(95, 250))
    assert (draw(shown(image=picture(640, 480), boxes=(SURE_BOX,)))[label] != 90).any()
    unread = replace(SURE_BOX, text=None, confidence=None)
    assert (draw(shown(image=picture(640, 480), boxes=(unread,)))[label] == 90).all()


def test_labels_of_neighbours_do_not_cover_each_other() -> None:
    other = replace(
        SURE_BOX, track_id=2, text="CJ08TUX", confidence=0.5, box=replace(SURE_BOX.box, xmin=110.0, xmax=170.0)
    )
    both = draw(shown(image=picture(640, 480), boxes=(SURE_BOX, other)))
    assert has_colour(both, SURE)
    alone = draw(shown(image=picture(640, 480), boxes=(SURE_BOX,)))
    # The surer one is where it would be without the other; the other one found a place below its box.
    assert (both[40:75, 90:200] == alone[40:75, 90:200]).all()
    assert (both[120:150, 110:200] != alone[120:150, 110:200]).any()


def test_position_and_its_age_change_the_picture() -> None:
    corner = (slice(440, 480), slice(0, 640))
    without = draw(shown(image=picture(640, 480)))[corner]
    fresh = draw(shown(image=picture(640, 480), fix=FIX, fix_age_s=0.1))[corner]
    stale = draw(shown(image=picture(640, 480), fix=FIX, fix_age_s=9.0))[corner]
    assert (without != fresh).any()
    assert (fresh != stale).any()


def test_texts_for_people() -> None:
    assert position_text(45.753721, 21.225711) == "45.75372 N 21.22571 E"
    assert position_text(-33.5, -70.25) == "33.50000 S 70.25000 W"
    assert percent_text(0.5) == "50%"
    assert percent_text(0.999) == percent_text(1.0) == "99%"


finite = st.floats(-3000, 3000)


@settings(max_examples=60, deadline=None)
@given(
    st.lists(st.tuples(finite, finite, finite, finite, st.sampled_from([None, "B1", "ABCDEFGHIJKLMNOP"])), max_size=4),
    st.sampled_from([(64, 48), (416, 234), (640, 480)]),
)
def test_any_box_is_survived(boxes: list[tuple[float, float, float, float, str | None]], size: tuple[int, int]) -> None:
    tracked = tuple(
        TrackedBox(i, PlateBox(x0, y0, x1, y1, 0.9, (0.9,)), i % 2 == 0, text, None if text is None else 0.6)
        for i, (x0, y0, x1, y1, text) in enumerate(boxes)
    )
    assert draw(shown(image=picture(*size), boxes=tracked, fix=FIX, fix_age_s=1.0)).shape == (size[1], size[0], 3)
