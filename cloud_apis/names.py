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
    VEHICLES = "vehicles"
    COLOURS = "colors"
    MAKE_MODEL = "make-model"
    REPORT = "vehicle-report"


PLATE_APIS: Final = (Api.YOLOV3, Api.CRNN, Api.READER)
"""The APIs about plates, which the dashcam needs."""
MODELS_OF: Final[Mapping[Api, tuple[str, ...]]] = {
    Api.YOLOV3: ("yolov3",),
    Api.CRNN: ("craft", "crnn"),
    Api.READER: ("yolov3", "craft", "crnn"),
    Api.VEHICLES: ("vehicles",),
    Api.COLOURS: ("attributes",),
    Api.MAKE_MODEL: ("attributes",),
    Api.REPORT: ("vehicles", "attributes", "yolov3", "craft", "crnn"),
}
