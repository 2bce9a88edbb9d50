"""How to train the vehicle detector."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Plan:
    """How to train; rates are the peaks, sizes are the sides of the square pictures in pixels.

    With ``frozen_pictures`` the backbone up to stride 16 stays as it is, and its maps of so many training pictures are
    computed once (`frozen`).
    """

    steps: int = 1200
    batch: int = 12
    rate: float = 1.5e-3
    backbone_factor: float = 0.15
    decay: float = 0.02
    frozen: int = 4
    sizes: tuple[int, ...] = (288, 320, 416)
    shares: tuple[float, ...] = (0.3, 0.4, 0.3)
    evaluate_every: int = 200
    seed: int = 1
    frozen_pictures: int = 0
