"""What is said of a car. Frozen values; names are lower case, words joined by underscores."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

UNKNOWN: Final = "unknown"


@dataclass(frozen=True, slots=True)
class Choice:
    """A class and its calibrated probability, 0..1."""

    label: str
    prob: float


@dataclass(frozen=True, slots=True)
class ModelChoice:
    """A make's model and its calibrated probability, 0..1; `model` is "unknown" for one that the network lacks."""

    make: str
    model: str
    prob: float


@dataclass(frozen=True, slots=True)
class CarAttributes:
    """A car's attributes: the likeliest classes of each, best first, and the answers.

    An answer is the likeliest class, or "unknown" where its probability is below the least one at which, on held-out
    pictures, enough answers were right. What the model has no head for is empty, and "unknown".
    """

    colours: tuple[Choice, ...] = ()
    types: tuple[Choice, ...] = ()
    views: tuple[Choice, ...] = ()
    makes: tuple[Choice, ...] = ()
    models: tuple[ModelChoice, ...] = ()
    colour: str = UNKNOWN
    type: str = UNKNOWN
    view: str = UNKNOWN
    make: str = UNKNOWN
    model: str = UNKNOWN
