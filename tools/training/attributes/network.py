"""One network with several heads over a pretrained backbone, its loss, and its probabilities."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import torch
from torch import Tensor, nn
from torch.nn import functional

from tools.training.attributes.backbones import build
from tools.training.attributes.classes import Head, Targets

SMOOTHING = 0.1
REDUCED = 4
STRIDE = 32
POOLED = 3
"""Means over the last map that the heads see; see `pool`."""
WORDS, PLACES = 64, 4
HEAD_WEIGHTS = {"view": 0.3, "make": 0.7}


class ColourWords(nn.Module):
    """What colours there are where the paint is: pixels say what, the backbone's last map says where.

    A backbone learns to overlook colour. Here each pixel of the picture, reduced by `REDUCED`, votes for some words;
    their means over the last map's cells are weighted by attention over these cells.
    """

    features = WORDS * PLACES

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.words = nn.Sequential(nn.Conv2d(3, 32, 1), nn.ReLU(), nn.Conv2d(32, WORDS, 1), nn.ReLU())
        self.where = nn.Conv2d(channels, PLACES, 1)

    def forward(self, reduced: Tensor, last: Tensor) -> Tensor:
        words = functional.avg_pool2d(self.words(reduced), STRIDE // REDUCED).flatten(2)
        places = self.where(last).flatten(2).softmax(2)
        mixed: Tensor = (places @ words.transpose(1, 2)).flatten(1)
        return mixed


class Attributes(nn.Module):
    """Pictures float32 (N, 3, H, W) to raw logits of each head, in the heads' order."""

    def __init__(self, backbone: str, heads: Sequence[Head], dropout: float = 0.3) -> None:
        super().__init__()
        self.names = tuple(head.name for head in heads)
        self.backbone = build(backbone)
        features = int(self.backbone.features)  # type: ignore[arg-type]  # every backbone has it
        looked_at = POOLED * features
        self.dropout = nn.Dropout(dropout)
        self.colour = ColourWords(features) if "colour" in self.names else None
        self.heads = nn.ModuleList(
            nn.Linear(looked_at + (ColourWords.features if head.name == "colour" else 0), len(head.labels))
            for head in heads
        )
        for layer in self.heads:
            assert isinstance(layer, nn.Linear)  # noqa: S101 - for the type checker
            nn.init.normal_(layer.weight, std=0.01)
            nn.init.zeros_(layer.bias)

    def new_parameters(self) -> list[nn.Parameter]:
        """The weights that no pretraining knows."""
        return [*self.heads.parameters(), *(self.colour.parameters() if self.colour is not None else ())]

    def pooled(self, image: Tensor) -> Tensor:
        """The backbone's features, float (N, `POOLED` x channels)."""
        return pool(self.backbone(image))

    def answer(self, pooled: Tensor, colours: Tensor | None = None) -> tuple[Tensor, ...]:
        """Logits of each head for pooled features; the colour head's own features are zero where they are not given."""
        dropped = self.dropout(pooled)
        if colours is None:
            colours = pooled.new_zeros(len(pooled), ColourWords.features)
        pairs = zip(self.names, self.heads, strict=True)
        return tuple(
            head(torch.cat([dropped, colours.to(dropped.dtype)], 1) if name == "colour" else dropped)
            for name, head in pairs
        )

    def forward(self, image: Tensor, maps: Tensor | None = None) -> tuple[Tensor, ...]:
        """With ``maps`` of the frozen layers the image is the picture as `reduced` already."""
        last = self.backbone(image if maps is None else maps)
        colours = None
        if self.colour is not None:
            colours = self.colour(reduced(image) if maps is None else image, last)
        return self.answer(pool(last), colours)


def pool(maps: Tensor) -> Tensor:
    """The means of a map (N, C, H, W) over all places, its upper half and its lower half: (N, 3 C).

    Roof and windows are above, lights, grille and badge below.
    """
    half = maps.shape[2] // 2
    return torch.cat([part.mean((2, 3)) for part in (maps, maps[:, :, : max(half, 1)], maps[:, :, half:])], 1)


def reduced(image: Tensor) -> Tensor:
    """The picture at which colours are looked at."""
    return functional.avg_pool2d(image, REDUCED)


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
