"""MobileNetV2 and ResNet34 as backbones, by torchvision, which only those who choose them need."""

from __future__ import annotations

from typing import Final

import torch
from torch import Tensor, nn

MEANS: Final = (0.485, 0.456, 0.406)
DEVIATIONS: Final = (0.229, 0.224, 0.225)


class VisionBackbone(nn.Module):
    """A classification network of torchvision without its last layer.

    Pictures are float32 (N, 3, H, W), RGB as (value - 127) / 128, like those of the other backbones; these networks'
    own scale is made of it here.
    """

    mean: Tensor
    deviation: Tensor

    def __init__(self, name: str) -> None:
        super().__init__()
        try:
            from torchvision import models
        except ImportError as error:
            raise ValueError(f"{name} needs torchvision: pip install torchvision, fitting your torch") from error
        whole = getattr(models, name)(weights=None)
        self._name = name
        if name == "resnet34":
            children = list(whole.children())[:-2]
            self.parts = nn.ModuleList([nn.Sequential(*children[:4]), *(b for layer in children[4:] for b in layer)])
            self.features = int(whole.fc.in_features)
        else:
            self.parts = nn.ModuleList(list(whole.features))
            self.features = int(whole.last_channel)
        self.register_buffer("mean", torch.tensor(MEANS).view(1, 3, 1, 1), persistent=False)
        self.register_buffer("deviation", torch.tensor(DEVIATIONS).view(1, 3, 1, 1), persistent=False)

    def forward(self, image: Tensor) -> Tensor:
        x = ((image * 128 + 127) / 255 - self.mean) / self.deviation
        for part in self.parts:
            x = part(x)
        return x

    def layers(self) -> list[list[nn.Parameter]]:
        """The weights from the input on, in groups that learn at rates of their own."""
        return [list(part.parameters()) for part in self.parts]

    def train(self, mode: bool = True) -> VisionBackbone:
        """As usual, but batch norm's statistics stay those of the pretraining."""
        super().train(mode)
        for module in self.modules():
            if isinstance(module, nn.BatchNorm2d):
                module.eval()
        return self

    def load_pretrained(self, weights: dict[str, Tensor]) -> None:
        """Take torchvision's weights by their order, the last layer's left out; raises ValueError if they differ."""
        given = [value for name, value in weights.items() if not name.startswith(("fc.", "classifier."))]
        own = self.state_dict()
        if [tuple(v.shape) for v in given] != [tuple(v.shape) for v in own.values()]:
            raise ValueError(f"the weights are not those of torchvision's {self._name}")
        self.load_state_dict(dict(zip(own, given, strict=True)))
