"""Weights to begin with: another run's checkpoint, or a served int8 file, such as the package's own."""

from __future__ import annotations

from pathlib import Path

import torch
from torch import Tensor

from tools.training.attributes.lite import EPSILON, FoldedConv
from tools.training.attributes.network import Attributes
from tools.training.common.checkpoint import load_checkpoint, take_weights
from tools.training.common.recover import dequantised


def begin_with(network: Attributes, file: Path) -> None:
    """Load the weights of a checkpoint (.pt), or of an int8 or float32 model (.onnx), in place.

    What a model's file holds is folded: its convolutions begin with no batch norm of their own. Raises OSError when
    the file cannot be read, ValueError when it is of another network or of other classes.
    """
    if file.suffix == ".onnx":
        take_weights(network, _unfolded(network, dequantised(file)), file)
    else:
        take_weights(network, load_checkpoint(file, "average")["average"], file)


def _unfolded(network: Attributes, folded: dict[str, Tensor]) -> dict[str, Tensor]:
    """The network's own weights from those of the plain network that does the same; what is missing stays missing."""
    found = {name: folded[name] for name in network.state_dict() if name in folded}
    for name, module in network.named_modules():
        if isinstance(module, FoldedConv):
            plain = torch.zeros_like(module.bias)
            found |= {
                f"{name}.scale": plain + 1,
                f"{name}.running_mean": plain,
                f"{name}.running_var": plain + 1 - EPSILON,
            }
    return found
