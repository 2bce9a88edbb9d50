from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from cloud_apis.yolov3.postprocess import MAX_CANDIDATES, STRIDES, Candidates, best_boxes, decode, suppress
from tests.cloud_apis.tiny_models import ANCHORS

PAIRS = np.array(ANCHORS, np.float32).reshape(9, 2)
Array = NDArray[np.float32]


def silence(classes: int = 1, height: int = 256, width: int = 416) -> list[Array]:
    """Outputs in which nothing is found."""
    channels = 3 * (5 + classes)
    return [np.full((1, channels, height // s, width // s), -20, np.float32) for s in STRIDES]


def put(output: Array, anchor: int, row: int, column: int, values: list[float]) -> None:
    """Write tx, ty, tw, th, to and class logits at a place."""
    first = anchor * output.shape[1] // 3
    output[0, first : first + len(values), row, column] = values


def logit(p: float) -> float:
    return float(np.log(p / (1 - p)))


def test_nothing_found_is_no_box() -> None:
    assert decode(silence(), PAIRS, 0.5).corners.shape == (0, 4)


@pytest.mark.parametrize(("scale", "anchor"), [(0, 0), (0, 2), (1, 1), (2, 2)])
def test_a_box_is_decoded_as_yolov3_defines_it(scale: int, anchor: int) -> None:
    outputs, stride = silence(), STRIDES[scale]
    put(outputs[scale], anchor, 3, 5, [logit(0.25), logit(0.75), np.log(2), np.log(0.5), logit(0.9), logit(0.8)])
    found = decode(outputs, PAIRS, 0.5)
    width, height = PAIRS[scale * 3 + anchor] * (2, 0.5)
    x, y = (5 + 0.25) * stride, (3 + 0.75) * stride
    expected = [x - width / 2, y - height / 2, x + width / 2, y + height / 2]
    assert found.corners[0].tolist() == pytest.approx(expected, rel=1e-4)
    assert found.objectness.tolist() == pytest.approx([0.9])
    assert found.classes.tolist() == [pytest.approx([0.8])]
    assert found.scores().tolist() == pytest.approx([0.72])


def test_the_threshold_holds_for_objectness_times_class() -> None:
    outputs = silence(classes=2)
    put(outputs[0], 0, 0, 0, [0, 0, 0, 0, logit(0.9), logit(0.5), logit(0.1)])
    put(outputs[0], 0, 0, 9, [0, 0, 0, 0, logit(0.9), logit(0.1), logit(0.7)])
    assert decode(outputs, PAIRS, 0.46).scores().tolist() == pytest.approx([0.63])
    assert decode(outputs, PAIRS, 0.44).scores().tolist() == pytest.approx([0.63, 0.45])


def test_the_best_come_first_and_noise_is_bounded() -> None:
    rng = np.random.default_rng(1)
    outputs = [rng.normal(4, 2, o.shape).astype(np.float32) for o in silence()]
    scores = decode(outputs, PAIRS, 0.1).scores()
    assert len(scores) == MAX_CANDIDATES
    assert (np.diff(scores) <= 0).all()


def test_extreme_outputs_stay_finite() -> None:
    outputs = [np.full_like(o, 1e9) for o in silence(height=64, width=64)]
    found = decode(outputs, PAIRS, 0.5)
    assert len(found.corners) > 0
    assert np.isfinite(found.corners).all()


def test_each_picture_of_a_batch_has_its_own_boxes() -> None:
    empty, full = silence(), silence()
    put(full[2], 2, 1, 1, [0, 0, 0, 0, 9, 9])
    batch = [np.concatenate([a, b]) for a, b in zip(empty, full, strict=True)]
    assert len(decode(batch, PAIRS, 0.5, item=0).corners) == 0
    assert len(decode(batch, PAIRS, 0.5, item=1).corners) == 1


def test_the_weaker_of_two_overlapping_boxes_goes() -> None:
    boxes = np.array([[0, 0, 10, 10], [1, 0, 11, 10], [5, 0, 15, 10], [50, 0, 60, 10]], np.float32)
    assert suppress(boxes, 0.45).tolist() == [0, 2, 3]
    assert suppress(boxes, 0.3).tolist() == [0, 3]
    assert suppress(boxes, 1).tolist() == [0, 1, 2, 3]
    assert suppress(np.empty((0, 4), np.float32), 0.5).tolist() == []


def overlap(a: Array, b: Array) -> float:
    sides = np.maximum(np.minimum(a[2:], b[2:]) - np.maximum(a[:2], b[:2]), 0)
    union = float(np.prod(a[2:] - a[:2]) + np.prod(b[2:] - b[:2]) - np.prod(sides))
    return float(np.prod(sides)) / union


corners = st.tuples(st.integers(0, 40), st.integers(0, 40), st.integers(1, 30), st.integers(1, 30))


@given(st.lists(corners, max_size=25), st.sampled_from([0.2, 0.45, 0.7]))
def test_suppression_keeps_what_greedy_search_keeps(drawn: list[tuple[int, int, int, int]], thresh: float) -> None:
    boxes = np.array([[x, y, x + w, y + h] for x, y, w, h in drawn], np.float32).reshape(-1, 4)
    kept: list[int] = []
    for i, box in enumerate(boxes):
        if all(overlap(box, boxes[k]) <= thresh for k in kept):
            kept.append(i)
    assert suppress(boxes, thresh).tolist() == kept


def candidates(boxes: list[list[float]], scores: list[float]) -> Candidates:
    classes = np.ones((len(boxes), 1), np.float32)
    return Candidates(np.array(boxes, np.float32).reshape(-1, 4), np.array(scores, np.float32), classes)


def test_boxes_on_one_plate_vote_for_its_edges_and_the_best_keeps_its_score() -> None:
    found = best_boxes(
        candidates([[0, 0, 20, 10], [2, 0, 22, 10], [8, 0, 28, 10], [50, 0, 60, 10]], [0.75, 0.25, 0.2, 0.1]), 0.4
    )
    assert found.corners.tolist() == [[0.5, 0, 20.5, 10], [50, 0, 60, 10]]
    assert found.objectness.tolist() == pytest.approx([0.75, 0.1])
    assert best_boxes(candidates([], []), 0.4).corners.shape == (0, 4)


@given(st.lists(corners, min_size=1, max_size=15))
def test_voted_boxes_stay_on_the_boxes_that_were_kept(drawn: list[tuple[int, int, int, int]]) -> None:
    given_boxes = [[float(x), float(y), float(x + w), float(y + h)] for x, y, w, h in drawn]
    found = candidates(given_boxes, np.linspace(0.9, 0.1, len(drawn)).tolist())
    kept = suppress(found.corners, 0.45)
    voted = best_boxes(found, 0.45)
    assert voted.objectness.tolist() == found.objectness[kept].tolist()
    for box, before in zip(voted.corners, found.corners[kept], strict=True):
        assert overlap(box, before) > 0.6
