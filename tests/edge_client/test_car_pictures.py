from __future__ import annotations

import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cloud_apis.contract import PlateBox
from edge_client.car_pictures import CarPicture, car_of, car_picture
from edge_client.config import VehicleSettings
from edge_client.types import Vehicle
from tests.edge_client.reports import described

SETTINGS = VehicleSettings()
PICTURE = CarPicture(b"", 200.0, 250.0)


def plate(x: float, y: float, width: float) -> PlateBox:
    return PlateBox(x - width / 2, y - width / 8, x + width / 2, y + width / 8, 0.9, (0.9,))


@given(st.floats(0, 640), st.floats(0, 360), st.floats(20, 300))
def test_the_plate_is_where_the_picture_says(x: float, y: float, width: float) -> None:
    frame = np.zeros((360, 640, 3), np.uint8)
    frame[:, :, 2] = 90
    cv2.circle(frame, (round(x), round(y)), 12, (255, 255, 255), -1)
    cut = car_picture(frame, plate(x, y, width), SETTINGS)
    image = cv2.imdecode(np.frombuffer(cut.jpeg, np.uint8), cv2.IMREAD_COLOR)
    assert image is not None
    assert max(image.shape[:2]) <= SETTINGS.max_side_px
    row, column = min(int(cut.plate_y), image.shape[0] - 1), min(int(cut.plate_x), image.shape[1] - 1)
    assert image[row, column].min() > 180
    assert image[..., 2].mean() > 60  # colours are colours


def test_a_large_car_is_reduced_and_cut_about_its_plate() -> None:
    cut = car_picture(np.zeros((1080, 1920, 3), np.uint8), plate(960, 600, 120), SETTINGS)
    image = cv2.imdecode(np.frombuffer(cut.jpeg, np.uint8), cv2.IMREAD_COLOR)
    assert image is not None
    assert image.shape == pytest.approx((416, 416, 3), abs=2)
    assert (cut.plate_x, cut.plate_y) == pytest.approx((208, 270), abs=2)  # more of it above: plates sit low


def test_the_smallest_vehicle_about_the_plate_is_its_car() -> None:
    around = described((0, 0, 400, 400), colour=("white", 0.9), make=None, model=None, kind="truck")
    own = described((120, 120, 280, 245))  # its box ends just above the plate
    beside = described((290, 200, 320, 300), colour=("blue", 0.9))
    assert car_of(PICTURE, [around, own, beside], 0.5) == Vehicle(
        "car", "hatchback", "red", "suzuki", "swift", 0.8, 0.9, 0.7, 0.7
    )
    assert car_of(PICTURE, [beside], 0.5) is None
    assert car_of(PICTURE, [], 0.5) is None


@pytest.mark.parametrize(
    ("looks", "title"),
    [
        ({}, "red Suzuki Swift"),
        ({"model": None}, "red Suzuki"),
        ({"make": None, "model": None}, "red hatchback"),
        ({"make": None, "model": None, "type_": ("suv", 0.4)}, "red car"),
        ({"make": None, "model": None, "type_": ("suv", 0.4), "kind": "motorcycle"}, "red motorcycle"),
        ({"colour": ("red", 0.4), "chance": 0.45}, "hatchback"),
        ({"colour": ("red", 0.4), "type_": ("suv", 0.4), "chance": 0.45}, ""),
    ],
)
def test_what_is_not_likely_enough_is_not_named(looks: dict[str, object], title: str) -> None:
    car = car_of(PICTURE, [described((0, 0, 400, 400), **looks)], 0.5)  # type: ignore[arg-type]
    assert car is not None
    assert (car.title, car.known) == (title, bool(title))
