"""CRAFT's pure steps: fitting a crop and back, and lines from maps."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from cloud_apis.craft.postprocess import SIGMA, line_quads
from cloud_apis.craft.preprocess import fit_crop


def score_of(lines: list[list[tuple[float, float]]], width: float = 6, height: float = 12) -> NDArray[np.float32]:
    """Maps with a Gaussian at each character centre (x, y in map cells) and on each link; sizes in cells."""
    y, x = np.mgrid[0:48, 0:96]
    score = np.zeros((2, 48, 96))

    def spot(channel: int, cx: float, cy: float, w: float, h: float) -> None:
        exponent = ((x - cx) / (SIGMA * w / 2)) ** 2 + ((y - cy) / (SIGMA * h / 2)) ** 2
        np.maximum(score[channel], np.exp(-exponent / 2), out=score[channel])

    for line in lines:
        for cx, cy in line:
            spot(0, cx, cy, width, height)
        for (ax, ay), (bx, by) in pairwise(line):
            spot(1, (ax + bx) / 2, (ay + by) / 2, bx - ax, height * 0.6)
    return score.astype(np.float32)


def row(y: float, x0: float = 20, count: int = 7, step: float = 8, slope: float = 0.0) -> list[tuple[float, float]]:
    return [(x0 + i * step, y + slope * i * step) for i in range(count)]


@settings(max_examples=30, deadline=None)
@given(height=st.integers(1, 400), width=st.integers(1, 900))
def test_fitted_crops_lead_back(height: int, width: int) -> None:
    image, fit = fit_crop(np.full((height, width), 255, np.uint8))
    assert image.shape == (1, 96, 192)
    assert image.dtype == np.float32
    assert image.max() == 1.0
    corners = np.array([[0, 0], [width - 1, height - 1], [width / 3, height / 5]], np.float32)
    inside = fit.to_network(corners)
    assert inside.min() >= -0.51
    assert np.all(inside.max(axis=0) <= [191.51, 95.51])
    assert fit.to_crop(inside) == pytest.approx(corners, abs=0.02 + 1e-4 * max(width, height))


def test_padding_is_grey_and_content_centred() -> None:
    image, _ = fit_crop(np.zeros((50, 50), np.uint8))
    assert np.all(image[0, :, :48] == 0.5)
    assert np.all(image[0, :, 48:144] == 0)
    assert np.all(image[0, :, 144:] == 0.5)


def test_nothing_is_found_in_empty_maps() -> None:
    assert line_quads(np.zeros((2, 48, 96), np.float32)) == []


def test_one_line_is_boxed_tightly_in_network_pixels() -> None:
    (quad,) = line_quads(score_of([row(24)]))
    # Characters span cells 17..71 by 18..30; cell c covers network pixels 2c and 2c + 1.
    assert quad == pytest.approx(np.array([[34.5, 36.5], [142.5, 36.5], [142.5, 60.5], [34.5, 60.5]]), abs=3.0)
    assert quad.dtype == np.float32


def test_two_lines_come_top_first() -> None:
    quads = line_quads(score_of([row(34, count=4), row(12, count=3)]))
    assert len(quads) == 2
    assert quads[0][:, 1].max() < quads[1][:, 1].min() + 6


def test_small_print_is_left_out() -> None:
    maps = np.maximum(score_of([row(16)]), score_of([row(34, step=3.5, count=12)], width=2.6, height=5))
    (quad,) = line_quads(maps)
    assert quad[:, 1].mean() == pytest.approx(32, abs=3)


def test_a_row_with_a_missing_link_stays_one_line() -> None:
    (quad,) = line_quads(score_of([row(24, count=3), row(24, x0=56, count=4)]))
    assert quad[1, 0] - quad[0, 0] > 110


@settings(max_examples=30, deadline=None)
@given(slope=st.floats(-0.3, 0.3))
def test_tilted_lines_are_followed(slope: float) -> None:
    (quad,) = line_quads(score_of([row(24 - slope * 24, slope=slope)]))
    top, bottom = quad[1] - quad[0], quad[2] - quad[3]
    assert top[1] / top[0] == pytest.approx(slope, abs=0.08)
    assert bottom[1] / bottom[0] == pytest.approx(slope, abs=0.08)
    assert quad[:, 0].mean() == pytest.approx(88.5, abs=3)


@settings(max_examples=30, deadline=None)
@given(seed=st.integers(0, 10_000))
def test_any_map_gives_finite_quads(seed: int) -> None:
    rng = np.random.default_rng(seed)
    maps = np.clip(rng.normal(0.1, 0.4, (2, 48, 96)), 0, 1).astype(np.float32)
    for quad in line_quads(maps):
        assert quad.shape == (4, 2)
        assert np.all(np.isfinite(quad))


def test_a_piece_beside_the_main_line_is_left_out() -> None:
    main, seal = row(24, x0=34, count=6), [(8.0, 38.0), (16.0, 38.0)]
    (quad,) = line_quads(score_of([main, seal]))
    assert quad[0, 0] > 55


@settings(max_examples=30, deadline=None)
@given(lean=st.floats(-0.3, 0.3))
def test_ends_follow_leaning_characters(lean: float) -> None:
    y, x = np.mgrid[0:48, 0:96]
    score = np.zeros((2, 48, 96))
    for cx, cy in row(24):
        exponent = ((x - lean * (y - cy) - cx) / (SIGMA * 3)) ** 2 + ((y - cy) / (SIGMA * 6)) ** 2
        score[0] = np.maximum(score[0], np.exp(-exponent / 2))
    score[1] = np.exp(-((y - 24) ** 2) / 8) * (np.abs(x - 44) < 26)
    (quad,) = line_quads(score.astype(np.float32))
    middle_left, middle_right = quad[[0, 3]].mean(axis=0), quad[[1, 2]].mean(axis=0)
    assert middle_left[0] == pytest.approx(34.5, abs=4)
    assert middle_right[0] == pytest.approx(142.5, abs=4)
