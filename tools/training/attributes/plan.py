"""How to fine-tune the classifier."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Plan:
    """How to fine-tune; sizes are (height, width) of the pictures in pixels, multiples of 32, rates are the peaks.

    ``square_share`` is the share of steps that see the middle square of each car, as clients of `/colors` send it.
    ``parts`` is the share of views that show a part of the car only, ``cutmix`` that of steps in which a rectangle of
    each picture is another one's (Yun et al. 2019, arXiv:1905.04899). With ``views`` the maps of the frozen layers are
    computed once, of so many views of each picture (`frozen`). ``drop_path`` is the share of pictures that pass by the
    last block of an EfficientNet-Lite (stochastic depth). ``draws`` holds sources and how many times as often as others
    their pictures are drawn.
    """

    steps: int = 2500
    head_steps: int = 800
    batch: int = 32
    rate: float = 4e-4
    head_rate: float = 3e-3
    decay: float = 0.02
    layer_factor: float = 0.9
    frozen: int = 4
    views: int = 0
    small: tuple[int, int] = (192, 256)
    full: tuple[int, int] = (224, 288)
    full_share: float = 0.25
    square_share: float = 0.0
    mixup: float = 0.3
    cutmix: float = 0.0
    parts: float = 0.0
    drop_path: float = 0.0
    draws: tuple[tuple[str, float], ...] = ()
    evaluate_every: int = 250
    patience: int = 0
    seed: int = 1
