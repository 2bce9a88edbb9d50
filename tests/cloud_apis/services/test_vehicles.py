from __future__ import annotations

import numpy as np
import pytest

from cloud_apis.contract import PlateBox, PlateRead
from cloud_apis.contract.vehicles import ReportedVehicle, VehicleAttributes, VehicleBox
from cloud_apis.services.vehicles import vehicle_crop, with_plates

NOTHING = VehicleAttributes((), (), (), ())


def vehicle(xmin: float, ymin: float, xmax: float, ymax: float) -> ReportedVehicle:
    return ReportedVehicle(VehicleBox(xmin, ymin, xmax, ymax, "car", 0.9), NOTHING)


def plate(x: float, y: float) -> PlateRead:
    return PlateRead(PlateBox(x - 5, y - 2, x + 5, y + 2, 0.9, (0.9,)), ())


def test_a_plate_belongs_to_the_smallest_vehicle_around_its_centre() -> None:
    truck, car = vehicle(0, 0, 300, 200), vehicle(50, 60, 150, 160)
    of_car, of_truck, of_none = plate(100, 140), plate(250, 190), plate(400, 100)
    owned = with_plates([truck, car], [of_car, of_truck, of_none])
    assert [v.plates for v in owned] == [(of_truck,), (of_car,)]
    assert [v.box for v in owned] == [truck.box, car.box]


def test_the_crop_has_room_around_the_vehicle_within_the_picture() -> None:
    picture = np.arange(200 * 300 * 3, dtype=np.uint32).reshape(200, 300, 3).astype(np.uint8)
    inner = vehicle_crop(picture, VehicleBox(100, 50, 200, 150, "car", 1))
    assert inner.shape[0] > 100 < inner.shape[1]
    whole = vehicle_crop(picture, VehicleBox(0, 0, 300, 200, "car", 1))
    assert whole.shape == picture.shape


@pytest.mark.parametrize("box", [(0, 0, 0.2, 0.2), (299.9, 199.9, 300, 200), (0, 0, 300, 0.1)])
def test_a_crop_is_never_empty(box: tuple[float, float, float, float]) -> None:
    picture = np.zeros((200, 300, 3), np.uint8)
    crop = vehicle_crop(picture, VehicleBox(*box, "car", 1))
    assert crop.size > 0
