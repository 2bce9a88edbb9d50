"""The picture of a whole frame that is sent, and which of the vehicles found in it can be told."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache, partial

import numpy as np
import simplejpeg

from cloud_apis.contract.vehicles import ReportedVehicle
from edge_client.car_pictures import encoded, named_looks, reduced
from edge_client.config import VehicleSettings
from edge_client.tracking.motion import PLATE_SLACK, holds
from edge_client.tracking.plateless import Sight
from edge_client.types import Image

_NO_CAR = "motorcycle"
_LEAST_SCORE = 0.5
_LEAST_PX = 80.0
"""Vehicles that are narrower in the picture that was sent cannot be told well."""
_EDGE_PX = 2.0
_CUT = 0.25  # what a car that the frame's edge cuts is worth beside one of the same size

_Corners = tuple[float, float, float, float]


@dataclass(frozen=True, slots=True, eq=False)
class FramePicture:
    """A whole frame as a colour JPEG of that size, and how many of the frame's pixels one of its own is wide."""

    jpeg: bytes
    width_px: int
    height_px: int
    scale: float


def frame_picture(image: Image, settings: VehicleSettings) -> FramePicture:
    """A whole frame, uint8 BGR (height, width, 3), reduced to at most the set size."""
    whole, factor = reduced(image, settings.view_side_px)
    return FramePicture(encoded(whole, settings), whole.shape[1], whole.shape[0], 1.0 / factor)


def sights_in(
    picture: FramePicture,
    found: Sequence[ReportedVehicle],
    plates: Sequence[tuple[float, float]],
    settings: VehicleSettings,
) -> list[Sight[bytes]]:
    """The cars of a frame that are sure and large enough; shapes are in the frame's pixels, pictures are JPEGs.

    ``plates`` are the centres of the plates that are known in it. A car that has none of them and of which nothing is
    known is left out.
    """

    @cache
    def image() -> Image:
        return np.asarray(simplejpeg.decode_jpeg(picture.jpeg, colorspace="BGR"), np.uint8)

    sights = [_sight(picture, vehicle, plates, settings, image) for vehicle in found]
    return [sight for sight in sights if sight is not None and (sight.plated or sight.vehicle.known)]


def _sight(
    picture: FramePicture,
    vehicle: ReportedVehicle,
    plates: Sequence[tuple[float, float]],
    settings: VehicleSettings,
    image: Callable[[], Image],
) -> Sight[bytes] | None:
    box = vehicle.box
    left, right = max(box.xmin, 0.0), min(box.xmax, float(picture.width_px))
    top, bottom = max(box.ymin, 0.0), min(box.ymax, float(picture.height_px))
    width, height = right - left, bottom - top
    if box.kind == _NO_CAR or box.score < _LEAST_SCORE or width < _LEAST_PX or height < 1.0:
        return None
    x, y, wide, high = (picture.scale * n for n in ((left + right) / 2, (top + bottom) / 2, width, height))
    shape = x, y, wide, high
    cut = min(left, top, picture.width_px - right, picture.height_px - bottom) < _EDGE_PX
    return Sight(
        shape,
        named_looks(vehicle, settings.min_confidence),
        width * height * (_CUT if cut else 1.0),
        partial(_part, image, (left, top, right, bottom), settings),
        any(holds(shape, *plate, PLATE_SLACK) for plate in plates),
    )


def _part(image: Callable[[], Image], corners: _Corners, settings: VehicleSettings) -> bytes:
    left, top, right, bottom = corners
    return encoded(image()[int(top) : int(bottom), int(left) : int(right)], settings)
