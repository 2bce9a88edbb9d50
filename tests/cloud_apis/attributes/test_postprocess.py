from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cloud_apis.attributes.postprocess import makes_of, named, softmax, sure
from cloud_apis.contract.vehicles import Guess

MAKES = ("ford", "kia", "*")
MODELS = ("ford/*", "ford/focus", "kia/*", "kia/rio", "*")


@given(st.lists(st.floats(-50, 50), min_size=2, max_size=8), st.floats(0.3, 5))
def test_probabilities_sum_to_one_and_keep_the_order(logits: list[float], temperature: float) -> None:
    values = np.array(logits, np.float32)
    shares = softmax(values, temperature)
    assert shares.sum() == pytest.approx(1, abs=1e-4)
    assert shares[values.argmax()] == shares.max()


def test_a_higher_temperature_makes_less_sure() -> None:
    logits = np.array([3.0, 0.0], np.float32)
    assert softmax(logits, 0.5).max() > softmax(logits).max() > softmax(logits, 2).max()


def test_a_make_is_as_likely_as_its_models_together_and_its_own_head_say() -> None:
    models = np.array([0.1, 0.5, 0.1, 0.1, 0.2], np.float32)
    own = np.array([0.4, 0.5, 0.1], np.float32)
    assert makes_of(own, models, MAKES, MODELS) == pytest.approx([0.5, 0.35, 0.15])


def test_others_are_never_named() -> None:
    shares = np.array([0.3, 0.2, 0.05, 0.25, 0.2], np.float32)
    assert named(shares, MODELS, 5) == (Guess("rio", 0.25, "kia"), Guess("focus", 0.2, "ford"))
    assert named(np.array([0.1, 0.2, 0.7], np.float32), MAKES, 1) == (Guess("kia", 0.2),)


def test_ones_own_classes_keep_their_names_whatever_they_are() -> None:
    shares = np.array([0.3, 0.5, 0.2], np.float32)
    own = named(shares, ("van/bus", "best *", "/"), 3, whole=True)
    assert own == (Guess("best *", 0.5), Guess("van/bus", 0.3), Guess("/", 0.2))


def test_what_is_not_likely_enough_is_unknown() -> None:
    guesses = (Guess("kia", 0.4), Guess("ford", 0.3))
    assert sure(guesses, 0.4) == "kia"
    assert sure(guesses, 0.41) is None
    assert sure((), 0.0) is None
