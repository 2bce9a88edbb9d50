from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cloud_apis.yolov3.preprocess import STRIDE, Letterbox, fit, network_input

sizes = st.integers(1, 5000)
nets = st.integers(1, 20).map(lambda n: n * STRIDE)


def test_a_reduced_frame_is_only_padded() -> None:
    assert fit(416, 234, 416, 416) == Letterbox(416, 234, 416, 234, 0, 11, 416, 256)


def test_the_aspect_is_kept_and_the_longer_side_fills_the_net() -> None:
    assert fit(1280, 720, 416, 416) == Letterbox(1280, 720, 416, 234, 0, 11, 416, 256)
    assert fit(720, 1280, 416, 416) == Letterbox(720, 1280, 234, 416, 11, 0, 256, 416)
    assert fit(208, 104, 416, 416) == Letterbox(208, 104, 416, 208, 0, 8, 416, 224)


@given(sizes, sizes, nets, nets)
def test_any_picture_fits(width: int, height: int, net_w: int, net_h: int) -> None:
    box = fit(width, height, net_w, net_h)
    assert 1 <= box.inner_width_px <= box.outer_width_px <= net_w
    assert 1 <= box.inner_height_px <= box.outer_height_px <= net_h
    assert box.outer_width_px % STRIDE == box.outer_height_px % STRIDE == 0
    assert 0 <= box.left_px <= STRIDE // 2
    assert 0 <= box.top_px <= STRIDE // 2
    assert box.inner_width_px == net_w or box.inner_height_px == net_h


@given(sizes, sizes)
def test_boxes_find_back_to_the_picture(width: int, height: int) -> None:
    box = fit(width, height, 416, 320)
    inner = np.array([[box.left_px, box.top_px, box.left_px + box.inner_width_px, box.top_px + box.inner_height_px]])
    assert box.to_picture(inner.astype(np.float32))[0].tolist() == pytest.approx([0, 0, width, height], rel=1e-4)


def test_pixels_become_floats_on_grey_ground() -> None:
    grey = np.full((234, 416), 255, np.uint8)
    image = network_input(grey, fit(416, 234, 416, 416))
    assert image.shape == (1, 256, 416)
    assert image.dtype == np.float32
    assert (image[0, 11:245] == 1).all()
    assert (image[0, :11] == 0.5).all()
    assert (image[0, 245:] == 0.5).all()


def test_pictures_of_other_sizes_are_scaled() -> None:
    grey = np.zeros((720, 1280), np.uint8)
    grey[:, 640:] = 255
    box = fit(1280, 720, 416, 416)
    for reduced in (grey, grey[::2, ::2]):  # as decoded in full and at half its size
        image = network_input(reduced, box)
        assert image.shape == (1, 256, 416)
        assert image[0, 128, 100] == 0
        assert image[0, 128, 300] == 1
