"""Exponential moving average of a model's weights, which is what is evaluated and exported."""

from __future__ import annotations

import copy
import math

import torch
from torch import nn


class Ema:
    """Averaged copy of a model; the decay warms up so that early steps count little."""

    def __init__(self, model: nn.Module, decay: float = 0.9995, warmup_steps: float = 1000.0) -> None:
        self.model = copy.deepcopy(model).eval()
        for parameter in self.model.parameters():
            parameter.requires_grad_(False)
        self.decay = decay
        self.warmup_steps = warmup_steps
        self.steps = 0

    @torch.no_grad()
    def update(self, model: nn.Module) -> None:
        """Move the average towards the model's present weights."""
        self.steps += 1
        decay = self.decay * (1 - math.exp(-self.steps / self.warmup_steps))
        present = model.state_dict()
        for name, value in self.model.state_dict().items():
            if value.dtype.is_floating_point:
                value.lerp_(present[name].detach(), 1 - decay)
            else:
                value.copy_(present[name])
