"""Fits a logistic regression by Newton's method, with a ridge on the weights."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from tools.dataset.scoring.scorer import Logistic

STEPS = 12


def fit(features: NDArray[np.float64], is_car: NDArray[np.bool_], ridge: float = 30.0) -> Logistic:
    """Fit features (m, n) to what they are, bool (m,); both kinds weigh the same however many there are."""
    mean = features.mean(axis=0)
    scale = features.std(axis=0) + 1e-6
    x = np.concatenate([(features - mean) / scale, np.ones((len(features), 1))], axis=1)
    weight = np.where(is_car, 0.5 / max(1, is_car.sum()), 0.5 / max(1, (~is_car).sum())) * len(is_car)
    penalty = np.full(x.shape[1], ridge)
    penalty[-1] = 1e-6
    beta = np.zeros(x.shape[1])
    for _ in range(STEPS):
        p = 1.0 / (1.0 + np.exp(-np.clip(x @ beta, -40, 40)))
        curvature = weight * np.maximum(p * (1 - p), 1e-6)
        gradient = x.T @ (weight * (is_car - p)) - penalty * beta
        beta = beta + np.linalg.solve((x * curvature[:, None]).T @ x + np.diag(penalty), gradient)
    return Logistic(mean, scale, beta[:-1], float(beta[-1]))


def area_under_curve(probability: NDArray[np.float64], is_car: NDArray[np.bool_]) -> float:
    """How often a picture of a car has a higher probability than one of something else."""
    order = probability.argsort(kind="stable")
    ranks = np.empty(len(order))
    ranks[order] = np.arange(1, len(order) + 1)
    cars = int(is_car.sum())
    return float((ranks[is_car].sum() - cars * (cars + 1) / 2) / (cars * (len(is_car) - cars)))
