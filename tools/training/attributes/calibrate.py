"""What the answers' probabilities are worth, fitted on held-out pictures: a temperature and a least probability a head.

A head's logits are divided by a temperature (Guo et al. 2017, arXiv:1706.04599) that makes its probabilities fit, and
by a larger one where answers given with 0.9 or more were still right too seldom. Below the least probability the
answer is "unknown": it is the lowest one from which on enough of the answers were right.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from cloud_apis.attributes.heads import HeadManifest
from cloud_apis.attributes.postprocess import OTHER, makes_of, softmax
from tools.training.attributes.classes import Head
from tools.training.attributes.examples import Example
from tools.training.attributes.measure import Logits, truth_of

TEMPERATURES: Final = tuple(round(float(t), 2) for t in np.geomspace(0.4, 3.0, 60))
SURE: Final = 0.9
WANTED_WHEN_SURE: Final = 0.965
"""Above the 0.95 that is promised, since few held-out pictures decide."""
WANTED: Final[Mapping[str, float]] = {"make": 0.85, "model": 0.85}
"""Share of answers that are to be right: a wrong make is worse than none. Of the other heads it is `OTHERWISE`."""
OTHERWISE: Final = 0.8
LEAST_ANSWERS: Final = 15


@dataclass(frozen=True)
class Calibration:
    """A head's temperature, its least probability for an answer, and what was found with them."""

    temperature: float
    least: float
    answered: float
    right: float


def calibrate(
    logits: Logits, examples: Sequence[Example], heads: Sequence[Head], known: Mapping[str, HeadManifest] | None = None
) -> dict[str, Calibration]:
    """The calibration of each head; makes, where there are models too, after the models.

    With ``known`` nothing is fitted: what another manifest says of the heads is taken. Raises ValueError where it says
    nothing of one.
    """
    by_name = {head.name: head for head in heads}
    order = sorted((head for head in heads if head.name in logits), key=lambda head: head.name == "make")
    strange = [head.name for head in order if known is not None and head.name not in known]
    if strange:
        raise ValueError(f"the manifest that the calibration is taken of has no head {strange[0]}")
    found: dict[str, Calibration] = {}
    for head in order:
        fine = by_name.get("model") if head.name == "make" else None
        models = softmax(logits["model"], found["model"].temperature) if fine else None
        best: tuple[float, float, NDArray[np.float32]] | None = None
        for temperature in TEMPERATURES if known is None else (known[head.name].temperature,):
            shares = softmax(logits[head.name], temperature)
            if fine is not None and models is not None:
                shares = makes_of(shares, models, head.labels, fine.labels)
            cost = _cost(shares, examples, head)
            if not _sure_enough(*_answers(shares, examples, head)):
                cost += 1.0
            if best is None or cost < best[0]:
                best = (cost, temperature, shares)
        assert best is not None  # noqa: S101 - there are temperatures
        certain, right = _answers(best[2], examples, head)
        least = _least(certain, right, WANTED.get(head.name, OTHERWISE)) if known is None else known[head.name].least
        given = certain >= least
        share = float(right[given].mean()) if given.any() else 0.0
        found[head.name] = Calibration(best[1], least, float(given.mean()) if len(given) else 0.0, share)
    return found


def _answers(
    shares: NDArray[np.float32], examples: Sequence[Example], head: Head
) -> tuple[NDArray[np.float32], NDArray[np.bool_]]:
    """Of each example whose truth is known: the probability of the best named class, and whether it is right.

    A truth that is not among the classes makes any answer wrong.
    """
    named = [number for number, label in enumerate(head.labels) if not label.endswith(OTHER)]
    rows = [row for row, example in enumerate(examples) if truth_of(example, head.name) is not None]
    chosen = shares[rows][:, named]
    best = chosen.argmax(1) if rows else np.zeros(0, np.int64)
    right = [
        head.labels[named[number]] == truth_of(examples[row], head.name) for row, number in zip(rows, best, strict=True)
    ]
    return chosen.max(1) if rows else np.zeros(0, np.float32), np.array(right, bool)


def _cost(shares: NDArray[np.float32], examples: Sequence[Example], head: Head) -> float:
    """Mean Brier score of "the best answer is right": small where probabilities are what they say."""
    certain, right = _answers(shares, examples, head)
    return float(np.square(certain - right).mean()) if len(right) else 0.0


def _sure_enough(certain: NDArray[np.float32], right: NDArray[np.bool_]) -> bool:
    sure = certain >= SURE
    return not sure.any() or float(right[sure].mean()) >= WANTED_WHEN_SURE


def _least(certain: NDArray[np.float32], right: NDArray[np.bool_], wanted: float) -> float:
    """The lowest probability from which on the share of right answers is as wanted; 0 where all answers are."""
    order = np.argsort(-certain, kind="stable")
    shares = np.cumsum(right[order]) / np.arange(1, len(order) + 1)
    good = np.nonzero(shares >= wanted)[0]
    if not len(good) or good[-1] + 1 < min(LEAST_ANSWERS, len(order)):
        return SURE
    if good[-1] + 1 == len(order):
        return 0.0
    return round(float(certain[order[good[-1]]]), 3)
