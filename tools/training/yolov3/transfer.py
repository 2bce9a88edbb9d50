"""Begin a training with the weights of another one, whose scales, anchors or widths may differ.

A wider network begins as the narrower one's function: the old weights are its first channels, and what the old
outputs take from new channels starts at zero (Net2Net's idea, arXiv:1511.05641, without its copies).
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from tools.training.common.checkpoint import load_checkpoint
from tools.training.common.recover import weights_of
from tools.training.yolov3.network import ANCHORS_PER_SCALE, STRIDES, YoloV3
from tools.training.yolov3.tightness import Tightness


def start_from(checkpoint: Path, network: nn.Module, anchors: Tensor, tightness: Tightness | None = None) -> int:
    """Copy the averaged weights of ``checkpoint`` that fit into ``network``; returns how many tensors did.

    An exported float32 file (``.onnx``, its manifest beside it) is a checkpoint as well. Tensors with fewer channels
    fit too: the network then begins as the same function. Where a scale's anchors changed, the biases of its widths
    and heights are shifted so that the predicted boxes stay what they were. ``tightness`` goes on from the
    checkpoint's where the sources are the same.

    Raises OSError when the file cannot be read, ValueError when it is no checkpoint of a detector or nothing fits.
    """
    state = _exported(checkpoint) if checkpoint.suffix == ".onnx" else load_checkpoint(checkpoint, "ema", "anchors")
    own = network.state_dict()
    joins = _joins(network, state["ema"])
    widened = {
        name: _widened(value, own[name], joins.get(name.removesuffix(".weight")))
        for name, value in state["ema"].items()
        if name in own
    }
    fitting = {name: value for name, value in widened.items() if value is not None}
    if not fitting:
        raise ValueError(f"{checkpoint} holds no weights that fit this network")
    network.load_state_dict({**own, **fitting})
    _follow_anchors(network, fitting, state["anchors"].float().view(-1, 3, 2), anchors.float().view(-1, 3, 2))
    if tightness is not None and tuple(state.get("sources", ())) == tightness.names:
        tightness.load_state_dict(state["tightness"])
    return len(fitting)


def _exported(file: Path) -> dict[str, Any]:
    manifest = file.with_name(f"{file.name.split('.')[0]}.json")
    anchors = json.loads(manifest.read_text(encoding="utf-8")).get("anchors")
    if not anchors:
        raise ValueError(f"{manifest} names no anchors: it is no detector's")
    return {"ema": weights_of(file), "anchors": torch.tensor(anchors)}


def _joins(network: nn.Module, old: dict[str, Tensor]) -> dict[str, tuple[int, int]]:
    """Per layer that reads two joined maps, the channels of the first: in the old network and in this one."""
    if not isinstance(network, YoloV3):
        return {}
    channels = {4: "stage4", 8: "stage8", 16: "stage16"}
    found = {}
    for name, new in network.joins().items():
        source = f"{channels[int(name.split('.')[0].removeprefix('head'))]}.0.0.weight"
        if source in old:
            found[name] = (len(old[source]), new)
    return found


def _widened(old: Tensor, new: Tensor, join: tuple[int, int] | None) -> Tensor | None:
    """The new tensor with the old one as its first channels; None where the old one has more of anything."""
    if old.shape == new.shape and (join is None or join[0] == join[1]):
        return old
    if old.dim() != new.dim() or any(a > b for a, b in zip(old.shape, new.shape, strict=True)):
        return None
    wide = new.clone()
    if old.dim() == 1:
        wide[: len(old)] = old
        return wide
    if old.shape[2:] != new.shape[2:]:
        return None
    split, shifted = join or (old.shape[1], old.shape[1])
    wide[: len(old)] = 0
    wide[: len(old), :split] = old[:, :split]
    wide[: len(old), shifted : shifted + old.shape[1] - split] = old[:, split:]
    return wide


@torch.no_grad()
def _follow_anchors(network: nn.Module, fitting: dict[str, Tensor], old: Tensor, new: Tensor) -> None:
    # Both end with the coarsest scale; a network with fewer scales lacks the finest.
    for index in range(1, min(len(old), len(new)) + 1):
        name = f"head{STRIDES[-index]}.predict.1.bias"
        if name not in fitting:
            continue
        bias = network.get_parameter(name).view(ANCHORS_PER_SCALE, -1)
        bias[:, 2:4] += (old[-index] / new[-index]).log().to(bias.device)
