"""Blurring is judged by what is left of the pixels, not by how it looks."""

from __future__ import annotations

from dataclasses import replace
from typing import Literal

import cv2
import numpy as np
import pytest

from cloud_apis.contract import PlateBox
from edge_client.blur import Blurring, blur, blur_all
from edge_client.config.privacy import PrivacySettings
from edge_client.config.reading import TrackingSettings
from edge_client.tracking.tracker import Tracker
from edge_client.types import Image, Outcome, ShownFrame, TrackedBox
from tests.edge_client.samples import shown

BOX = PlateBox(100.0, 60.0, 220.0, 90.0, 0.95, (0.98,))


def plate_picture(text: str) -> Image:
    image = np.full((180, 320, 3), 90, np.uint8)
    image[60:90, 100:220] = 240
    cv2.putText(image, text, (104, 84), cv2.FONT_HERSHEY_SIMPLEX, 0.75, (10, 10, 10), 2, cv2.LINE_AA)
    return image


def frame(
    text: str | None, number: int = 0, outcome: Outcome = Outcome.ANNOTATED, captured_s: float = 0.0
) -> ShownFrame:
    boxes = (TrackedBox(1, BOX, False, text, None if text is None else 0.9),)
    return replace(shown(number, plate_picture("B123XYZ"), boxes, captured_s=captured_s), outcome=outcome)


def inside(image: Image) -> Image:
    return image[60:90, 100:220]


def test_at_most_eight_colours_are_left_inside_the_box_and_all_else_is_untouched() -> None:
    image = plate_picture("B123XYZ")
    before = image.copy()
    result = blur(image, [BOX], margin=0.2)
    assert np.array_equal(image, before)
    assert len(np.unique(inside(result).reshape(-1, 3), axis=0)) <= 8
    outside = np.ones(image.shape[:2], bool)
    outside[54:96, 76:244] = False
    assert np.array_equal(result[outside], image[outside])
    assert not np.array_equal(result[54:96, 76:244], image[54:96, 76:244])


def test_two_plates_can_hardly_be_told_apart_afterwards() -> None:
    one, other = (inside(blur(plate_picture(text), [BOX])).astype(int) for text in ("B123XYZ", "B124XYZ"))
    clear_one, clear_other = (inside(plate_picture(text)).astype(int) for text in ("B123XYZ", "B124XYZ"))
    assert np.abs(clear_one - clear_other).max() > 150
    assert np.abs(one - other).max() < 20


@pytest.mark.parametrize(
    "box", [(-50, -50, 20, 20), (300, 170, 900, 900), (500, 500, 600, 600), (10, 10, 10, 10), (50.5, 50.5, 51, 51)]
)
def test_boxes_may_hang_over_the_edge_or_lie_outside(box: tuple[float, float, float, float]) -> None:
    image = plate_picture("B123XYZ")
    assert blur(image, [PlateBox(*box, 0.9, (0.9,))]).shape == image.shape


def test_a_whole_picture_becomes_coarse_fields() -> None:
    result = blur_all(plate_picture("B123XYZ"))
    assert result.shape == (180, 320, 3)
    assert len(np.unique(result.reshape(-1, 3), axis=0)) <= 24 * 14
    assert inside(result).std() < inside(plate_picture("B123XYZ")).std() / 3


def test_texts_go_with_the_pixels_unless_they_are_wanted() -> None:
    hidden = Blurring(PrivacySettings(blur="both")).apply(frame("B123XYZ"))
    assert hidden.boxes[0].text is None
    assert hidden.boxes[0].confidence is None
    told = Blurring(PrivacySettings(blur="both", texts=True)).apply(frame("B123XYZ"))
    assert told.boxes[0].text == "B123XYZ"
    assert np.array_equal(told.frame.image, hidden.frame.image)


@pytest.mark.parametrize(
    ("settings", "text", "is_blurred"),
    [
        ({}, "B123XYZ", True),
        ({}, None, True),
        ({"never": ("B12?XYZ",)}, "B123XYZ", False),
        ({"never": ("b123*",)}, "B123XYZ", False),
        ({"never": ("B123XYZ",)}, None, True),
        ({"only": ("CJ*",)}, "B123XYZ", False),
        ({"only": ("CJ*", "B*")}, "B123XYZ", True),
        ({"only": ("CJ*",)}, None, True),
        ({"only": ("B*",), "never": ("B123XYZ",)}, "B123XYZ", False),
    ],
)
def test_which_plates(settings: dict[str, tuple[str, ...]], text: str | None, is_blurred: bool) -> None:
    result = Blurring(PrivacySettings(blur="shown", **settings)).apply(frame(text))  # type: ignore[arg-type]
    assert np.array_equal(result.frame.image, plate_picture("B123XYZ")) is not is_blurred
    if not is_blurred:
        assert result.boxes[0].text == text


def test_when_nobody_looks_for_plates_any_more_the_whole_picture_is_blurred() -> None:
    blurring = Blurring(PrivacySettings(blur="shown", blind_after_s=1.0))
    plain = replace(frame(None), boxes=())
    first = blurring.apply(replace(plain, outcome=Outcome.PLAIN))
    assert first.frame.image[0, 0].tolist() == [90, 90, 90]
    assert not np.array_equal(first.frame.image, plain.frame.image)  # nobody has looked yet
    assert blurring.apply(plain) is plain  # looked, and there is none

    def later(seconds: float) -> ShownFrame:
        shown_frame = replace(frame(None, captured_s=seconds), boxes=(), outcome=Outcome.PLAIN)
        return blurring.apply(shown_frame)

    assert np.array_equal(later(0.9).frame.image, plain.frame.image)
    assert not np.array_equal(later(1.1).frame.image, plain.frame.image)
    never = Blurring(PrivacySettings(blur="shown", blind_after_s=0.0))
    assert never.apply(replace(plain, outcome=Outcome.PLAIN)).frame.image is plain.frame.image


def test_between_the_last_carried_box_and_the_next_look_no_plate_is_clear() -> None:
    """The boxes of the last result end before a picture is blurred as a whole for want of results."""
    blurring = Blurring(PrivacySettings(blur="shown", blind_after_s=1.0))
    tracker = Tracker(TrackingSettings(carry_s=0.5))
    for number in range(11):
        seconds = number / 10
        boxes = tracker.update(seconds, [BOX]) if number == 0 else tracker.predict(seconds)
        outcome = Outcome.ANNOTATED if number == 0 else Outcome.CARRIED if boxes else Outcome.PLAIN
        image = plate_picture("B123XYZ")
        image[150:, ::2] = 30
        taken = shown(number, image, boxes, captured_s=seconds)
        result = blurring.apply(replace(taken, outcome=outcome)).frame.image
        assert len(np.unique(inside(result).reshape(-1, 3), axis=0)) <= 24 * 3
        assert inside(result).std() < inside(image).std() / 2
        assert np.array_equal(result[150:], image[150:]) is bool(boxes)
    gone = replace(shown(11, plate_picture(""), (), captured_s=1.1), outcome=Outcome.ANNOTATED)
    assert blurring.apply(gone) is gone
    plain = replace(shown(12, plate_picture(""), (), captured_s=1.8), outcome=Outcome.PLAIN)
    assert blurring.apply(plain) is plain


def test_a_plate_that_stays_clear_blurs_nothing_when_its_box_ends() -> None:
    blurring = Blurring(PrivacySettings(blur="shown", never=("B123XYZ",)))
    blurring.apply(frame(None))
    known = frame("B123XYZ", 1, Outcome.CARRIED, 0.2)
    assert blurring.apply(known) is known
    ended = replace(frame(None, 2, Outcome.PLAIN, 0.7), boxes=())
    assert blurring.apply(ended) is ended


def test_where() -> None:
    def flags(where: Literal["none", "shown", "recorded", "both"]) -> tuple[bool, bool]:
        blurring = Blurring(PrivacySettings(blur=where))
        return blurring.shown, blurring.recorded

    assert flags("none") == (False, False)
    assert flags("shown") == (True, False)
    assert flags("recorded") == (False, True)
    assert flags("both") == (True, True)
