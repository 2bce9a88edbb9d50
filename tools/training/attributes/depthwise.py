"""Depthwise convolution whose backward pass is quick on CPUs in bfloat16, where torch's own takes slow loops."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor
from torch.nn import functional


class _Depthwise(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, x: Tensor, weight: Tensor, stride: int) -> Tensor:
        ctx.save_for_backward(x, weight)
        ctx.stride = stride
        return functional.conv2d(x, weight, None, stride, 0, 1, x.shape[1])

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor | None, Tensor | None, None]:
        (gradient,) = gradients
        x, weight = ctx.saved_tensors
        gradient = gradient.contiguous(memory_format=torch.channels_last)
        to_input = to_weight = None
        if ctx.needs_input_grad[0]:
            to_input = _to_input(gradient, weight, ctx.stride, x.shape[2], x.shape[3])
        if ctx.needs_input_grad[1]:
            dtype = x.dtype if weight.shape[2] < 5 else torch.float32
            _, found, _ = torch.ops.aten.convolution_backward(
                gradient.to(dtype), x.to(dtype), weight.to(dtype), None, [ctx.stride] * 2, [0, 0], [1, 1], False,
                [0, 0], x.shape[1], [False, True, False],
            )  # fmt: skip
            to_weight = found.to(weight.dtype)
        return to_input, to_weight, None


def _to_input(gradient: Tensor, weight: Tensor, stride: int, height: int, width: int) -> Tensor:
    """A convolution of the gradient, spread by the stride, with the mirrored weights."""
    n, channels, rows, columns = gradient.shape
    kernel = weight.shape[2]
    if stride > 1:
        size = ((rows - 1) * stride + 1, (columns - 1) * stride + 1)
        spread = gradient.new_zeros((n, channels, *size)).contiguous(memory_format=torch.channels_last)
        spread[:, :, ::stride, ::stride] = gradient
        gradient = spread
    found = functional.conv2d(gradient, weight.flip(2, 3), None, 1, kernel - 1, 1, channels)
    missing = (width - found.shape[3], height - found.shape[2])
    return functional.pad(found, (0, missing[0], 0, missing[1])) if any(missing) else found


def depthwise(x: Tensor, weight: Tensor, stride: int) -> Tensor:
    """Depthwise convolution of a padded (N, C, H, W) with weights (C, 1, K, K), both of one type."""
    found: Tensor = _Depthwise.apply(x, weight, stride)  # type: ignore[no-untyped-call]
    return found
