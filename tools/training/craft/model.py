"""A slim U-shaped CRAFT: 0.6 million weights, about 0.14 GMAC for a 96 x 192 crop."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from tools.training.crnn.model import conv


def _point(inputs: int, outputs: int) -> nn.Sequential:
    return conv(inputs, outputs, (1, 1), (0, 0))


class _Up(nn.Module):
    """Enlarge, join with the finer map, mix."""

    def __init__(self, coarse: int, fine: int, outputs: int) -> None:
        super().__init__()
        self.mix = nn.Sequential(_point(coarse + fine, outputs), conv(outputs, outputs))

    def forward(self, coarse: Tensor, fine: Tensor) -> Tensor:
        larger = nn.functional.interpolate(coarse, scale_factor=2.0, mode="nearest")
        mixed: Tensor = self.mix(torch.cat([larger, fine], dim=1))
        return mixed


class _Residual(nn.Module):
    """Two convolutions added to their input; it starts as the identity, so that older weights can be gone on with."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        last = nn.BatchNorm2d(channels)
        nn.init.zeros_(last.weight)
        self.change = nn.Sequential(
            conv(channels, channels), nn.Conv2d(channels, channels, 3, padding=1, bias=False), last
        )

    def forward(self, features: Tensor) -> Tensor:
        changed: Tensor = torch.relu(features + self.change(features))
        return changed


class Craft(nn.Module):
    """Maps (N, 1, 96, 192) float32 grey 0..1 to scores (N, 2, 48, 96): region and affinity, 0..1."""

    def __init__(self) -> None:
        super().__init__()
        stem = nn.Sequential(
            nn.Conv2d(1, 16, 4, stride=2, padding=1, bias=False), nn.BatchNorm2d(16), nn.ReLU(inplace=True)
        )
        self.at_half = nn.Sequential(stem, conv(16, 16))
        self.at_quarter = nn.Sequential(nn.MaxPool2d(2), conv(16, 32), conv(32, 32))
        self.at_eighth = nn.Sequential(nn.MaxPool2d(2), conv(32, 64), conv(64, 64))
        self.at_sixteenth = nn.Sequential(nn.MaxPool2d(2), conv(64, 96), conv(96, 96), conv(96, 96))
        self.more_eighth = _Residual(64)
        self.more_sixteenth = nn.Sequential(_Residual(96), _Residual(96))
        self.up_eighth = _Up(96, 64, 64)
        self.up_quarter = _Up(64, 32, 32)
        self.up_half = _Up(32, 16, 24)
        self.head = nn.Sequential(conv(24, 16), nn.Conv2d(16, 2, 1))

    def logits(self, image: Tensor) -> Tensor:
        """Scores before the sigmoid."""
        half = self.at_half((image - 0.5) * 4.0)
        quarter = self.at_quarter(half)
        eighth = self.more_eighth(self.at_eighth(quarter))
        deep = self.up_eighth(self.more_sixteenth(self.at_sixteenth(eighth)), eighth)
        fine = self.up_half(self.up_quarter(deep, quarter), half)
        scores: Tensor = self.head(fine)
        return scores

    def forward(self, image: Tensor) -> Tensor:
        """Scores 0..1."""
        return torch.sigmoid(self.logits(image))
