"""How well a known text fits what the CRNN sees in a patch, and where in the patch each character stands."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from numpy.typing import NDArray

from cloud_apis.crnn.postprocess import ALPHABET, BLANK

CODE = {character: index + 1 for index, character in enumerate(ALPHABET)}


def losses(logits: NDArray[np.float32], texts: Sequence[str]) -> NDArray[np.float32]:
    """Negative log-likelihood (nats, all alignments summed) of one text per row of ``logits`` (N, T, 37)."""
    codes = [[CODE[character] for character in text] for text in texts]
    probabilities = torch.from_numpy(logits).log_softmax(dim=2).transpose(0, 1)
    loss = torch.nn.functional.ctc_loss(
        probabilities,
        torch.tensor([code for one in codes for code in one], dtype=torch.long),
        torch.full((len(texts),), logits.shape[1], dtype=torch.long),
        torch.tensor([len(one) for one in codes], dtype=torch.long),
        blank=BLANK,
        reduction="none",
    )
    return np.asarray(loss.numpy(), np.float32)


def places(logits: NDArray[np.float32], text: str) -> NDArray[np.float64]:
    """Where each character stands in a patch, 0 (left edge) to 1, by the best alignment (Viterbi) of ``text``.

    ``logits`` is (T, 37). A character's place is the mean of its steps, weighted with their probability.
    """
    peak = logits - logits.max(axis=1, keepdims=True)
    score = peak - np.log(np.exp(peak).sum(axis=1, keepdims=True))
    states = [BLANK]
    for character in text:
        states += [CODE[character], BLANK]
    emitted = score[:, states].astype(np.float64)
    skip = np.array([i >= 2 and states[i] != BLANK and states[i] != states[i - 2] for i in range(len(states))])
    steps, count = emitted.shape
    best = np.full(count, -np.inf)
    best[:2] = emitted[0, :2]
    came = np.zeros((steps, count), np.intp)
    for step in range(1, steps):
        stay = best
        one = np.concatenate([[-np.inf], best[:-1]])
        two = np.where(skip, np.concatenate([[-np.inf, -np.inf], best[:-2]])[:count], -np.inf)
        choices = np.stack([stay, one, two])
        came[step] = choices.argmax(axis=0)
        best = choices.max(axis=0) + emitted[step]
    state = count - 1 if best[count - 1] >= best[count - 2] else count - 2
    path = [state]
    for step in range(steps - 1, 0, -1):
        state -= int(came[step, state])
        path.append(state)
    path.reverse()
    at = np.array(path)
    middle = (np.arange(steps) + 0.5) / steps
    found = []
    for number in range(len(text)):
        mine = at == 2 * number + 1
        weights = np.exp(emitted[mine, 2 * number + 1]) + 1e-9
        found.append(float(weights @ middle[mine] / weights.sum()))
    return np.array(found)
