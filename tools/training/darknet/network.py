"""A network built from a plan, to train, to convert or to measure."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from tools.training.darknet.layers import Convolutional, Layer, Maxpool, Nothing, Plan, Route, Shortcut, Upsample, Yolo

# Darknet adds it to the deviation or, in later forks, to the variance; the difference is below float32's own.
NORMALISATION_EPSILON = 1e-6
LEAKY_SLOPE = 0.1
LOGIT_LIMIT = 1e-4


class DarknetNetwork(nn.Module):
    """Pictures float32 (N, C, H, W) in 0..1, H and W multiples of 32, to the raw logits of each scale, finest first.

    C is the plan's ``input_channels``. Each output is (N, 3 * (5 + classes), H / stride, W / stride), anchor-major,
    per anchor (tx, ty, tw, th, objectness, classes): Darknet's own order, which is that of our APIs.
    """

    def __init__(self, plan: Plan) -> None:
        super().__init__()
        self.plan = plan
        self.strides = tuple(yolo.stride for yolo in plan.scales())
        self.layers = nn.ModuleList(_module(layer) for layer in plan.layers)

    def forward(self, image: Tensor) -> tuple[Tensor, ...]:
        done: list[Tensor] = []
        scales: dict[int, Tensor] = {}
        x = image
        for layer, module in zip(self.plan.layers, self.layers, strict=True):
            match layer:
                case Shortcut(others=others):
                    for other in others:
                        x = x + done[other]
                    x = module(x)
                case Route(places=places):
                    parts = [_part(done[place], layer) for place in places]
                    x = torch.cat(parts, 1) if len(parts) > 1 else parts[0]
                case Yolo(stride=stride):
                    scales[stride] = _plain_centres(x, layer)
                case _:
                    x = module(x)
            done.append(x)
        return tuple(scales[stride] for stride in self.strides)


def convolutions(network: DarknetNetwork) -> list[nn.Sequential]:
    """The convolutional layers (convolution, normalisation or nothing, activation) in the .weights file's order."""
    pairs = zip(network.plan.layers, network.layers, strict=True)
    return [m for layer, m in pairs if isinstance(layer, Convolutional) and isinstance(m, nn.Sequential)]


def _module(layer: Layer) -> nn.Module:
    match layer:
        case Convolutional():
            convolution = nn.Conv2d(
                layer.inputs, layer.channels, layer.size, layer.stride, layer.padding,
                groups=layer.groups, bias=not layer.normalised,
            )  # fmt: skip
            nn.init.kaiming_normal_(convolution.weight, LEAKY_SLOPE)
            norm = nn.BatchNorm2d(layer.channels, eps=NORMALISATION_EPSILON) if layer.normalised else nn.Identity()
            return nn.Sequential(convolution, norm, _activation(layer.activation))
        case Maxpool(before=before, after=after):
            pool = nn.MaxPool2d(layer.size, layer.stride)
            # Every window holds a cell of its nearest edge, so repeating edges adds nothing to the largest.
            return nn.Sequential(nn.ReplicationPad2d((before, after) * 2), pool) if before or after else pool
        case Upsample(factor=factor):
            return nn.Upsample(scale_factor=factor, mode="nearest")
        case Shortcut(activation=activation):
            return _activation(activation)
        case Route() | Yolo() | Nothing():
            return nn.Identity()


def _activation(name: str) -> nn.Module:
    return {
        "linear": nn.Identity(),
        "leaky": nn.LeakyReLU(LEAKY_SLOPE),
        "relu": nn.ReLU(),
        "mish": nn.Mish(),
        "logistic": nn.Sigmoid(),
        "swish": nn.SiLU(),
    }[name]


def _part(x: Tensor, route: Route) -> Tensor:
    if route.groups == 1:
        return x
    width = x.shape[1] // route.groups
    return x[:, route.group * width : (route.group + 1) * width]


def _plain_centres(x: Tensor, yolo: Yolo) -> Tensor:
    """Logits whose plain sigmoid is the stretched one (``scale_x_y``) of YOLOv4, cut at the cell's edge."""
    if yolo.scale_xy == 1.0:
        return x
    parts = []
    for start in range(0, yolo.channels, yolo.channels // len(yolo.anchors)):
        centre = yolo.scale_xy * x[:, start : start + 2].sigmoid() - (yolo.scale_xy - 1) / 2
        centre = centre.clamp(LOGIT_LIMIT, 1 - LOGIT_LIMIT)
        parts += [torch.log(centre / (1 - centre)), x[:, start + 2 : start + yolo.channels // len(yolo.anchors)]]
    return torch.cat(parts, 1)
