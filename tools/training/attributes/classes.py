"""The classes of each head, and which of them are right for an example.

Make and model are one softmax over models: every make has its models that have enough pictures and "make/*" for its
others, and "*" is all other makes. A make's probability is the sum of its models'. A car whose model nobody knows
still teaches its make: any of that make's classes is right.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import torch
from torch import Tensor

from tools.training.attributes.examples import Example

OTHER: Final = "*"
UNKNOWN_MAKE_WEIGHT: Final = 0.5
"""What a car counts whose make a person could not tell; it is called another make."""


@dataclass(frozen=True)
class Head:
    """A head's name and its classes in order."""

    name: str
    labels: tuple[str, ...]


@dataclass(frozen=True)
class Targets:
    """Which classes are right, bool (N, K), and what each example counts, float32 (N,): 0 where nothing is known."""

    right: Tensor
    weight: Tensor


def heads_of(examples: Sequence[Example], least: int = 8, least_models: int = 6) -> tuple[Head, ...]:
    """The heads and classes with at least so many pictures; rarer ones are unlabelled, rarer makes are others."""
    names = list(dict.fromkeys(name for example in examples for name in example.labels))
    heads = []
    for name in names:
        if name == "model":
            continue
        counts = Counter(e.labels[name] for e in examples if name in e.labels)
        labels = sorted(label for label, count in counts.items() if count >= least)
        if name == "make":
            labels = [*labels, OTHER]
        if len(labels) > 1:
            heads.append(Head(name, tuple(labels)))
    makes = next((head.labels for head in heads if head.name == "make"), ())
    if makes and "model" in names:
        counts = Counter(_model(e) for e in examples if "model" in e.labels and e.labels.get("make") in makes)
        models = {label for label, count in counts.items() if count >= least_models}
        others = {f"{make}/{OTHER}" for make in makes if make != OTHER}
        heads.append(Head("model", (*sorted(models | others), OTHER)))
    return tuple(heads)


def targets(examples: Sequence[Example], head: Head) -> Targets:
    """What is right for each example under a head."""
    right = torch.zeros(len(examples), len(head.labels), dtype=torch.bool)
    weight = torch.zeros(len(examples))
    index = {label: number for number, label in enumerate(head.labels)}
    for row, example in enumerate(examples):
        allowed, counts = _allowed(example, head, index)
        right[row, allowed] = True
        weight[row] = counts if allowed else 0.0
    return Targets(right, weight)


def _allowed(example: Example, head: Head, index: dict[str, int]) -> tuple[list[int], float]:
    label = example.labels.get(head.name)
    if head.name not in ("make", "model"):
        return ([index[label]], 1.0) if label in index else ([], 0.0)
    make = example.labels.get("make")
    if make is None:  # a person looked and could not tell
        looked = OTHER in index and example.labels and not example.further
        return ([index[OTHER]], UNKNOWN_MAKE_WEIGHT) if looked else ([], 0.0)
    if head.name == "make":
        return [index.get(make, index[OTHER])], 1.0
    if f"{make}/{OTHER}" not in index:
        return [index[OTHER]], 1.0
    if label is None:
        return [number for known, number in index.items() if known.startswith(f"{make}/")], 1.0
    return [index.get(_model(example), index[f"{make}/{OTHER}"])], 1.0


def _model(example: Example) -> str:
    return f"{example.labels['make']}/{example.labels['model']}"
