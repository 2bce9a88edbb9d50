"""A slim YOLOv3: Darknet residual backbone, feature pyramid, three scales and, for small plates, a fourth.

Source: Redmon & Farhadi, "YOLOv3: An Incremental Improvement", arXiv:1804.02767. Against the original the
channels are divided by six and more (the plates of a dashcam are one class of plain objects), the input is
grey and the residual stages are shorter. A plate of 10 pixels' width is one cell of the original's finest grid
(stride 8), so one more scale of stride 4 follows the same pattern; it costs an eighth of the time.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from tools.training.common.rounding import Point

STRIDES = (4, 8, 16, 32)
ANCHORS_PER_SCALE = 3


def conv(inputs: int, outputs: int, kernel: int, stride: int = 1) -> nn.Sequential:
    """Darknet's unit: convolution, batch norm, activation (ReLU, which int8 fuses into the convolution)."""
    return nn.Sequential(
        nn.Conv2d(inputs, outputs, kernel, stride, kernel // 2, bias=False),
        nn.BatchNorm2d(outputs, momentum=0.03, eps=1e-3),
        nn.ReLU(inplace=True),
    )


class Residual(nn.Module):
    """Darknet's residual unit: 1×1 to half the channels, 3×3 back, added to the input."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.squeeze = conv(channels, channels // 2, 1)
        self.expand = conv(channels // 2, channels, 3)

    def forward(self, x: Tensor) -> Tensor:
        refined: Tensor = x + self.expand(self.squeeze(x))
        return refined


def stage(inputs: int, outputs: int, residuals: int) -> nn.Sequential:
    """Halve the resolution, then refine by residual units."""
    return nn.Sequential(conv(inputs, outputs, 3, 2), *(Residual(outputs) for _ in range(residuals)))


class Head(nn.Module):
    """One scale's neck and its raw predictions."""

    def __init__(self, inputs: int, width: int, predictions: int) -> None:
        super().__init__()
        self.neck = nn.Sequential(conv(inputs, width, 1), conv(width, 2 * width, 3), conv(2 * width, width, 1))
        self.predict = nn.Sequential(conv(width, 2 * width, 3), nn.Conv2d(2 * width, predictions, 1))

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
        features = self.neck(x)
        return features, self.predict(features)


def rare_objects(predict: nn.Module, classes: int) -> None:
    """Start from "hardly any cell holds an object", or the first steps go into learning just that."""
    assert isinstance(predict, nn.Conv2d) and predict.bias is not None  # noqa: S101 - for the type checker
    nn.init.normal_(predict.weight, std=0.01)
    with torch.no_grad():
        bias = predict.bias.view(ANCHORS_PER_SCALE, 5 + classes)
        bias.zero_()
        bias[:, 4] = -6.0


class YoloV3(nn.Module):
    """Grey pictures float32 (N, 1, H, W) in 0..1, H and W multiples of 32, to raw logits per stride 4, 8, 16, 32.

    Each output is (N, 3 * (5 + classes), H / stride, W / stride), anchor-major, per anchor
    (tx, ty, tw, th, objectness, classes).
    """

    strides = STRIDES

    def __init__(
        self,
        classes: int = 1,
        widths: tuple[int, ...] = (16, 40, 80, 160, 256),
        residuals: tuple[int, ...] = (1, 2, 3, 2),
        finest: int = 32,
    ) -> None:
        super().__init__()
        self.options = {"classes": classes, "widths": widths, "residuals": residuals, "finest": finest}
        w = widths
        predictions = ANCHORS_PER_SCALE * (5 + classes)
        self.stem = conv(1, w[0], 5, 2)
        self.stage4 = stage(w[0], w[1], residuals[0])
        self.stage8 = stage(w[1], w[2], residuals[1])
        self.stage16 = stage(w[2], w[3], residuals[2])
        self.stage32 = stage(w[3], w[4], residuals[3])
        self.head32 = Head(w[4], w[3], predictions)
        self.lateral16 = conv(w[3], w[2], 1)
        self.head16 = Head(w[3] + w[2], w[2], predictions)
        self.lateral8 = conv(w[2], w[1], 1)
        self.head8 = Head(w[2] + w[1], w[1], predictions)
        self.lateral4 = conv(w[1], finest, 1)
        self.head4 = Head(w[1] + finest, finest, predictions)
        for head in (self.head4, self.head8, self.head16, self.head32):
            rare_objects(head.predict[1], classes)
        self.upsample = nn.Upsample(scale_factor=2, mode="nearest")

    def forward(self, image: Tensor) -> tuple[Tensor, Tensor, Tensor, Tensor]:
        c4 = self.stage4(self.stem(image))
        c8 = self.stage8(c4)
        c16 = self.stage16(c8)
        f32, p32 = self.head32(self.stage32(c16))
        f16, p16 = self.head16(torch.cat([c16, self.upsample(self.lateral16(f32))], 1))
        f8, p8 = self.head8(torch.cat([c8, self.upsample(self.lateral8(f16))], 1))
        _, p4 = self.head4(torch.cat([c4, self.upsample(self.lateral4(f8))], 1))
        return p4, p8, p16, p32

    def joins(self) -> dict[str, int]:
        """Layers whose input is two joined feature maps, with the channels of the first."""
        w = self.options["widths"]
        assert isinstance(w, tuple)  # noqa: S101 - for the type checker
        return {f"head{stride}.neck.0.0": w[level] for stride, level in ((16, 3), (8, 2), (4, 1))}

    def points(self) -> list[Point]:
        """Where the int8 file rounds: after each activation, each residual's sum, and where two maps are joined."""
        operators = {nn.ReLU: "Relu", Residual: "Add"}
        after = [Point(operators[type(m)], name) for name, m in self.named_modules() if type(m) in operators]
        joined = [Point("Concat", name.split(".")[0], enters=True) for name in self.joins()]
        return [*after, *joined]

    def float_layers(self) -> list[str]:
        """The last convolution of each scale, which the int8 file keeps in float32: its logits span too wide."""
        return [f"head{stride}.predict.1" for stride in STRIDES]
