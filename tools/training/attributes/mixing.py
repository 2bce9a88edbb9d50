"""Pictures mixed with others of their batch, which keeps a network from learning few pictures by heart."""

from __future__ import annotations

import random
from collections.abc import Sequence

from torch import Tensor

LARGEST_PIECE = 0.5
"""Part of a picture's area."""


def mixed(inputs: Sequence[Tensor], mixup: float, cutmix: float, rng: random.Random) -> tuple[list[Tensor], float]:
    """Pictures (N, C, H, W), perhaps with the same pictures in turned order, and the share that is still their own.

    In a share ``mixup`` of the calls the two are added (Zhang et al. 2018, arXiv:1710.09412), in a share ``cutmix`` a
    rectangle is the other's (Yun et al. 2019, arXiv:1905.04899). Of several inputs, such as pictures and maps of
    theirs, whose places differ, no rectangle is cut. At least half stays a picture's own.
    """
    drawn = rng.random()
    if drawn < mixup:
        share = max(0.5, rng.betavariate(0.4, 0.4))
        return [one * share + one.flip(0) * (1 - share) for one in inputs], share
    if drawn < mixup + cutmix and len(inputs) == 1:
        height, width = inputs[0].shape[2:]
        side = rng.uniform(0.1, LARGEST_PIECE) ** 0.5
        h, w = int(side * height), int(side * width)
        y, x = rng.randrange(height - h), rng.randrange(width - w)
        pasted = inputs[0].clone()
        pasted[:, :, y : y + h, x : x + w] = inputs[0].flip(0)[:, :, y : y + h, x : x + w]
        return [pasted], 1 - h * w / (height * width)
    return list(inputs), 1.0
