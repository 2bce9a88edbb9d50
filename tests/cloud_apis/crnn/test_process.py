"""The CRNN's pure steps: straightening a word, and reading logits by greedy CTC."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from cloud_apis.crnn.postprocess import ALPHABET, BLANK, decode
from cloud_apis.crnn.preprocess import MAX_STRETCH, expand_quad, other_views, shown, warp_word


def logits_of(labels: list[int], strength: float = 12.0) -> NDArray[np.float32]:
    logits = np.zeros((len(labels), 37), np.float32)
    logits[np.arange(len(labels)), labels] = strength
    return logits


def quad_of(x0: float, y0: float, x1: float, y1: float) -> NDArray[np.float32]:
    return np.array([[x0, y0], [x1, y0], [x1, y1], [x0, y1]], np.float32)


def test_repeats_merge_and_blanks_separate() -> None:
    text, confidences = decode(logits_of([0, 11, 11, 0, 11, 2, 2, 0, 0, 36]))
    assert text == "AA1Z"
    assert len(confidences) == 4
    assert min(confidences) > 0.99


@settings(max_examples=50, deadline=None)
@given(text=st.text(alphabet=ALPHABET, max_size=20))
def test_any_text_comes_back_when_blanks_lie_between(text: str) -> None:
    labels = [BLANK]
    for character in text:
        labels += [ALPHABET.index(character) + 1, BLANK]
    assert decode(logits_of(labels))[0] == text


@settings(max_examples=50, deadline=None)
@given(seed=st.integers(0, 10_000), steps=st.integers(1, 64))
def test_confidences_are_probabilities(seed: int, steps: int) -> None:
    text, confidences = decode(np.random.default_rng(seed).normal(0, 50, (steps, 37)).astype(np.float32))
    assert len(text) == len(confidences) <= steps
    assert all(0 < confidence <= 1 for confidence in confidences)


def test_an_upright_quad_grows_by_parts_of_its_height() -> None:
    wide = expand_quad(quad_of(100, 50, 200, 70), 0.5, 0.25)
    assert wide == pytest.approx(quad_of(90, 45, 210, 75))


def test_short_lines_are_shown_with_surroundings_rather_than_stretched() -> None:
    window = shown(quad_of(100, 50, 120, 70))
    width, height = window[1, 0] - window[0, 0], window[3, 1] - window[0, 1]
    assert (160 / width) / (32 / height) == pytest.approx(MAX_STRETCH)
    assert window.mean(axis=0) == pytest.approx([110, 60])
    long = quad_of(100, 50, 220, 70)
    assert shown(long) == pytest.approx(expand_quad(long))


def test_sides_that_run_together_never_cross() -> None:
    wedge = np.array([[0, 0], [40, 8], [40, 12], [0, 20]], np.float32)
    tl, tr, br, bl = shown(wedge)
    assert bl[1] - tl[1] > 4
    assert br[1] - tr[1] > 2


def test_other_views_keep_the_characters_where_they_are() -> None:
    quad = quad_of(100, 50, 220, 70)
    window = shown(quad)
    wider, down, up = other_views(quad)
    assert wider[:, 0] == pytest.approx(window[:, 0])
    assert wider[0, 1] < window[0, 1] < window[3, 1] < wider[3, 1]
    assert (down + up) / 2 == pytest.approx(window, abs=1e-3)
    assert (down[1] - down[0])[1] > 0 > (up[1] - up[0])[1]


def test_degenerate_quads_do_not_fail() -> None:
    point = np.full((4, 2), 7, np.float32)
    assert np.all(np.isfinite(expand_quad(point)))
    patch = warp_word(np.zeros((20, 40), np.uint8), point)
    assert patch.shape == (1, 32, 160)
    assert np.all(np.isfinite(patch))


@pytest.mark.parametrize("scale", [0.5, 1, 2, 5])
def test_the_word_fills_the_patch_at_any_size(scale: float) -> None:
    height, width = round(64 * scale), round(256 * scale)
    picture = np.zeros((height, width), np.uint8)
    picture[:, : width // 2] = 200
    patch = warp_word(picture, quad_of(-0.5, -0.5, width - 0.5, height - 0.5), 0.0, 0.0)
    assert patch.dtype == np.float32
    assert patch[0, :, :76] == pytest.approx(200 / 255, abs=0.01)
    assert patch[0, :, 84:] == pytest.approx(0, abs=0.01)


def test_a_tilted_word_is_straightened() -> None:
    y, x = np.mgrid[0:100, 0:200]
    picture = np.where(np.abs(y - 50 - 0.2 * (x - 100)) < 5, 255, 0).astype(np.uint8)
    corners = np.array([[40, 28], [160, 52], [160, 72], [40, 48]], np.float32)
    patch = warp_word(picture, corners, 0.0, 0.0)[0]
    assert patch[14:18, 4:-4].mean() > 0.9
    assert patch[:3].mean() < 0.1
    assert patch[-3:].mean() < 0.1


def test_outside_the_picture_its_border_repeats() -> None:
    patch = warp_word(np.full((10, 40), 128, np.uint8), quad_of(-30, -30, 80, 40))
    assert patch == pytest.approx(128 / 255, abs=0.01)
