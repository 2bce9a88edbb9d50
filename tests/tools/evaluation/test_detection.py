"""The detection figures against cases worked out by hand."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tools.evaluation.detection import (
    Array,
    above,
    average_precision,
    coco_average_precision,
    false_boxes_per_picture,
    iou_matrix,
    match,
    recall,
    recall_by_width,
)

EMPTY = np.zeros((0, 5))


def boxes(*rows: tuple[float, ...]) -> Array:
    return np.array(rows, dtype=np.float64)


def test_iou_of_boxes_that_overlap_by_half_is_a_third() -> None:
    result = iou_matrix(boxes((0, 0, 10, 10)), boxes((5, 0, 15, 10), (0, 0, 10, 10), (20, 20, 30, 30)))
    assert result == pytest.approx(np.array([[1 / 3, 1.0, 0.0]]))


def test_iou_of_empty_boxes_is_zero_and_not_nan() -> None:
    assert iou_matrix(boxes((3, 3, 3, 3)), boxes((3, 3, 3, 3))).tolist() == [[0.0]]


def test_the_better_score_takes_the_plate_and_the_second_is_false() -> None:
    truth = boxes((0, 0, 10, 10))
    predictions = boxes((0, 0, 10, 10, 0.5), (1, 0, 10, 10, 0.9))
    assert match(predictions, truth).tolist() == [-1, 0]


def test_a_box_takes_the_plate_that_it_overlaps_most_among_those_left() -> None:
    truth = boxes((0, 0, 10, 10), (2, 0, 12, 10))
    predictions = boxes((0, 0, 10, 10, 0.9), (0, 0, 10, 10, 0.8))
    assert match(predictions, truth, 0.5).tolist() == [0, 1]
    assert match(predictions, truth, 0.7).tolist() == [0, -1]


def test_perfect_boxes_have_average_precision_one() -> None:
    truths = [boxes((0, 0, 10, 10)), boxes((5, 5, 9, 9), (20, 20, 40, 30))]
    predictions = [
        boxes((0, 0, 10, 10, 0.9)),
        boxes((5, 5, 9, 9, 0.3), (20, 20, 40, 30, 0.2)),
    ]
    assert average_precision(predictions, truths) == 1.0
    assert coco_average_precision(predictions, truths) == 1.0


def test_average_precision_by_hand() -> None:
    """By falling score: hit, false, hit; 3 plates. Recall 1/3 at precision 1, 2/3 at 2/3, never more.

    Levels 0 … 0.33 (34 of them) have precision 1, levels 0.34 … 0.66 (33) have 2/3, the other 34 have 0.
    """
    truths = [boxes((0, 0, 10, 10), (100, 0, 110, 10)), boxes((0, 0, 10, 10))]
    predictions = [boxes((0, 0, 10, 10, 0.9), (50, 50, 60, 60, 0.8)), boxes((0, 0, 10, 10, 0.7))]
    assert average_precision(predictions, truths) == pytest.approx((34 + 33 * 2 / 3) / 101)


def test_a_late_gain_in_precision_lifts_the_levels_before_it() -> None:
    """False, hit, hit over 2 plates: precision 0, 1/2, 2/3; made monotone it is 2/3 at every level."""
    truths = [boxes((0, 0, 10, 10), (20, 0, 30, 10))]
    predictions = [boxes((50, 0, 60, 10, 0.9), (0, 0, 10, 10, 0.8), (20, 0, 30, 10, 0.7))]
    assert average_precision(predictions, truths) == pytest.approx(2 / 3)


def test_stricter_overlap_lowers_the_mean_over_overlaps() -> None:
    """The box has IoU 0.8 with the plate: right at 0.5 … 0.8 (7 of 10 overlaps), false above."""
    truths = [boxes((0, 0, 10, 10))]
    predictions = [boxes((0, 0, 10, 8, 0.9))]
    assert coco_average_precision(predictions, truths) == pytest.approx(0.7)


def test_sets_without_plates_or_without_boxes() -> None:
    nothing = np.zeros((0, 4))
    assert math.isnan(average_precision([boxes((0, 0, 1, 1, 0.9))], [nothing]))
    assert average_precision([EMPTY], [boxes((0, 0, 1, 1))]) == 0.0


def test_only_the_hundred_best_boxes_of_a_picture_count() -> None:
    false = [(1000.0 + i, 0.0, 1000.5 + i, 1.0, 0.9) for i in range(100)]
    late = boxes(*false, (0, 0, 10, 10, 0.1))
    assert average_precision([late], [boxes((0, 0, 10, 10))]) == 0.0
    assert average_precision([late[1:]], [boxes((0, 0, 10, 10))]) == pytest.approx(0.01)


def test_recall_by_width_uses_pixels_of_the_network() -> None:
    truths = [boxes((0, 0, 30, 8), (100, 0, 140, 10)), boxes((0, 0, 12, 4), (50, 50, 90, 60))]
    predictions = [boxes((0, 0, 30, 8, 0.9)), boxes((50, 50, 90, 60, 0.9), (0, 90, 9, 99, 0.9))]
    found = recall_by_width(predictions, truths, [0.5, 1.0])
    assert [(r.found, r.plates) for r in found] == [(0, 0), (1, 2), (0, 1), (1, 1)]
    assert math.isnan(found[0].rate)
    assert recall(predictions, truths).rate == 0.5


def test_false_boxes_are_counted_above_the_threshold() -> None:
    truths = [boxes((0, 0, 10, 10)), np.zeros((0, 4))]
    predictions = [
        boxes((0, 0, 10, 10, 0.9), (0, 0, 10, 10, 0.6)),
        boxes((0, 0, 9, 9, 0.2), (0, 0, 9, 9, 0.7)),
    ]
    assert false_boxes_per_picture(predictions, truths) == 1.5
    assert false_boxes_per_picture(above(predictions, 0.6), truths) == 1.0


@given(
    st.lists(st.tuples(st.floats(0, 50), st.floats(0, 50), st.floats(1, 20), st.floats(0, 1)), max_size=12),
    st.floats(0.01, 5),
)
def test_average_precision_stays_in_bounds_and_ignores_how_scores_are_scaled(
    rows: list[tuple[float, float, float, float]], factor: float
) -> None:
    truths = [boxes((0, 0, 10, 10), (30, 30, 40, 40))]
    made = np.array([(x, y, x + s, y + s, p) for x, y, s, p in rows]).reshape(-1, 5)
    value = average_precision([made], truths)
    scaled = made.copy()
    scaled[:, 4] = np.argsort(np.argsort(made[:, 4], kind="stable"), kind="stable") * factor
    distinct = len(set(made[:, 4].tolist())) == len(made)
    assert 0.0 <= value <= 1.0
    assert not distinct or average_precision([scaled], truths) == pytest.approx(value)
