"""From the CRNN's logits to text: greedy connectionist temporal classification (Graves et al., 2006)."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

ALPHABET = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ"
BLANK = 0
_NEVER = 1e-30
"""In the place of a probability of 0, so that logarithms stay finite."""


@dataclass(frozen=True, slots=True, eq=False)
class LineReading:
    """A line as it is read greedily: the softmax (T, 37) float32, its text, and each character's confidence (0..1)."""

    probabilities: NDArray[np.float32]
    text: str
    confidences: tuple[float, ...]

    @property
    def sureness(self) -> float:
        """The confidence of the least sure character, 0 without any."""
        return min(self.confidences, default=0.0)


def read_line(logits: NDArray[np.float32]) -> LineReading:
    """The greedy reading of one line's logits (T, 37) float32."""
    probabilities = softmax(logits)
    return LineReading(probabilities, *greedy(probabilities))


def decode(logits: NDArray[np.float32]) -> tuple[str, tuple[float, ...]]:
    """Greedy CTC reading of one word.

    ``logits`` is (T, 37) float32, class 0 the blank, 1..36 the alphabet ``0-9A-Z``. Returns the text and, for
    each of its characters, the highest softmax probability (0..1) among the steps that were merged into it.
    """
    reading = read_line(logits)
    return reading.text, reading.confidences


def softmax(logits: NDArray[np.float32]) -> NDArray[np.float32]:
    """Probabilities of the classes at each step, (T, 37) float32, from logits of that shape."""
    probabilities = np.exp(logits - logits.max(axis=1, keepdims=True))
    return np.asarray(probabilities / probabilities.sum(axis=1, keepdims=True), dtype=np.float32)


def greedy(probabilities: NDArray[np.float32]) -> tuple[str, tuple[float, ...]]:
    """`decode` from the softmax (T, 37): the text of the best path, and a confidence per character."""
    text: list[str] = []
    confidences: list[float] = []
    previous = BLANK
    best = probabilities.argmax(axis=1).tolist()
    for label, probability in zip(best, probabilities.max(axis=1).tolist(), strict=True):
        if label != BLANK:
            if label == previous:
                confidences[-1] = max(confidences[-1], probability)
            else:
                text.append(ALPHABET[label - 1])
                confidences.append(probability)
        previous = label
    return "".join(text), tuple(min(1.0, c) for c in confidences)


def confidences_of(line: LineReading, text: str) -> tuple[float, ...]:
    """What `greedy` gives for its own text, for any other: the best path that spells it is taken.

    Returns for each character of ``text`` the highest probability (0..1) among its steps; all are 0 where the text
    is too long for the line's T steps.
    """
    if line.text == text:
        return line.confidences
    probabilities = line.probabilities
    labels = np.zeros(2 * len(text) + 1, np.intp)  # a blank before, between and after the characters
    labels[1::2] = [ALPHABET.index(character) + 1 for character in text]
    steps = np.log(np.maximum(probabilities[:, labels].astype(np.float64), _NEVER))
    path = _best_path(steps, labels)
    if path is None:
        return (0.0,) * len(text)
    return tuple(
        min(1.0, float(probabilities[path == 2 * place + 1, labels[2 * place + 1]].max())) for place in range(len(text))
    )


def _best_path(steps: NDArray[np.float64], labels: NDArray[np.intp]) -> NDArray[np.intp] | None:
    """The likeliest place in ``labels`` (S,) at each step, (T,), None if T is too short for them all.

    ``steps`` (T, S) are log probabilities. From a place one may stay, go on, or leap over a blank between two
    different characters (Viterbi's algorithm).
    """
    count, places = steps.shape
    leap = np.zeros(places, bool)
    leap[3::2] = labels[3::2] != labels[1:-2:2]
    score = np.full(places, -np.inf)
    score[:2] = steps[0, :2]
    came = np.zeros((count, places), np.intp)
    for t in range(1, count):
        ways = np.full((3, places), -np.inf)
        ways[0], ways[1, 1:] = score, score[:-1]
        ways[2, leap] = score[np.flatnonzero(leap) - 2]
        came[t] = ways.argmax(axis=0)
        score = ways.max(axis=0) + steps[t]
    place = places - 1 if places == 1 or score[-1] >= score[-2] else places - 2
    if score[place] == -np.inf:
        return None
    path = np.zeros(count, np.intp)
    for t in range(count - 1, -1, -1):
        path[t] = place
        place -= int(came[t, place])
    return path
