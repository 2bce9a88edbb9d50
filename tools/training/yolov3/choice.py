"""The detector networks that can be trained, by name."""

from __future__ import annotations

from typing import Final

from tools.training.darknet.darknet53 import darknet53
from tools.training.darknet.network import DarknetNetwork
from tools.training.yolov3.network import YoloV3

NETWORKS: Final = ("slim", "darknet53")
"""The slim one is what is served; Darknet-53 is the original's size: 62 million weights, for a GPU."""


def build(name: str) -> YoloV3 | DarknetNetwork:
    """A new network for grey pictures and one class; raises ValueError for a name that is not among `NETWORKS`."""
    match name:
        case "slim":
            return YoloV3()
        case "darknet53":
            return darknet53()
        case _:
            raise ValueError(f"there is no network {name!r}; there are {', '.join(NETWORKS)}")
