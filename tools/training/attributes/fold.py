"""Batch norm folded into the convolutions for good, for export."""

from __future__ import annotations

from torch import Tensor, nn
from torch.nn import functional

from tools.training.attributes.lite import FoldedConv, same_padding


class Plain(nn.Module):
    """A `FoldedConv` with its batch norm folded in for good; "same" padding of even sizes, where the two differ."""

    def __init__(self, folded: FoldedConv) -> None:
        super().__init__()
        weight, bias = folded.folded()
        self.weight, self.bias = nn.Parameter(weight.detach().clone()), nn.Parameter(bias.detach().clone())
        self.stride, self.groups, self.active = folded.stride, folded.groups, folded.active
        # The input's sides are multiples of 32, so that every layer with a stride sees even sides.
        self.pads = same_padding(32, 32, folded.kernel, folded.stride)

    def forward(self, x: Tensor) -> Tensor:
        left, right, top, bottom = self.pads
        if left == right:
            x = functional.conv2d(x, self.weight, self.bias, self.stride, (top, left), 1, self.groups)
        else:
            x = functional.pad(x, (left, right, top, bottom))
            x = functional.conv2d(x, self.weight, self.bias, self.stride, 0, 1, self.groups)
        return functional.relu6(x) if self.active else x


def folded_for_good(network: nn.Module) -> nn.Module:
    """Replace every `FoldedConv` in a network, in place, by a plain convolution; returns the network."""
    for module in list(network.modules()):
        for name, child in list(module.named_children()):
            if isinstance(child, FoldedConv):
                setattr(module, name, Plain(child))
    return network.eval()
