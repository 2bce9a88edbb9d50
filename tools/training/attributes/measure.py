"""What a network's answers are worth on held-out pictures."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

from cloud_apis.attributes.postprocess import makes_of, softmax
from tools.training.attributes.classes import OTHER, Head
from tools.training.attributes.examples import Example
from tools.training.attributes.pictures import Crop, plain_view, tensor_of
from tools.training.common.device import Compute

Logits = Mapping[str, NDArray[np.float32]]
TOP = {"colour": 3, "make": 5}


@dataclass(frozen=True)
class Measured:
    """Shares by name, such as ``colour`` and ``colour_top3``, and the one that chooses a checkpoint."""

    figures: dict[str, float]

    @property
    def merit(self) -> float:
        """The mean of the heads' shares of right answers."""
        heads = [value for name, value in self.figures.items() if "_top" not in name]
        return float(np.mean(heads)) if heads else 0.0


@torch.no_grad()
def logits_of(network: nn.Module, crops: Sequence[Crop], size: tuple[int, int], compute: Compute) -> Logits:
    """Each head's logits (N, K) for the crops as the APIs see them."""
    network.eval()
    names: Sequence[str] = getattr(network, "names", ())  # an `Attributes`
    rows: dict[str, list[NDArray[np.float32]]] = {str(name): [] for name in names}
    for first in range(0, len(crops), 16):
        views = [plain_view(crop, size) for crop in crops[first : first + 16]]
        with compute.autocast():
            outputs = network(compute.images(tensor_of(views)))
        for name, out in zip(rows, outputs, strict=True):
            rows[name].append(out.float().cpu().numpy())
    return {name: np.concatenate(parts) for name, parts in rows.items() if parts}


def measure(logits: Logits, examples: Sequence[Example], heads: Sequence[Head]) -> Measured:
    """Shares of right answers where the right one is among the classes; makes are the sums of their models'."""
    figures: dict[str, float] = {}
    for name, (probabilities, labels) in ranked(logits, heads).items():
        index = {label: number for number, label in enumerate(labels) if not label.endswith(OTHER)}
        rows = [(row, index[label]) for row, e in enumerate(examples) if (label := truth_of(e, name)) in index]
        if not rows:
            continue
        chosen = probabilities[[row for row, _ in rows]][:, list(index.values())]
        order = np.argsort(-chosen, axis=1)
        position = {number: place for place, number in enumerate(index.values())}
        right = np.array([position[number] for _, number in rows])
        figures[name] = float((order[:, 0] == right).mean())
        if name in TOP:
            figures[f"{name}_top{TOP[name]}"] = float((order[:, : TOP[name]] == right[:, None]).any(1).mean())
    return Measured(figures)


def ranked(logits: Logits, heads: Sequence[Head]) -> dict[str, tuple[NDArray[np.float32], tuple[str, ...]]]:
    """Probabilities (N, K) and labels per head; where there are models, makes are joined from both heads."""
    found = {head.name: (softmax(logits[head.name]), head.labels) for head in heads if head.name in logits}
    if "make" in found and "model" in found:
        (makes, labels), (models, fine) = found["make"], found["model"]
        found["make"] = (makes_of(makes, models, labels, fine), labels)
    return found


def truth_of(example: Example, head: str) -> str | None:
    """The label that an answer is compared with; a model's is "make/model"."""
    if head != "model":
        return example.labels.get(head)
    if "model" not in example.labels:
        return None
    return f"{example.labels.get('make')}/{example.labels['model']}"
