from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cloud_apis.attributes.preprocess import HEIGHT_PX, WIDTH_PX, centre_square, crop_of, network_input, resized

coordinates = st.floats(-5000, 5000)


@given(st.tuples(coordinates, coordinates, coordinates, coordinates), st.integers(1, 60), st.integers(1, 60))
def test_a_crop_lies_in_the_picture_wherever_the_box_is(
    box: tuple[float, float, float, float], height: int, width: int
) -> None:
    xs, ys = sorted(box[::2]), sorted(box[1::2])
    crop = crop_of(np.zeros((height, width, 3), np.uint8), (xs[0], ys[0], xs[1], ys[1]))
    assert 1 <= crop.shape[0] <= height
    assert 1 <= crop.shape[1] <= width


def test_a_crop_is_the_box_with_some_room() -> None:
    picture = np.zeros((200, 300, 3), np.uint8)
    assert crop_of(picture, (100, 50, 200, 150)).shape == (108, 108, 3)


def test_the_square_is_the_middle() -> None:
    picture = np.zeros((10, 30, 3), np.uint8)
    picture[:, 10:20] = 7
    assert centre_square(picture).shape == (10, 10, 3)
    assert (centre_square(picture) == 7).all()


def test_the_input_is_rgb_about_zero() -> None:
    rgb = np.zeros((2, 3, 3), np.uint8)
    rgb[..., 0] = 255
    planes = network_input(rgb)
    assert planes.shape == (1, 3, 2, 3)
    assert planes.dtype == np.float32
    assert planes[0, 0] == pytest.approx(1.0)
    assert planes[0, 1] == pytest.approx(-127 / 128)


@pytest.mark.parametrize("shape", [(1, 1, 3), (3000, 20, 3), (192, 256, 3)])
def test_any_crop_becomes_the_inputs_size(shape: tuple[int, int, int]) -> None:
    crop = np.full(shape, 90, np.uint8)
    assert resized(crop).shape == (HEIGHT_PX, WIDTH_PX, 3)
    assert (resized(crop) == 90).all()


def test_a_fine_pattern_does_not_flicker_when_a_large_crop_is_reduced() -> None:
    fine = np.zeros((600, 1160, 3), np.uint8)
    fine[:, ::2] = 200
    assert (np.abs(resized(fine).astype(int) - 100) <= 1).all()
