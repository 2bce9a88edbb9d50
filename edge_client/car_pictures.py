"""The picture of a car that is sent, cut from a frame about its plate, and which found vehicle is that car."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np
import simplejpeg

from cloud_apis.contract import PlateBox
from cloud_apis.contract.vehicles import Guess, ReportedVehicle
from edge_client.config import VehicleSettings
from edge_client.tracking.motion import PLATE_SLACK, Shape, holds
from edge_client.types import Image, Vehicle

_ABOVE = 0.65
"""Part of the picture above the plate: plates sit low."""
_UNNAMED = "car"


@dataclass(frozen=True, slots=True, eq=False)
class CarPicture:
    """A colour JPEG, and the centre of the plate in its pixels."""

    jpeg: bytes
    plate_x: float
    plate_y: float


def car_picture(image: Image, box: PlateBox, settings: VehicleSettings) -> CarPicture:
    """What is about a plate in a frame, uint8 BGR (height, width, 3), reduced to at most the set size."""
    height, width = image.shape[:2]
    side = settings.crop_widths * (box.xmax - box.xmin)
    x, y = (box.xmin + box.xmax) / 2, (box.ymin + box.ymax) / 2
    left, right = max(int(x - side / 2), 0), min(int(x + side / 2) + 1, width)
    top, bottom = max(int(y - side * _ABOVE), 0), min(int(y + side * (1 - _ABOVE)) + 1, height)
    part = image[top:bottom, left:right]
    part, factor = reduced(part, settings.max_side_px)
    return CarPicture(encoded(part, settings), (x - left) * factor, (y - top) * factor)


def reduced(image: Image, side_px: int) -> tuple[Image, float]:
    """The picture with no side longer than that, and by what its sides were multiplied, at most 1."""
    factor = min(side_px / max(image.shape[:2]), 1.0)
    if factor < 1.0:
        size = max(round(image.shape[1] * factor), 1), max(round(image.shape[0] * factor), 1)
        image = np.asarray(cv2.resize(image, size, interpolation=cv2.INTER_AREA), np.uint8)
    return image, factor


def encoded(image: Image, settings: VehicleSettings) -> bytes:
    """The picture as a colour JPEG."""
    whole = np.ascontiguousarray(image)
    return bytes(simplejpeg.encode_jpeg(whole, quality=settings.jpeg_quality, colorspace="BGR"))


def car_of(picture: CarPicture, found: Sequence[ReportedVehicle], min_confidence: float) -> Vehicle | None:
    """What the vehicle looks like that has the plate: the smallest one about its centre; None where there is none."""
    around = [vehicle for vehicle in found if _has(vehicle, picture.plate_x, picture.plate_y)]
    if not around:
        return None
    return named_looks(min(around, key=_area), min_confidence)


def _has(vehicle: ReportedVehicle, x: float, y: float) -> bool:
    return holds(_shape(vehicle), x, y, PLATE_SLACK)


def _shape(vehicle: ReportedVehicle) -> Shape:
    box = vehicle.box
    return (box.xmin + box.xmax) / 2, (box.ymin + box.ymax) / 2, box.xmax - box.xmin, box.ymax - box.ymin


def _area(vehicle: ReportedVehicle) -> float:
    _, _, width, height = _shape(vehicle)
    return width * height


def named_looks(vehicle: ReportedVehicle, least: float) -> Vehicle:
    """What is likely enough; the API's own judgement of makes and models counts besides."""
    looks, box = vehicle.attributes, vehicle.box
    colour, colour_chance = _likely(looks.colours, least)
    type_, type_chance = _likely(looks.types, least)
    if not type_ and box.kind != _UNNAMED and box.score >= least:
        type_, type_chance = box.kind, box.score
    make, make_chance = _likely(looks.makes, least) if looks.make else ("", 0.0)
    model, model_chance = _likely(looks.models, least) if looks.model and make else ("", 0.0)
    return Vehicle(box.kind, type_, colour, make, model, type_chance, colour_chance, make_chance, model_chance)


def _likely(guesses: Sequence[Guess], least: float) -> tuple[str, float]:
    best = guesses[0] if guesses else Guess("", 0.0)
    return (best.label, best.probability) if best.probability >= least else ("", 0.0)
