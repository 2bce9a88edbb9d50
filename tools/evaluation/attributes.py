"""Figures of what cars are said to be. Pure functions over answers and labels."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from cloud_apis.contract.vehicles import Guess, VehicleAttributes

LEAST_MAKE: Final = 25
LEAST_MODEL: Final = 20
"""Training pictures that a make or a model needs for its answers to be counted."""
SURE: Final = 0.9
Labels = Mapping[str, str]
Answered = Sequence[tuple[VehicleAttributes, Labels]]


@dataclass(frozen=True, slots=True)
class Share:
    """So many of so many."""

    right: int
    of: int

    @property
    def rate(self) -> float:
        """The share, 0..1; NaN of none."""
        return self.right / self.of if self.of else math.nan


@dataclass(frozen=True, slots=True)
class AttributeFigures:
    """Right answers by head: the likeliest, among the first few, among those given with `SURE`; what was named."""

    top: Mapping[str, Share]
    among: Mapping[str, Share]
    sure: Mapping[str, Share]
    named: Mapping[str, Share]
    named_right: Mapping[str, Share]


def figures(answers: Answered, counts: Mapping[str, Counter[str]]) -> AttributeFigures:
    """Figures of answers, each with its labels; `counts` are the training pictures by head and label.

    Colours and types are counted wherever there is a label, makes and models where training had enough pictures of
    them. Sure and named answers are counted wherever there is a label, also of makes that training never saw.
    """
    common = {
        "make": lambda label: counts["make"][label] >= LEAST_MAKE,
        "model": lambda label: counts["model"][label] >= LEAST_MODEL,
    }
    top, among, sure = {}, {}, {}
    for head in ("colour", "type", "make", "model"):
        known = [(list_of(said, head), truth) for said, labels in answers if (truth := truth_of(labels, head))]
        counted = [pair for pair in known if common.get(head, lambda _: True)(pair[1])]
        top[head] = _share(counted, lambda guesses, truth: truth in _labels(guesses[:1]))
        first = {"colour": 3, "make": 5}.get(head)
        if first is not None:
            among[f"{head} top-{first}"] = _share(
                counted,
                lambda guesses, truth, n=first: truth in _labels(guesses[:n]),  # type: ignore[misc]
            )
        certain = [pair for pair in known if pair[0] and pair[0][0].probability >= SURE]
        sure[head] = _share(certain, lambda guesses, truth: truth in _labels(guesses[:1]))
    named, right = {}, {}
    for head in ("make", "model"):
        known_answers = [(said, truth) for said, labels in answers if (truth := truth_of(labels, head))]
        given = [(said, truth) for said, truth in known_answers if getattr(said, head) is not None]
        named[head] = Share(len(given), len(known_answers))
        right[head] = Share(sum(_labels(list_of(said, head)[:1]) == [truth] for said, truth in given), len(given))
    return AttributeFigures(top, among, sure, named, right)


def truth_of(labels: Labels, head: str) -> str | None:
    """The label that a head's answer is compared with; a model's is "make/model"."""
    if head != "model":
        return labels.get(head)
    return f"{labels.get('make')}/{labels['model']}" if "model" in labels else None


def list_of(said: VehicleAttributes, head: str) -> tuple[Guess, ...]:
    """The guesses of a head, best first."""
    return {"colour": said.colours, "type": said.types, "make": said.makes, "model": said.models}[head]


def _labels(guesses: Sequence[Guess]) -> list[str]:
    return [f"{guess.make}/{guess.label}" if guess.make else guess.label for guess in guesses]


def _share(pairs: Sequence[tuple[tuple[Guess, ...], str]], right: Callable[[tuple[Guess, ...], str], bool]) -> Share:
    return Share(sum(right(guesses, truth) for guesses, truth in pairs), len(pairs))
