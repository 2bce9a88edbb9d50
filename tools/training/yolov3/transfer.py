"""Begin a training with the weights of another one, whose scales or anchors may differ."""

from __future__ import annotations

from pathlib import Path

import torch
from torch import Tensor, nn

from tools.training.yolov3.network import ANCHORS_PER_SCALE, STRIDES
from tools.training.yolov3.tightness import Tightness


def start_from(checkpoint: Path, network: nn.Module, anchors: Tensor, tightness: Tightness | None = None) -> int:
    """Copy the averaged weights of ``checkpoint`` that fit into ``network``; returns how many tensors did.

    Where a scale's anchors changed, the biases of its widths and heights are shifted so that the predicted boxes
    stay what they were. ``tightness`` goes on from the checkpoint's where the sources are the same. Raises OSError
    when the file cannot be read, ValueError when nothing fits.
    """
    state = torch.load(checkpoint, map_location="cpu", weights_only=True)
    own = network.state_dict()
    fitting = {name: value for name, value in state["ema"].items() if name in own and own[name].shape == value.shape}
    if not fitting:
        raise ValueError(f"{checkpoint} holds no weights that fit this network")
    network.load_state_dict({**own, **fitting})
    _follow_anchors(network, fitting, state["anchors"].float().view(-1, 3, 2), anchors.float().view(-1, 3, 2))
    if tightness is not None and tuple(state.get("sources", ())) == tightness.names:
        tightness.load_state_dict(state["tightness"])
    return len(fitting)


@torch.no_grad()
def _follow_anchors(network: nn.Module, fitting: dict[str, Tensor], old: Tensor, new: Tensor) -> None:
    # Both end with the coarsest scale; a network with fewer scales lacks the finest.
    for index in range(1, min(len(old), len(new)) + 1):
        name = f"head{STRIDES[-index]}.predict.1.bias"
        if name not in fitting:
            continue
        bias = network.get_parameter(name).view(ANCHORS_PER_SCALE, -1)
        bias[:, 2:4] += (old[-index] / new[-index]).log().to(bias.device)
