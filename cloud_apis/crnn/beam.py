"""CTC prefix beam search: the most probable texts of a word, each with its probability (Hannun et al., 2014).

Many paths through the logits spell one text; the search adds them up, which greedy decoding does not. See Hannun,
Maas, Jurafsky and Ng, *First-Pass Large Vocabulary Continuous Speech Recognition using Bi-Directional Recurrent
DNNs*, arXiv:1408.2873, algorithm 1, without a language model.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from cloud_apis.crnn.postprocess import ALPHABET, BLANK

WIDTH = 8
LEAST_CLASS = 1e-3
"""A class less probable than this at a step is not followed there."""
LEAST_PREFIX = 1e-4
"""A prefix less probable than this part of the best one is given up."""
SURE_BLANK = 0.999
"""A blank as sure as this parts the word: what stands before and after it is searched apart, which is quick."""

Steps = list[tuple[float, list[tuple[str, float]]]]
"""Per step the blank's probability, and the characters worth following with theirs."""


@dataclass(frozen=True, slots=True)
class Hypothesis:
    """A text that a word may say, and its probability in 0..1 (a lower bound: paths given up are left out)."""

    text: str
    probability: float


def beam_search(
    probabilities: NDArray[np.floating],
    width: int = WIDTH,
    *,
    least_class: float = LEAST_CLASS,
    least_prefix: float = LEAST_PREFIX,
    sure_blank: float = SURE_BLANK,
) -> list[Hypothesis]:
    """The most probable texts, best first, at most ``width`` of them and at least one.

    ``probabilities`` is (T, 37), softmax per step, class 0 the blank. Of texts equally probable the one that comes
    first in the alphabet is first. The probabilities sum to at most 1 up to rounding.
    """
    found = {"": 1.0}
    for part in _parts(_followed(probabilities, least_class), sure_blank):
        found = _joined(found, _search(part, width, least_prefix), width)
    return [Hypothesis(text, min(1.0, p)) for text, p in found.items()]


def joint(words: Sequence[Sequence[Hypothesis]], width: int = WIDTH) -> list[tuple[tuple[str, ...], float]]:
    """The most probable readings of several words together: a text for each, and the product of probabilities.

    ``words`` has the hypotheses of each word, best first. Best first, at most ``width``.
    """
    found: list[tuple[tuple[str, ...], float]] = [((), 1.0)]
    for hypotheses in words:
        longer = [((*texts, h.text), p * h.probability) for texts, p in found for h in hypotheses]
        found = sorted(longer, key=lambda item: (-item[1], item[0]))[:width]
    return found


def _followed(probabilities: NDArray[np.floating], least: float) -> Steps:
    steps: Steps = [(p, []) for p in probabilities[:, BLANK].tolist()]
    rows, classes = np.nonzero(probabilities[:, 1:] >= least)
    values = probabilities[rows, classes + 1].tolist()
    for row, label, value in zip(rows.tolist(), classes.tolist(), values, strict=True):
        steps[row][1].append((ALPHABET[label], value))
    return steps


def _parts(steps: Steps, sure_blank: float) -> Iterator[Steps]:
    """The runs of steps between sure blanks."""
    part: Steps = []
    for step in steps:
        if step[0] < sure_blank:
            part.append(step)
        elif part:
            yield part
            part = []
    if part:
        yield part


def _search(steps: Steps, width: int, least: float) -> dict[str, float]:
    """The most probable texts of some steps, best first, by Hannun et al.'s algorithm."""
    # Per prefix: the probability of all its paths that end in a blank, and of those that end in its last character.
    beam: dict[str, tuple[float, float]] = {"": (1.0, 0.0)}
    for blank, characters in steps:
        grown: dict[str, tuple[float, float]] = {}
        for prefix, (in_blank, in_character) in beam.items():
            either = in_blank + in_character
            last = prefix[-1:]
            b, c = grown.get(prefix, (0.0, 0.0))
            stays = c
            for character, probability in characters:
                if character == last:  # it goes on, or after a blank it stands there twice
                    stays += in_character * probability
                    gain = in_blank * probability
                else:
                    gain = either * probability
                if gain > 0:
                    longer = prefix + character
                    before = grown.get(longer)
                    grown[longer] = (0.0, gain) if before is None else (before[0], before[1] + gain)
            grown[prefix] = b + either * blank, stays
        beam = _best(grown, width, least)
    ranked = sorted(((-(b + c), prefix) for prefix, (b, c) in beam.items()))
    return {prefix: -probability for probability, prefix in ranked}


def _best(grown: dict[str, tuple[float, float]], width: int, least: float) -> dict[str, tuple[float, float]]:
    if len(grown) > width:
        grown = dict(sorted(grown.items(), key=lambda item: (-(item[1][0] + item[1][1]), item[0]))[:width])
    bound = least * max(b + c for b, c in grown.values())
    return {prefix: ends for prefix, ends in grown.items() if ends[0] + ends[1] >= bound}


def _joined(left: dict[str, float], right: dict[str, float], width: int) -> dict[str, float]:
    """The most probable texts of two parts that stand beside each other, best first."""
    joined: dict[str, float] = {}
    for a, p in left.items():
        for b, q in right.items():
            joined[a + b] = joined.get(a + b, 0.0) + p * q
    ranked = sorted(joined.items(), key=lambda item: (-item[1], item[0]))
    return dict(ranked[:width])
