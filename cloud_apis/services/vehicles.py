"""Vehicles: what the workers of `/vehicles`, `/colors`, `/make-model` and `/vehicle-report` do with a request."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from cloud_apis.annotate import annotate_vehicles
from cloud_apis.attributes.classifier import Classifier
from cloud_apis.attributes.preprocess import crop_of
from cloud_apis.contract.plates import PlateRead
from cloud_apis.contract.vehicles import (
    COLOURS_TOLD,
    TYPES_TOLD,
    Guess,
    ReportedVehicle,
    VehicleAttributes,
    VehicleBox,
)
from cloud_apis.images import decode_bgr, encode_jpeg, inspect
from cloud_apis.reader import Reader
from cloud_apis.services.plates import grey_of, read_plates
from cloud_apis.vehicles.detector import VehicleDetector
from cloud_apis.yolov3.detector import Detector

MOST_VEHICLES = 32
"""So many vehicles of a picture are looked at, the largest first; the others are only found."""
# Of these, colours and one's own classes are told only: makes and models were learnt on vehicles with four wheels.
_COLOUR_ONLY = frozenset({"motorcycle"})


@dataclass(frozen=True, slots=True)
class LookRequest:
    """An encoded picture that one vehicle fills, and how many makes and models are to be named."""

    data: bytes
    top_k: int


@dataclass(frozen=True, slots=True)
class ReportRequest:
    """An encoded picture whose vehicles are to be described, with so many makes and models, and drawn if
    `annotated`."""

    data: bytes
    annotated: bool
    top_k: int = 5


@dataclass(frozen=True, slots=True)
class Report:
    """The vehicles of a picture, the plates that belong to none, and the picture with them as JPEG if asked for."""

    vehicles: tuple[ReportedVehicle, ...]
    plates: tuple[PlateRead, ...]
    jpeg: bytes | None = None


def find_vehicles(finder: VehicleDetector, data: bytes) -> tuple[VehicleBox, ...]:
    """The vehicles of an encoded picture, best first; raises `ApiError`."""
    return finder.find(decode_bgr(data, inspect(data)))


def tell_colours(classifier: Classifier, data: bytes) -> tuple[Guess, ...]:
    """The likeliest colours of the car in the middle of an encoded picture; raises `ApiError`."""
    return classifier.colours(decode_bgr(data, inspect(data)), COLOURS_TOLD)


def look(classifier: Classifier, request: LookRequest) -> VehicleAttributes:
    """What the vehicle that fills an encoded picture looks like; raises `ApiError`."""
    return classifier.classify(decode_bgr(request.data, inspect(request.data)), guesses_needed(request.top_k))


def guesses_needed(top_k: int) -> int:
    """How many guesses of each head an answer may name: `top_k` is about makes and models, not about colours."""
    return max(top_k, COLOURS_TOLD, TYPES_TOLD)


class Reporter:
    """Describes all vehicles of a picture. The branch of the plates runs beside that of the vehicles."""

    def __init__(
        self,
        finder: VehicleDetector,
        classifier: Classifier,
        detector: Detector,
        reader: Reader,
        workers: int = 1,
    ) -> None:
        self._finder, self._classifier = finder, classifier
        self._detector, self._reader = detector, reader
        self._branches = ThreadPoolExecutor(workers, thread_name_prefix="plates")

    def close(self) -> None:
        """End the threads of the branches."""
        self._branches.shutdown(wait=False, cancel_futures=True)

    def report(self, request: ReportRequest) -> Report:
        """Vehicles, largest first, with their plates; raises `ApiError`."""
        picture = decode_bgr(request.data, inspect(request.data))
        grey = grey_of(picture)
        reading = self._branches.submit(read_plates, self._detector, self._reader, grey)
        try:
            vehicles = self._describe(picture, request.top_k)
        finally:
            plates = reading.result()
        owned = with_plates(vehicles, plates)
        others = tuple(plate for plate in plates if not any(plate in vehicle.plates for vehicle in owned))
        drawn = encode_jpeg(annotate_vehicles(picture, owned, others)) if request.annotated else None
        return Report(owned, others, drawn)

    def _describe(self, picture: NDArray[np.uint8], top_k: int) -> list[ReportedVehicle]:
        boxes = sorted(self._finder.find(picture), key=_area, reverse=True)
        needed = guesses_needed(top_k)
        looked = [self._classifier.classify(vehicle_crop(picture, box), needed) for box in boxes[:MOST_VEHICLES]]
        looked += [VehicleAttributes((), (), (), ())] * (len(boxes) - len(looked))
        return [_described(box, attributes) for box, attributes in zip(boxes, looked, strict=True)]


def _described(box: VehicleBox, attributes: VehicleAttributes) -> ReportedVehicle:
    if box.kind in _COLOUR_ONLY:
        attributes = VehicleAttributes(attributes.colours, (), (), (), classes=attributes.classes)
    return ReportedVehicle(box, attributes)


def with_plates(vehicles: Sequence[ReportedVehicle], plates: Collection[PlateRead]) -> tuple[ReportedVehicle, ...]:
    """The vehicles, each with the plates whose centre lies in its box and in that of no smaller vehicle."""
    owners: dict[int, list[PlateRead]] = {}
    for plate in plates:
        x, y = (plate.box.xmin + plate.box.xmax) / 2, (plate.box.ymin + plate.box.ymax) / 2
        around = [
            i
            for i, vehicle in enumerate(vehicles)
            if vehicle.box.xmin <= x <= vehicle.box.xmax and vehicle.box.ymin <= y <= vehicle.box.ymax
        ]
        if around:
            owners.setdefault(min(around, key=lambda i: _area(vehicles[i].box)), []).append(plate)
    return tuple(replace(vehicle, plates=tuple(owners.get(i, ()))) for i, vehicle in enumerate(vehicles))


def vehicle_crop(picture: NDArray[np.uint8], box: VehicleBox) -> NDArray[np.uint8]:
    """The part of a picture, uint8 BGR (height, width, 3), that the classifier looks at; a view."""
    return crop_of(picture, (box.xmin, box.ymin, box.xmax, box.ymax))


def _area(box: VehicleBox) -> float:
    return (box.xmax - box.xmin) * (box.ymax - box.ymin)
