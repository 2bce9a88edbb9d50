"""One network with several heads over a pretrained backbone, its loss, and its probabilities."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import torch
from torch import Tensor, nn

from tools.training.attributes.backbones import build
from tools.training.attributes.classes import Head, Targets

SMOOTHING = 0.1
HEAD_WEIGHTS = {"view": 0.3, "make": 0.7}


class Attributes(nn.Module):
    """Pictures float32 (N, 3, H, W) to raw logits of each head, in the heads' order."""

    def __init__(self, backbone: str, heads: Sequence[Head], dropout: float = 0.3) -> None:
        super().__init__()
        self.names = tuple(head.name for head in heads)
        self.backbone = build(backbone)
        features = int(self.backbone.features)  # type: ignore[arg-type]  # every backbone has it
        self.dropout = nn.Dropout(dropout)
        self.heads = nn.ModuleList(nn.Linear(features, len(head.labels)) for head in heads)
        for layer in self.heads:
            assert isinstance(layer, nn.Linear)  # noqa: S101 - for the type checker
            nn.init.normal_(layer.weight, std=0.01)
            nn.init.zeros_(layer.bias)

    def pooled(self, image: Tensor) -> Tensor:
        """The features that the heads see, float (N, channels)."""
        pooled: Tensor = self.backbone(image).mean((2, 3))
        return pooled

    def answer(self, pooled: Tensor) -> tuple[Tensor, ...]:
        """Logits of each head for pooled features."""
        dropped = self.dropout(pooled)
        return tuple(head(dropped) for head in self.heads)

    def forward(self, image: Tensor) -> tuple[Tensor, ...]:
        return self.answer(self.pooled(image))


def head_loss(logits: Tensor, targets: Targets, smoothing: float = SMOOTHING) -> Tensor:
    """Mean over the examples of minus the log of the right classes' probability together, labels smoothed."""
    log_probabilities = logits.float().log_softmax(1)
    known = targets.weight > 0
    masked = log_probabilities.masked_fill(~targets.right, -torch.inf)
    right = torch.where(known, masked.logsumexp(1), torch.zeros_like(masked[:, 0])) if known.any() else masked[:, 0] * 0
    loss = -(1 - smoothing) * right - smoothing * log_probabilities.mean(1)
    return (loss * targets.weight).sum() / targets.weight.sum().clamp(min=1)


def total_loss(names: Sequence[str], outputs: Sequence[Tensor], targets: Mapping[str, Targets]) -> Tensor:
    """The heads' losses together."""
    parts = [
        HEAD_WEIGHTS.get(name, 1.0) * head_loss(out, targets[name]) for name, out in zip(names, outputs, strict=True)
    ]
    return torch.stack(parts).sum()
