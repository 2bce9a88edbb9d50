from __future__ import annotations

import math
from collections import Counter

import numpy as np
import pytest

from cloud_apis.contract.vehicles import Guess, VehicleAttributes, VehicleBox
from tools.evaluation.attributes import Labels, Share, figures
from tools.evaluation.attributes_command import class_precisions

COUNTS = {"make": Counter({"ford": 30, "kia": 30, "saab": 3}), "model": Counter({"ford/focus": 20, "kia/rio": 19})}


def said(
    make: str, prob: float, *others: str, model: str = "", named: bool = True, colour: str = "red"
) -> VehicleAttributes:
    makes = (Guess(make, prob), *(Guess(other, 0.01) for other in others))
    models = (Guess(model, prob, make),) if model else ()
    return VehicleAttributes(
        (Guess(colour, 0.95), Guess("black", 0.03)), (), makes, models, make if named else None, None
    )


def test_makes_are_counted_where_training_had_enough_of_them_and_sure_answers_everywhere() -> None:
    answers: list[tuple[VehicleAttributes, Labels]] = [
        (said("ford", 0.95), {"make": "ford"}),
        (said("kia", 0.5, "ford"), {"make": "ford"}),
        (said("kia", 0.92), {"make": "saab"}),
        (said("kia", 0.92), {"colour": "black"}),
    ]
    found = figures(answers, COUNTS)
    assert found.top["make"] == Share(1, 2)
    assert found.among["make top-5"] == Share(2, 2)
    assert found.sure["make"] == Share(1, 2)
    assert found.top["colour"] == Share(0, 1)
    assert found.among["colour top-3"] == Share(1, 1)


def test_models_count_with_their_make_and_from_twenty_pictures_on() -> None:
    answers: list[tuple[VehicleAttributes, Labels]] = [
        (said("ford", 0.8, model="focus"), {"make": "ford", "model": "focus"}),
        (said("kia", 0.8, model="focus"), {"make": "ford", "model": "focus"}),
        (said("kia", 0.8, model="rio"), {"make": "kia", "model": "rio"}),
    ]
    assert figures(answers, COUNTS).top["model"] == Share(1, 2)


def test_what_is_unknown_is_not_named() -> None:
    answers: list[tuple[VehicleAttributes, Labels]] = [
        (said("ford", 0.8), {"make": "ford"}),
        (said("ford", 0.8), {"make": "saab"}),
        (said("kia", 0.3, named=False), {"make": "saab"}),
    ]
    found = figures(answers, COUNTS)
    assert (found.named["make"], found.named_right["make"]) == (Share(2, 3), Share(1, 2))
    assert math.isnan(found.sure["type"].rate)


def test_a_box_of_another_class_finds_nothing() -> None:
    truth = [np.array([[0, 0, 10, 10, 0], [20, 20, 40, 40, 1]], np.float64)]
    right = [VehicleBox(0, 0, 10, 10, "car", 0.9), VehicleBox(20, 20, 40, 40, "truck", 0.8)]
    assert class_precisions([right], truth, ("car", "truck", "bus"))["mean"] == pytest.approx(1.0)
    wrong = [VehicleBox(0, 0, 10, 10, "truck", 0.9), VehicleBox(20, 20, 40, 40, "truck", 0.8)]
    found = class_precisions([wrong], truth, ("car", "truck", "bus"))
    assert found["car"] == 0.0
    assert found["truck"] == pytest.approx(0.5)
    assert math.isnan(found["bus"])
