"""From the CRNN's logits to text: greedy connectionist temporal classification (Graves et al., 2006)."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

ALPHABET = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ"
BLANK = 0


def decode(logits: NDArray[np.float32]) -> tuple[str, tuple[float, ...]]:
    """Greedy CTC reading of one word.

    ``logits`` is (T, 37) float32, class 0 the blank, 1..36 the alphabet ``0-9A-Z``. Returns the text and, for
    each of its characters, the highest softmax probability (0..1) among the steps that were merged into it.
    """
    peak = logits.max(axis=1, keepdims=True)
    probabilities = np.exp(logits - peak)
    probabilities /= probabilities.sum(axis=1, keepdims=True)
    best = probabilities.argmax(axis=1)
    value = probabilities.max(axis=1)
    text: list[str] = []
    confidences: list[float] = []
    previous = BLANK
    for label, probability in zip(best.tolist(), value.tolist(), strict=True):
        if label != BLANK:
            if label == previous:
                confidences[-1] = max(confidences[-1], probability)
            else:
                text.append(ALPHABET[label - 1])
                confidences.append(probability)
        previous = label
    return "".join(text), tuple(min(1.0, c) for c in confidences)
