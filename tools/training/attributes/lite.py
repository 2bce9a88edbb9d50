"""EfficientNet-Lite: EfficientNet without squeeze-and-excitation, with ReLU6, made for int8.

Source: the EfficientNet-Lite announcement of TensorFlow's TPU models (2020) and Tan & Le, "EfficientNet",
arXiv:1905.11946. The weights' names are those of the pretrained packages. Batch norm's statistics stay those of the
pretraining: they are folded into the convolutions while training runs, which saves a third of its time on a CPU, and a
few thousand pictures would not estimate better ones.
"""

from __future__ import annotations

import math
from typing import Final, NamedTuple

import torch
from torch import Tensor, nn
from torch.nn import functional

from tools.training.attributes.depthwise import depthwise

EPSILON: Final = 1e-3
STEM_CHANNELS: Final = 32
FEATURES: Final = 1280


class Stage(NamedTuple):
    """Repeats, kernel, stride, expansion and output channels of one stage of Lite0."""

    repeats: int
    kernel: int
    stride: int
    expansion: int
    channels: int


STAGES: Final = (
    Stage(1, 3, 1, 1, 16),
    Stage(2, 3, 2, 6, 24),
    Stage(2, 5, 2, 6, 40),
    Stage(3, 3, 2, 6, 80),
    Stage(3, 5, 1, 6, 112),
    Stage(4, 5, 2, 6, 192),
    Stage(1, 3, 1, 6, 320),
)
SCALES: Final = {0: (1.0, 1.0), 1: (1.0, 1.1), 2: (1.1, 1.2)}
"""Factors for width and depth by the network's number."""


class FoldedConv(nn.Module):
    """A convolution with batch norm folded in at each pass, padded as TensorFlow pads ("same"), then ReLU6 or not."""

    def __init__(self, inputs: int, outputs: int, kernel: int, stride: int, groups: int, active: bool) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.empty(outputs, inputs // groups, kernel, kernel))
        self.scale = nn.Parameter(torch.ones(outputs))
        self.bias = nn.Parameter(torch.zeros(outputs))
        self.register_buffer("running_mean", torch.zeros(outputs))
        self.register_buffer("running_var", torch.ones(outputs))
        self.kernel, self.stride, self.groups, self.active = kernel, stride, groups, active
        nn.init.kaiming_normal_(self.weight, mode="fan_out")

    def folded(self) -> tuple[Tensor, Tensor]:
        """Weight and bias of the plain convolution that does the same."""
        mean, variance = self.get_buffer("running_mean"), self.get_buffer("running_var")
        factor = self.scale * torch.rsqrt(variance + EPSILON)
        return self.weight * factor[:, None, None, None], self.bias - mean * factor

    def forward(self, x: Tensor) -> Tensor:
        weight, bias = self.folded()
        pads = same_padding(x.shape[2], x.shape[3], self.kernel, self.stride)
        if self.groups > 1 and self.training and x.dtype is torch.bfloat16 and x.device.type == "cpu":
            x = depthwise(functional.pad(x, pads), weight.to(x.dtype), self.stride) + bias.to(x.dtype)[:, None, None]
            return functional.relu6(x) if self.active else x
        symmetric = pads[0] == pads[1] and pads[2] == pads[3]
        if not symmetric:
            x = functional.pad(x, pads)
        padding = (pads[2], pads[0]) if symmetric else (0, 0)
        x = functional.conv2d(x, weight, bias, self.stride, padding, 1, self.groups)
        return functional.relu6(x) if self.active else x


def same_padding(height: int, width: int, kernel: int, stride: int) -> tuple[int, int, int, int]:
    """TensorFlow's "same" padding in pixels: left, right, top, bottom."""
    pads = []
    for side in (width, height):
        total = max(0, (math.ceil(side / stride) - 1) * stride + kernel - side)
        pads += [total // 2, total - total // 2]
    return pads[0], pads[1], pads[2], pads[3]


class Block(nn.Module):
    """Inverted residual: 1×1 to more channels, depthwise, 1×1 back; added to the input where the shapes agree."""

    def __init__(self, inputs: int, outputs: int, kernel: int, stride: int, expansion: int) -> None:
        super().__init__()
        inner = inputs * expansion
        self.expand = FoldedConv(inputs, inner, 1, 1, 1, True) if expansion > 1 else None
        self.depthwise = FoldedConv(inner, inner, kernel, stride, inner, True)
        self.project = FoldedConv(inner, outputs, 1, 1, 1, False)
        self.residual = stride == 1 and inputs == outputs
        self.dropped = 0.0
        """Share of the pictures that pass by this block while it trains; see `drop_paths`."""

    def forward(self, x: Tensor) -> Tensor:
        expanded = x if self.expand is None else self.expand(x)
        y: Tensor = self.project(self.depthwise(expanded))
        if not self.residual:
            return y
        if self.training and self.dropped:
            kept = torch.rand(len(y), 1, 1, 1, device=y.device) >= self.dropped
            y = y * (kept / (1 - self.dropped)).to(y.dtype)
        return x + y


class EfficientNetLite(nn.Module):
    """Pictures float32 (N, 3, H, W), RGB as (value - 127) / 128, to features (N, 1280, H / 32, W / 32)."""

    features = FEATURES

    def __init__(self, number: int = 0) -> None:
        super().__init__()
        width, depth = SCALES[number]
        self.stem = FoldedConv(3, STEM_CHANNELS, 3, 2, 1, True)
        blocks, inputs = [], STEM_CHANNELS
        for index, stage in enumerate(STAGES):
            outputs = rounded(stage.channels * width)
            fixed = index in (0, len(STAGES) - 1)
            for repeat in range(stage.repeats if fixed else math.ceil(stage.repeats * depth)):
                stride = stage.stride if repeat == 0 else 1
                blocks.append(Block(inputs, outputs, stage.kernel, stride, stage.expansion))
                inputs = outputs
        self.blocks = nn.ModuleList(blocks)
        self.head = FoldedConv(inputs, FEATURES, 1, 1, 1, True)
        self.entry = 0
        """Layers (stem and blocks) that the inputs have passed already while it trains; see `frozen`."""

    def forward(self, image: Tensor) -> Tensor:
        entry = self.entry if self.training else 0
        x = image if entry else self.stem(image)
        for block in self.blocks[max(0, entry - 1) :]:
            x = block(x)
        features: Tensor = self.head(x)
        return features

    def drop_paths(self, share: float) -> None:
        """Let pictures pass by blocks at random while it trains, the last by ``share`` of them, earlier ones by less.

        Source: Huang et al., "Deep Networks with Stochastic Depth", arXiv:1603.09382.
        """
        for number, block in enumerate(self.blocks, 1):
            assert isinstance(block, Block)  # noqa: S101 - for the type checker
            block.dropped = share * number / len(self.blocks)

    def layers(self) -> list[list[nn.Parameter]]:
        """The weights from the input on, in groups that learn at rates of their own."""
        return [list(part.parameters()) for part in (self.stem, *self.blocks, self.head)]

    def load_pretrained(self, weights: dict[str, Tensor]) -> None:
        """Take the weights of a pretrained package; raises ValueError when one is missing or of another shape."""
        named = {"stem": ("_conv_stem", "_bn0"), "head": ("_conv_head", "_bn1")}
        for index, block in enumerate(self.blocks):
            first = f"_blocks.{index}."
            if isinstance(block, Block) and block.expand is not None:
                named[f"blocks.{index}.expand"] = (f"{first}_expand_conv", f"{first}_bn0")
            named[f"blocks.{index}.depthwise"] = (f"{first}_depthwise_conv", f"{first}_bn1")
            named[f"blocks.{index}.project"] = (f"{first}_project_conv", f"{first}_bn2")
        state = {}
        for own, (conv, norm) in named.items():
            state[f"{own}.weight"] = f"{conv}.weight"
            state[f"{own}.scale"] = f"{norm}.weight"
            state |= {f"{own}.{key}": f"{norm}.{key}" for key in ("bias", "running_mean", "running_var")}
        try:
            self.load_state_dict({own: weights[name] for own, name in state.items()})
        except (KeyError, RuntimeError) as error:
            raise ValueError(f"the pretrained weights are of another network: {error}") from error


def rounded(channels: float) -> int:
    """Channels as a multiple of eight that is not below nine tenths of what was asked for."""
    nearest = max(8, int(channels + 4) // 8 * 8)
    return nearest + 8 if nearest < 0.9 * channels else nearest
