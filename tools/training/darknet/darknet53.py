"""The full-size YOLOv3 (Redmon and Farhadi, 2018, arXiv:1804.02767): Darknet-53, three scales, 62 million weights."""

from __future__ import annotations

from typing import Final

from torch import nn

from tools.training.darknet.cfg import parse_cfg
from tools.training.darknet.layers import Plan, plan_of
from tools.training.darknet.network import DarknetNetwork, convolutions
from tools.training.yolov3.network import rare_objects

STAGES: Final = ((64, 1), (128, 2), (256, 8), (512, 8), (1024, 4))
"""Channels and residual blocks of the five stages; each begins by halving the picture."""
ANCHORS: Final = (10, 13, 16, 30, 33, 23, 30, 61, 62, 45, 59, 119, 116, 90, 156, 198, 373, 326)
"""The original's, of COCO's objects."""
STAGE_ENDS: Final = {16: 61, 8: 36}
"""The layers where the stages of stride 16 and 8 end, which the finer scales take up again."""


def cfg_text(classes: int, input_channels: int) -> str:
    """The original yolov3.cfg for so many classes, without the options of its training."""
    lines = [f"[net]\nwidth=416\nheight=416\nchannels={input_channels}", _conv(32, 3)]
    for channels, blocks in STAGES:
        lines.append(_conv(channels, 3, 2))
        for _ in range(blocks):
            lines += [_conv(channels // 2, 1), _conv(channels, 3), "[shortcut]\nfrom=-3\nactivation=linear"]
    scales = zip((32, 16, 8), STAGES[::-1], ("6,7,8", "3,4,5", "0,1,2"), strict=False)
    for stride, (channels, _), mask in scales:
        width = channels // 2
        if stride in STAGE_ENDS:
            lines += ["[route]\nlayers=-4", _conv(width, 1), "[upsample]\nstride=2"]
            lines.append(f"[route]\nlayers=-1,{STAGE_ENDS[stride]}")
        lines += [_conv(width, 1), _conv(2 * width, 3)] * 3
        lines.append(f"[convolutional]\nsize=1\nstride=1\npad=1\nfilters={3 * (5 + classes)}\nactivation=linear")
        anchors = ",".join(map(str, ANCHORS))
        lines.append(f"[yolo]\nmask={mask}\nanchors={anchors}\nclasses={classes}")
    return "\n".join(lines)


def darknet53_plan(classes: int = 1, input_channels: int = 1) -> Plan:
    """The plan of the full-size network, for grey pictures unless ``input_channels`` is 3."""
    return plan_of(parse_cfg(cfg_text(classes, input_channels), "yolov3.cfg"))


def darknet53(classes: int = 1, input_channels: int = 1) -> DarknetNetwork:
    """The full-size network with weights drawn from torch's generator, ready to be trained."""
    network = DarknetNetwork(darknet53_plan(classes, input_channels))
    for convolution, norm, _ in convolutions(network):
        if isinstance(norm, nn.Identity):
            rare_objects(convolution, classes)
    return network


def _conv(filters: int, size: int, stride: int = 1) -> str:
    layer = f"filters={filters}\nsize={size}\nstride={stride}\npad=1\nactivation=leaky"
    return f"[convolutional]\nbatch_normalize=1\n{layer}"
