"""CTC prefix beam search: against greedy decoding, and against adding up every path."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from cloud_apis.crnn.beam import Hypothesis, beam_search, joint
from cloud_apis.crnn.postprocess import ALPHABET, BLANK, greedy, softmax

CLASSES = 37


def spell(path: tuple[int, ...]) -> str:
    """The text of a path: repeats merged, blanks left out."""
    return "".join(ALPHABET[label - 1] for label, _ in itertools.groupby(path) if label != BLANK)


def every_text(probabilities: NDArray[np.float32], labels: int) -> dict[str, float]:
    """The probability of each text by adding up all paths over the first `labels` classes."""
    texts: dict[str, float] = {}
    for path in itertools.product(range(labels), repeat=len(probabilities)):
        chance = float(np.prod([row[label] for row, label in zip(probabilities, path, strict=True)]))
        texts[spell(path)] = texts.get(spell(path), 0.0) + chance
    return texts


def few_classes(rng: np.random.Generator, steps: int, labels: int) -> NDArray[np.float32]:
    probabilities = np.zeros((steps, CLASSES), np.float32)
    probabilities[:, :labels] = rng.dirichlet(np.ones(labels), steps)
    return probabilities


@settings(max_examples=40, deadline=None)
@given(seed=st.integers(0, 10**6), steps=st.integers(1, 5), labels=st.integers(2, 4))
def test_it_equals_adding_up_every_path(seed: int, steps: int, labels: int) -> None:
    probabilities = few_classes(np.random.default_rng(seed), steps, labels)
    found = beam_search(probabilities, width=1000, least_class=0.0, least_prefix=0.0, sure_blank=2.0)
    expected = every_text(probabilities, labels)
    assert {h.text: h.probability for h in found if h.probability > 1e-9} == pytest.approx(
        {text: p for text, p in expected.items() if p > 1e-9}, rel=1e-4, abs=1e-9
    )
    assert found[0].probability == pytest.approx(max(expected.values()), rel=1e-4)


@settings(max_examples=60, deadline=None)
@given(
    text=st.text(alphabet=ALPHABET, max_size=12),
    strength=st.floats(9, 30),
    seed=st.integers(0, 10**6),
    width=st.sampled_from([1, 2, 8]),
)
def test_on_peaked_input_any_width_finds_what_greedy_decoding_finds(
    text: str, strength: float, seed: int, width: int
) -> None:
    rng = np.random.default_rng(seed)
    labels = [BLANK]
    for character in text:
        labels += [ALPHABET.index(character) + 1] * int(rng.integers(1, 4)) + [BLANK] * int(rng.integers(1, 3))
    logits = rng.normal(0, 0.5, (len(labels), CLASSES)).astype(np.float32)
    logits[np.arange(len(labels)), labels] += strength
    found = beam_search(softmax(logits), width)
    assert found[0].text == greedy(softmax(logits))[0] == text
    assert 0.5 < found[0].probability <= 1


@settings(max_examples=60, deadline=None)
@given(seed=st.integers(0, 10**6), steps=st.integers(1, 80), spread=st.floats(0, 40), width=st.integers(1, 12))
def test_probabilities_fall_and_sum_to_at_most_one(seed: int, steps: int, spread: float, width: int) -> None:
    logits = np.random.default_rng(seed).normal(0, spread, (steps, CLASSES)).astype(np.float32)
    found = beam_search(softmax(logits), width)
    chances = [h.probability for h in found]
    assert 1 <= len(found) <= width
    assert chances == sorted(chances, reverse=True)
    assert all(0 <= p <= 1 for p in chances)
    assert sum(chances) <= 1 + 1e-3  # the softmax is float32
    assert len({h.text for h in found}) == len(found)


def test_it_adds_up_the_paths_that_greedy_decoding_overlooks() -> None:
    probabilities = np.zeros((2, CLASSES), np.float32)
    probabilities[:, BLANK], probabilities[:, 11] = 0.6, 0.4
    # The best path is blank, blank: 0.36. Those that spell A sum to 0.64.
    assert greedy(probabilities)[0] == ""
    best, other = beam_search(probabilities)
    assert (best.text, other.text) == ("A", "")
    assert best.probability == pytest.approx(0.64)
    assert other.probability == pytest.approx(0.36)


def test_repeats_need_a_blank_between() -> None:
    probabilities = np.full((3, CLASSES), 0.0, np.float32)
    probabilities[[0, 2], 2] = 1
    probabilities[1, BLANK], probabilities[1, 2] = 0.7, 0.3
    assert [(h.text, round(h.probability, 3)) for h in beam_search(probabilities)] == [("11", 0.7), ("1", 0.3)]


def test_words_are_joined_by_the_product_of_their_chances() -> None:
    top = [Hypothesis("A", 0.6), Hypothesis("B", 0.4)]
    low = [Hypothesis("1", 0.9), Hypothesis("7", 0.1)]
    found = joint([top, low], width=3)
    assert [texts for texts, _ in found] == [("A", "1"), ("B", "1"), ("A", "7")]
    assert [p for _, p in found] == pytest.approx([0.54, 0.36, 0.06])
    assert joint([]) == [((), 1.0)]
