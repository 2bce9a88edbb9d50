"""A YOLOv3 for vehicles: three scales over a pretrained EfficientNet-Lite backbone.

Source: Redmon & Farhadi, "YOLOv3: An Incremental Improvement", arXiv:1804.02767, for heads and parametrisation. The
backbone knows cars, trucks, buses and motorcycles from ImageNet, so that some thousand pictures are enough to learn
where they are.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from tools.training.attributes.lite import STAGES, EfficientNetLite, rounded
from tools.training.yolov3.network import ANCHORS_PER_SCALE, Head, conv, rare_objects

LABELS = ("car", "truck", "bus", "motorcycle")
STRIDES = (8, 16, 32)
WIDTHS = (48, 96, 128)
TAPS = (5, 11)
"""Blocks of Lite0 after which the maps of strides 8 and 16 are complete."""


class VehicleNet(nn.Module):
    """Pictures float32 (N, 3, H, W), RGB as (value - 127) / 128, to raw logits per stride 8, 16, 32.

    Each output is (N, 3 * (5 + classes), H / stride, W / stride), anchor-major, per anchor (tx, ty, tw, th,
    objectness, classes). H and W are multiples of 32.
    """

    strides = STRIDES

    def __init__(self, classes: int = len(LABELS)) -> None:
        super().__init__()
        lite = EfficientNetLite(0)
        self.stem, self.blocks = lite.stem, lite.blocks
        c8, c16, c32 = (rounded(STAGES[index].channels) for index in (2, 4, 6))
        predictions = ANCHORS_PER_SCALE * (5 + classes)
        self.head32 = Head(c32, WIDTHS[2], predictions)
        self.lateral16 = conv(WIDTHS[2], WIDTHS[1], 1)
        self.head16 = Head(c16 + WIDTHS[1], WIDTHS[1], predictions)
        self.lateral8 = conv(WIDTHS[1], WIDTHS[0], 1)
        self.head8 = Head(c8 + WIDTHS[0], WIDTHS[0], predictions)
        for head in (self.head8, self.head16, self.head32):
            rare_objects(head.predict[1], classes)
        self.upsample = nn.Upsample(scale_factor=2, mode="nearest")

    def forward(self, image: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        c8, c16 = self.finer(image)
        return self.from_maps(c8, c16)

    def finer(self, image: Tensor) -> tuple[Tensor, Tensor]:
        """The backbone's maps of strides 8 and 16."""
        x = self.stem(image)
        for block in self.blocks[: TAPS[0]]:
            x = block(x)
        c8 = x
        for block in self.blocks[TAPS[0] : TAPS[1]]:
            x = block(x)
        return c8, x

    def from_maps(self, c8: Tensor, c16: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """The rest of the network, from the maps of strides 8 and 16 on."""
        c32 = c16
        for block in self.blocks[TAPS[1] :]:
            c32 = block(c32)
        f32, p32 = self.head32(c32)
        f16, p16 = self.head16(torch.cat([c16, self.upsample(self.lateral16(f32))], 1))
        _, p8 = self.head8(torch.cat([c8, self.upsample(self.lateral8(f16))], 1))
        return p8, p16, p32

    def load_pretrained(self, weights: dict[str, Tensor]) -> None:
        """Take the backbone's weights of a pretrained package; raises ValueError where they do not fit."""
        lite = EfficientNetLite(0)
        lite.load_pretrained(weights)
        self.stem.load_state_dict(lite.stem.state_dict())
        self.blocks.load_state_dict(lite.blocks.state_dict())

    def layers(self) -> list[list[nn.Parameter]]:
        """The backbone's weights from the input on, in groups that learn at rates of their own."""
        return [list(part.parameters()) for part in (self.stem, *self.blocks)]

    def others(self) -> list[nn.Parameter]:
        """The weights of the scales, which begin without any knowledge."""
        known = {id(parameter) for layer in self.layers() for parameter in layer}
        return [parameter for parameter in self.parameters() if id(parameter) not in known]
