"""How tightly each source draws its boxes, learnt beside the network.

Some sources box the characters, others the plate with its frame. A network trained on them all either guesses the
source from the picture's look or lands between; for other people's pictures "between" is what is wanted. So the
network predicts neutral boxes, and before they are compared with a source's labels they are scaled by that source's
own factors for width and height, whose mean over the sources is kept at one.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn


class Tightness(nn.Module):
    """Learnt factors for width and height per source; ``names`` fixes the order of their numbers."""

    def __init__(self, names: Sequence[str]) -> None:
        super().__init__()
        self.names = tuple(names)
        self.log_factors = nn.Parameter(torch.zeros(len(self.names), 2))

    def forward(self, boxes: Tensor, sources: Tensor) -> Tensor:
        """Neutral corners (n, 4) as the sources with these numbers (n,) would label them."""
        factors = self.factors()[sources]
        centre = (boxes[:, :2] + boxes[:, 2:]) / 2
        half = (boxes[:, 2:] - boxes[:, :2]) / 2 * factors
        return torch.cat([centre - half, centre + half], 1)

    def factors(self) -> Tensor:
        """Factors (sources, 2) for width and height, of geometric mean one."""
        log_factors: Tensor = self.log_factors - self.log_factors.mean(0, keepdim=True)
        return log_factors.exp()

    def described(self) -> dict[str, list[float]]:
        """Width and height factor per source, for the log and the model card."""
        rows = self.factors().detach().tolist()
        return {name: [round(side, 3) for side in row] for name, row in zip(self.names, rows, strict=True)}
