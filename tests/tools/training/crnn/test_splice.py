"""Splicing: characters are placed by forced alignment, and lines are cut between them."""

from __future__ import annotations

import itertools

import numpy as np
import pytest

pytest.importorskip("torch", reason="torch (extra `train`) is not installed")

import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from cloud_apis.crnn.preprocess import shown
from tools.training.crnn.splice import Cuttable, align, cuttable, splice

QUAD = np.array([[10, 10], [150, 10], [150, 30], [10, 30]], np.float32)


def scores_of(path: list[int]) -> NDArray[np.float32]:
    scores = np.full((len(path), 37), -8.0, np.float32)
    scores[np.arange(len(path)), path] = -0.01
    return scores


def test_characters_are_found_where_they_stand() -> None:
    spans, confidence = align(scores_of([0, 0, 5, 5, 0, 5, 0, 7, 7, 7, 0]), (5, 5, 7))
    assert spans == [(2, 3), (5, 5), (7, 9)]
    assert confidence > 0.9


@settings(max_examples=40, deadline=None)
@given(target=st.lists(st.integers(1, 36), min_size=1, max_size=9), seed=st.integers(0, 1000))
def test_any_text_is_placed_in_order(target: list[int], seed: int) -> None:
    scores = np.random.default_rng(seed).normal(-3, 1, (80, 37)).astype(np.float32)
    spans, confidence = align(scores, target)
    assert len(spans) == len(target)
    assert all(first <= last for first, last in spans)
    assert all(before[1] < after[0] for before, after in itertools.pairwise(spans))
    assert confidence > 0


def test_a_text_too_long_for_the_steps_is_an_error() -> None:
    with pytest.raises(ValueError, match="too few"):
        align(np.zeros((3, 37), np.float32), (1, 1, 1))


def test_two_lines_become_one() -> None:
    def line(level: int, target: tuple[int, ...]) -> Cuttable:
        gap = np.array([[[80, 5], [80, 35]]], np.float32)
        return Cuttable(np.full((40, 160), level, np.uint8), target, shown(QUAD), gap)

    patch, target = splice(line(0, (1, 2)), line(200, (3, 4)), np.random.default_rng(0))
    assert target == (1, 4)
    assert patch.shape == (1, 32, 160)
    assert patch.dtype == np.float32
    assert 0 <= patch.min() <= patch.max() <= 1


class _Fixed(torch.nn.Module):
    def forward(self, image: torch.Tensor) -> torch.Tensor:
        row = torch.from_numpy(scores_of([0] * 20 + [3] * 20 + [0] * 20 + [9] * 20))
        return row[None].repeat(len(image), 1, 1)


def test_gaps_lie_between_the_characters() -> None:
    image = np.zeros((40, 160), np.uint8)
    (line,) = cuttable(_Fixed(), [(image, QUAD, (3, 9)), (image, QUAD, (5, 6))])
    assert line.target == (3, 9)
    left, right = line.window[0, 0], line.window[1, 0]
    assert line.gaps.shape == (1, 2, 2)
    assert line.gaps[0, :, 0] == pytest.approx(left + (right - left) * 50 / 80, abs=1)
    assert line.gaps[0, 0, 1] < 10
    assert line.gaps[0, 1, 1] > 30
