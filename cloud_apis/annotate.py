"""Drawing reads into a picture."""

from __future__ import annotations

from collections.abc import Sequence

import cv2
import numpy as np
from numpy.typing import NDArray

from cloud_apis.contract import PlateBox, PlateRead, plate_text
from cloud_apis.contract.vehicles import ReportedVehicle, VehicleBox

_COLOUR = (64, 200, 32)  # BGR
_VEHICLE = (200, 112, 24)
_INK = (255, 255, 255)
_Box = PlateBox | VehicleBox
_FONT = cv2.FONT_HERSHEY_SIMPLEX


def annotate(picture: NDArray[np.uint8], plates: Sequence[PlateRead]) -> NDArray[np.uint8]:
    """A copy of the picture, uint8 BGR (height, width, 3), with a box and the text at each plate."""
    drawn = picture.copy()
    for plate in plates:
        _draw(drawn, plate.box, plate_text(plate.words), _COLOUR)
    return drawn


def annotate_vehicles(
    picture: NDArray[np.uint8], vehicles: Sequence[ReportedVehicle], plates: Sequence[PlateRead]
) -> NDArray[np.uint8]:
    """A copy of the picture, uint8 BGR (height, width, 3), with a box and a name at each vehicle, and all plates.

    ``plates`` are those that belong to no vehicle.
    """
    drawn = picture.copy()
    for vehicle in vehicles:
        _draw(drawn, vehicle.box, vehicle_name(vehicle), _VEHICLE)
    return annotate(drawn, [*(plate for vehicle in vehicles for plate in vehicle.plates), *plates])


def vehicle_name(vehicle: ReportedVehicle) -> str:
    """A vehicle in a few words, such as "red Suzuki Alto" or "white truck"."""
    looks = vehicle.attributes
    colour = looks.colours[0].label if looks.colours else None
    named = [looks.make, looks.model] if looks.make else [vehicle.box.kind]
    return " ".join(word for word in (colour, *named) if word)


def _draw(drawn: NDArray[np.uint8], box: _Box, text: str, colour: tuple[int, int, int]) -> None:
    height, width = drawn.shape[:2]
    line = max(1, round(max(height, width) / 480))
    scale = max(0.4, max(height, width) / 1400)
    low = (round(box.xmin), round(box.ymin))
    high = (round(box.xmax), round(box.ymax))
    cv2.rectangle(drawn, low, high, colour, line, cv2.LINE_AA)
    if text:
        _label(drawn, text, low, high, scale, line, colour)


def _label(
    drawn: NDArray[np.uint8],
    text: str,
    low: tuple[int, int],
    high: tuple[int, int],
    scale: float,
    line: int,
    colour: tuple[int, int, int],
) -> None:
    (text_width, text_height), descent = cv2.getTextSize(text, _FONT, scale, line)
    margin = max(2, text_height // 3)
    tall = text_height + descent + 2 * margin
    wide = text_width + 2 * margin
    # Above the box where there is room, else below it; never out at the sides.
    top = low[1] - tall if low[1] >= tall else max(0, min(high[1], drawn.shape[0] - tall))
    left = max(0, min(low[0], drawn.shape[1] - wide))
    cv2.rectangle(drawn, (left, top), (left + wide, top + tall), colour, cv2.FILLED)
    origin = (left + margin, top + margin + text_height)
    cv2.putText(drawn, text, origin, _FONT, scale, _INK, line, cv2.LINE_AA)
