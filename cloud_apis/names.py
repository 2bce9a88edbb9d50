"""The APIs by name, and the models that each needs."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from typing import Final


class Api(StrEnum):
    """The APIs that an application can offer."""

    YOLOV3 = "yolov3"
    CRNN = "crnn"
    READER = "license-plate-reader"


MODELS_OF: Final[Mapping[Api, tuple[str, ...]]] = {
    Api.YOLOV3: ("yolov3",),
    Api.CRNN: ("craft", "crnn"),
    Api.READER: ("yolov3", "craft", "crnn"),
}
