"""What the filter needs of a scorer, and scorers that are features and a fitted logistic regression."""

from __future__ import annotations

import json
from dataclasses import dataclass
from importlib import resources
from pathlib import Path
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from tools.dataset.errors import DatasetError

Image = NDArray[np.uint8]


@dataclass(frozen=True, slots=True)
class Score:
    """``car``: how likely the picture shows a whole car from outside, 0 to 1; ``why``: what it looks like otherwise."""

    car: float
    why: str = "no car"


class Scorer(Protocol):
    """Judges a picture, BGR uint8 (H, W, 3)."""

    def score(self, image: Image) -> Score: ...


class Features(Protocol):
    """Numbers that tell a picture of a car from others: float64 (n,), always ``count``."""

    name: str
    count: int

    def of(self, image: Image) -> NDArray[np.float64]: ...

    def why(self, features: NDArray[np.float64]) -> str:
        """What a picture with these features shows when it is no whole car."""
        ...


@dataclass(frozen=True, eq=False)
class Logistic:
    """A fitted logistic regression over standardised features; all arrays float64 (n,)."""

    mean: NDArray[np.float64]
    scale: NDArray[np.float64]
    weights: NDArray[np.float64]
    bias: float

    def probability(self, features: NDArray[np.float64]) -> NDArray[np.float64]:
        """Of features (..., n), the probability of each."""
        logits = ((features - self.mean) / self.scale) @ self.weights + self.bias
        return np.asarray(1.0 / (1.0 + np.exp(-np.clip(logits, -40, 40))), np.float64)


@dataclass(frozen=True, eq=False)
class FittedScorer:
    """Features, and what was fitted on them."""

    features: Features
    logistic: Logistic

    def score(self, image: Image) -> Score:
        values = self.features.of(image)
        return Score(float(self.logistic.probability(values)), self.features.why(values))


def shipped_fit(name: str) -> Path:
    """Where the fit of the features of that name lies in the package."""
    return Path(str(resources.files("tools.dataset.scoring"))) / f"{name}.json"


def load_fit(file: Path) -> Logistic:
    """Read what `save_fit` wrote; raises DatasetError."""
    try:
        told: Any = json.loads(file.read_text(encoding="utf-8"))
        arrays = [np.array(told[key], np.float64) for key in ("mean", "scale", "weights")]
        return Logistic(arrays[0], arrays[1], arrays[2], float(told["bias"]))
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise DatasetError(
            f"{file} is no fitted scorer: {error}; `python -m tools.dataset.scoring` fits one"
        ) from error


def save_fit(file: Path, logistic: Logistic, told: dict[str, Any]) -> None:
    """Writes a fit with what is to be told of it (figures, data, seed)."""
    content = told | {key: [round(float(v), 6) for v in getattr(logistic, key)] for key in ("mean", "scale", "weights")}
    content["bias"] = round(logistic.bias, 6)
    file.write_text(json.dumps(content) + "\n", encoding="utf-8")
