"""Windows in which a text stands upright."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from cloud_apis.craft.finder import find_lines
from cloud_apis.craft.straighten import Window, frame_of, text_window


def leaning(angle: float, lean: float, size: tuple[float, float] = (80, 20)) -> NDArray[np.float32]:
    """A line of text around (150, 100), turned by ``angle`` and sheared by ``lean``."""
    box = np.array([[-1, -1], [1, -1], [1, 1], [-1, 1]]) * np.array(size) / 2
    box[:, 0] += box[:, 1] * lean
    turn = np.array([[np.cos(angle), np.sin(angle)], [-np.sin(angle), np.cos(angle)]])
    return np.asarray(box @ turn + [150, 100], np.float32)


@settings(max_examples=30, deadline=None)
@given(angle=st.floats(-0.6, 0.6), lean=st.floats(-0.4, 0.4), scale=st.floats(0.05, 8))
def test_text_stands_upright_in_its_window(angle: float, lean: float, scale: float) -> None:
    quad = leaning(angle, lean) * np.float32(scale)
    window = text_window([quad])
    inside = window.to_network(quad)
    assert inside[0, 1] == pytest.approx(inside[1, 1], abs=0.2)
    assert inside[0, 0] == pytest.approx(inside[3, 0], abs=0.2)
    assert inside.mean(axis=0) == pytest.approx([95.5, 47.5], abs=0.2)
    # The margins: one height at the sides.
    assert inside[1, 0] - inside[0, 0] == pytest.approx(192 * 80 / 120, abs=1)
    assert window.to_crop(inside) == pytest.approx(quad, abs=0.02 * scale + 0.01)


def test_all_lines_come_into_view() -> None:
    lines = [leaning(0.1, 0, (40, 20)), leaning(0.1, 0) + np.array([0, 30], np.float32)]
    inside = np.concatenate([text_window(lines).to_network(quad) for quad in lines])
    assert inside.min() > 0
    assert (inside.max(axis=0) < [191, 95]).all()


def test_degenerate_lines_give_a_finite_window() -> None:
    along, down, height = frame_of(np.zeros((4, 2), np.float32))
    assert np.isfinite([*along, *down, height]).all()
    assert np.isfinite(text_window([np.zeros((4, 2), np.float32)]).cut(np.zeros((1, 1), np.uint8))).all()


@pytest.mark.parametrize("scale", [0.3, 1.0, 2.7, 5.0])
def test_a_window_shows_what_its_points_say(scale: float) -> None:
    crop = np.zeros((400, 500), np.uint8)
    cv2.circle(crop, (258, 194), 5, 255, -1)
    window = Window(np.array([250.0, 200.0]), np.eye(2) * scale)
    picture = window.cut(crop)
    assert picture.shape == (1, 96, 192)
    ((x, y),) = window.to_network(np.array([[258, 194]], np.float32))
    assert picture[0, round(y), round(x)] > 0.9
    bright = np.argwhere(picture[0] > 0.5)
    assert bright.mean(axis=0) == pytest.approx([y, x], abs=1.0)


def test_lines_of_the_second_look_are_those_of_the_crop() -> None:
    crop = np.zeros((200, 300), np.uint8)
    quad = leaning(0.35, 0.0)
    cv2.fillConvexPoly(crop, quad.astype(np.int32), 255)

    def score(images: NDArray[np.float32]) -> NDArray[np.float32]:
        half = (images[:, 0] == 1).reshape(len(images), 48, 2, 96, 2).mean(axis=(2, 4))
        return np.stack([half, half], axis=1).astype(np.float32)

    lines = find_lines(score, [crop, np.zeros((20, 20), np.uint8)], 4)
    assert [len(found) for found in lines] == [1, 0]
    (found,) = lines[0]
    assert found.mean(axis=0) == pytest.approx(quad.mean(axis=0), abs=2)
    top = found[1] - found[0]
    assert np.arctan2(top[1], top[0]) == pytest.approx(0.35, abs=0.05)
