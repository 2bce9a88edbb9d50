"""From the heads' logits to probabilities and answers. Pure functions."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from typing import Final

import numpy as np
from numpy.typing import NDArray

from cloud_apis.contract.vehicles import Guess

OTHER: Final = "*"
"""The class of whatever a head does not know; "make/*" are a make's models that the network does not know."""


def softmax(logits: NDArray[np.float32], temperature: float = 1.0) -> NDArray[np.float32]:
    """Probabilities (…, K) of logits (…, K), softened by a temperature above 1, sharpened by one below."""
    scaled = logits.astype(np.float64) / temperature
    scaled -= scaled.max(axis=-1, keepdims=True)
    weights = np.exp(scaled)
    shares: NDArray[np.float32] = (weights / weights.sum(axis=-1, keepdims=True)).astype(np.float32)
    return shares


def makes_of(
    makes: NDArray[np.float32], models: NDArray[np.float32], labels: Sequence[str], fine: Sequence[str]
) -> NDArray[np.float32]:
    """Probabilities (…, M) of the makes: half by the makes' own head, half by the sum of each make's models.

    `makes` is (…, M) in the order of `labels`, `models` (…, K) in that of `fine`, whose names begin with "make/".
    """
    shares = 0.5 * makes + 0.5 * models @ _membership(tuple(labels), tuple(fine))
    return shares.astype(np.float32)


@lru_cache(maxsize=8)
def _membership(labels: tuple[str, ...], fine: tuple[str, ...]) -> NDArray[np.float32]:
    """1 where a model (row) is one of a make (column), float32 (K, M)."""
    column = {label: number for number, label in enumerate(labels)}
    table = np.zeros((len(fine), len(labels)), np.float32)
    for row, name in enumerate(fine):
        table[row, column[name.split("/")[0]]] = 1
    return table


def named(shares: NDArray[np.float32], labels: Sequence[str], top_k: int, *, whole: bool = False) -> tuple[Guess, ...]:
    """The likeliest classes that have a name, best first; what is left to one is the others' probability.

    `shares` is (K,) in the order of `labels`; a label "make/model" becomes the model's with its make. The labels of
    one's own classes mean nothing to us: they are taken ``whole``.
    """
    if whole:
        best = np.argsort(-shares, kind="stable").tolist()[:top_k]
        return tuple(Guess(labels[index], round(float(shares[index]), 4)) for index in best)
    order = [index for index in np.argsort(-shares, kind="stable").tolist() if not labels[index].endswith(OTHER)]
    found = []
    for index in order[:top_k]:
        make, _, label = labels[index].rpartition("/")
        found.append(Guess(label, round(float(shares[index]), 4), make))
    return tuple(found)


def sure(guesses: Sequence[Guess], least: float) -> str | None:
    """The best guess's label, None where its probability is below the least."""
    return guesses[0].label if guesses and guesses[0].probability >= least else None
