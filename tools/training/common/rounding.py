"""Train a network through the rounding that its int8 file will do, so that it learns to live with it.

Quantisation-aware training (Jacob et al. 2018, arXiv:1712.05877): on the way forward weights are rounded to int8 per
output channel and the results of operators to uint8, as `tools.training.common.export.quantise` has them rounded; on
the way back gradients pass as if nothing had been rounded. Only results that are never negative are known here, those
of ReLU and of sums and joins of them; so one number, the largest value, makes a range.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import onnx
import torch
from torch import Tensor, nn
from torch.func import functional_call

LEVELS = 255
BINS = 2048
FRACTIONS = tuple(round(1 - 0.05 * i, 2) for i in range(13))
"""Ranges that are tried, as shares of the largest value seen."""


@dataclass(frozen=True)
class Point:
    """Where int8 rounds: what leaves a module (or, with ``enters``, enters it), made by an ONNX operator."""

    operator: str
    module: str
    enters: bool = False

    @property
    def key(self) -> str:
        """What the point's range is kept under."""
        return f"{self.operator} {self.module}"


@contextmanager
def _seen(network: nn.Module, points: Sequence[Point], see: Any) -> Iterator[None]:
    # While this lasts, ``see(point, tensor)`` sees every point's tensor, and what it gives takes its place.
    handles = []
    for point in points:
        module = network.get_submodule(point.module)
        if point.enters:
            handles.append(module.register_forward_pre_hook(lambda _, given, p=point: (see(p, given[0]), *given[1:])))
        else:
            handles.append(module.register_forward_hook(lambda _, __, out, p=point: see(p, out)))
    try:
        yield
    finally:
        for handle in handles:
            handle.remove()


@torch.no_grad()
def calibrate(network: nn.Module, points: Sequence[Point], batches: Sequence[Tensor]) -> dict[str, float]:
    """The range of each point, in the order in which they are computed: the one that costs the least square error.

    ``batches`` are inputs of the network, which is put into evaluation mode.
    """
    network.eval()
    largest: dict[str, float] = {}
    counts: dict[str, Tensor] = {}

    def measure(point: Point, value: Tensor) -> Tensor:
        largest[point.key] = max(largest.get(point.key, 1e-6), float(value.max()))
        return value

    def count(point: Point, value: Tensor) -> Tensor:
        seen = torch.histc(value.float(), BINS, 0, largest[point.key])
        counts[point.key] = counts.get(point.key, torch.zeros(BINS, device=seen.device)) + seen
        return value

    for see in (measure, count):
        with _seen(network, points, see):
            for batch in batches:
                network(batch)
    return {key: _best_range(counts[key], most) for key, most in largest.items()}


def _best_range(counts: Tensor, largest: float) -> float:
    values = (torch.arange(BINS, device=counts.device) + 0.5) * largest / BINS
    errors = {
        fraction * largest: float((counts * (values - _round(values, fraction * largest)).square()).sum())
        for fraction in FRACTIONS
    }
    return min(errors, key=lambda most: errors[most])


def _round(value: Tensor, largest: float) -> Tensor:
    return torch.fake_quantize_per_tensor_affine(value, largest / LEVELS, 0, 0, LEVELS)


def _round_weight(weight: Tensor) -> Tensor:
    scales = (weight.detach().abs().amax(dim=tuple(range(1, weight.dim()))) / 127).clamp(min=1e-12)
    zeros = torch.zeros(len(scales), dtype=torch.int32, device=weight.device)
    return torch.fake_quantize_per_channel_affine(weight, scales, zeros, 0, -127, 127)


class Rounded(nn.Module):
    """``network`` as its int8 file computes it; it shares the weights and trains them.

    ``ranges`` are those of `calibrate`; the convolutions named in ``keep_float`` are not rounded.
    """

    def __init__(
        self,
        network: nn.Module,
        points: Sequence[Point],
        ranges: Mapping[str, float],
        keep_float: Sequence[str] = (),
    ) -> None:
        super().__init__()
        self.network = network
        self.points = tuple(points)
        self.ranges = dict(ranges)
        self.convolutions = tuple(
            name for name, module in network.named_modules() if isinstance(module, nn.Conv2d) and name not in keep_float
        )

    def train(self, mode: bool = True) -> Rounded:
        """As any module, but for the statistics of normalisation: the file's are fixed, so they are here."""
        super().train(mode)
        for module in self.modules():
            if isinstance(module, nn.BatchNorm2d):
                module.eval()
        return self

    def forward(self, images: Tensor) -> Any:
        """The network's outputs for a batch of images, computed with rounded weights and results."""
        weights = {f"{name}.weight": self.network.get_parameter(f"{name}.weight") for name in self.convolutions}
        rounded = {name: _round_weight(weight) for name, weight in weights.items()}
        with _seen(self.network, self.points, lambda point, value: _round(value, self.ranges[point.key])):
            return functional_call(self.network, rounded, (images,))


def tensor_ranges(file: Path, ranges: Mapping[str, float]) -> dict[str, float]:
    """The ranges by the names that the tensors have in the network's float32 ONNX file.

    Points and nodes of one operator come in the same order: that of the computation. Raises ValueError when their
    numbers differ.
    """
    nodes: dict[str, list[str]] = defaultdict(list)
    for node in onnx.load(str(file), load_external_data=False).graph.node:
        axis = next((a.i for a in node.attribute if a.name == "axis"), 1)
        if axis == 1:  # a Concat along axis 0 joins shapes, not feature maps
            nodes[node.op_type].append(node.output[0])
    named: dict[str, float] = {}
    for operator in dict.fromkeys(key.split()[0] for key in ranges):
        values = [value for key, value in ranges.items() if key.split()[0] == operator]
        if len(values) != len(nodes[operator]):
            raise ValueError(f"{file} has {len(nodes[operator])} {operator} nodes, but {len(values)} have ranges")
        named |= dict(zip(nodes[operator], values, strict=True))
    return named
