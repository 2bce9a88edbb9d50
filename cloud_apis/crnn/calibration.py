"""Confidences that mean something: a read said to be 0.9 sure is right nine times out of ten.

What a network thinks of its own read is brought to how often such reads were right on pictures kept aside of its
training, by a straight line between log odds (Platt, 1999, *Probabilistic Outputs for Support Vector Machines*).
The line always rises, so that calibration never changes which of two reads is the surer one.
"""

from __future__ import annotations

import math
from typing import Self

from pydantic import BaseModel, ConfigDict, Field

_LEAST = 1e-6
"""Chances are kept this far from 0 and 1, where log odds have no end."""


class Line(BaseModel):
    """From the log odds of a raw score to those of being right: times `scale`, plus `offset`."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    scale: float = Field(default=1.0, gt=0, le=100, description="slope between the log odds")
    offset: float = Field(default=0.0, ge=-100, le=100, description="log odds of a read with even odds")

    def apply(self, raw: float) -> float:
        """The calibrated confidence, 0..1, of a raw score in 0..1; 0 stays 0."""
        if raw <= 0:
            return 0.0
        return probability(self.scale * log_odds(raw) + self.offset)


class Calibration(BaseModel):
    """The lines of characters and of whole plates, as a recogniser's manifest has them under `calibration`."""

    model_config = ConfigDict(extra="ignore", frozen=True)

    character: Line = Field(description="from a character's best probability at a step")
    plate: Line = Field(description="from the probability of the whole text, all lines together")

    @classmethod
    def none(cls) -> Self:
        """Confidences stay as the network has them."""
        return cls(character=Line(), plate=Line())


def log_odds(chance: float) -> float:
    """ln(p / (1 - p)) of a chance in 0..1, which is kept a millionth away from both ends."""
    kept = min(max(chance, _LEAST), 1 - _LEAST)
    return math.log(kept / (1 - kept))


def probability(odds: float) -> float:
    """The chance with these log odds."""
    if odds < 0:
        return math.exp(odds) / (1 + math.exp(odds))
    return 1 / (1 + math.exp(-odds))
