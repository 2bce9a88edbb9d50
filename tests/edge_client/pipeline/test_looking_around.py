"""Looks around within the reading of a drive: when they are asked for, and what becomes of their answers."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import cv2
import numpy as np
import pytest

from cloud_apis.contract import PlateBox
from cloud_apis.contract.vehicles import ReportedVehicle
from edge_client.config_file import load_settings
from edge_client.pipeline.events import CarDescribed, LookedAround, NoReport, SentLook, Ticket
from edge_client.pipeline.plate_reading import PlateReading
from edge_client.types import Fix, Frame, Image, TrackedBox, TrackRead, UtcSource
from tests.edge_client.pipeline.test_plate_reading import START, words
from tests.edge_client.reports import described

WIDE, HIGH = 1280, 720
HERE = (200.0, 150.0, 400.0, 300.0)
"""A car in the picture that is sent, which is three quarters of the frame."""
PLATE = PlateBox(360.0, 350.0, 440.0, 370.0, 0.9, (0.95,))
"""The plate of that car, in the frame."""


ELSEWHERE = PlateBox(1100.0, 600.0, 1180.0, 620.0, 0.9, (0.95,))


def frame_image() -> Image:
    """A red car, and something sharp where plates are."""
    image = np.full((HIGH, WIDE, 3), 60, np.uint8)
    left, top, right, bottom = (round(n * WIDE / 960) for n in HERE)
    image[top:bottom, left:right] = (20, 20, 220)
    for plate in (PLATE, ELSEWHERE):
        image[int(plate.ymin) : int(plate.ymax), int(plate.xmin) : int(plate.xmax)] = np.random.default_rng(3).integers(
            0, 255, (20, 80, 3)
        )
    return image


IMAGE = frame_image()


def reading(**sections: dict[str, object]) -> PlateReading:
    vehicles = {"wait_s": 0.0, **sections.pop("vehicles", {})}
    return PlateReading("drive", load_settings(None, {"vehicles": vehicles, **sections}), cars=True)


def ticket(seconds: float, *plates: PlateBox, track: int = 1, detected: bool = True) -> Ticket:
    fix = Fix(46.0 + seconds, 23.0, None, 100.0, 12.0, 270.0, 8, 0.9)
    frame = Frame(
        round(10 * seconds), IMAGE, 100.0 + seconds, START + timedelta(seconds=seconds), fix, 0.3, UtcSource.GPS
    )
    tracked = tuple(TrackedBox(track + n, box, carried=not detected) for n, box in enumerate(plates))
    return Ticket(frame, seconds, seconds, boxes=plates if detected else None, tracked=tracked)


def look(r: PlateReading, seconds: float, *plates: PlateBox) -> SentLook | None:
    """A frame, with the crops and cars that go before."""
    shown = ticket(seconds, *plates)
    r.see(shown)
    for crop in r.due():
        r.answered([crop], [()])
    while (car := r.car_due()) is not None:
        r.described(CarDescribed(car, ()))
    return r.look_due(shown)


def answer(r: PlateReading, sent: SentLook | None, *found: ReportedVehicle) -> None:
    assert sent is not None
    r.looked(LookedAround(sent, found))


def titles(reads: list[TrackRead]) -> list[str]:
    return [read.vehicle.title for read in reads if read.vehicle is not None and not read.text]


def test_a_car_without_a_plate_is_kept_once_with_its_times_place_and_picture() -> None:
    r = reading()
    answer(r, look(r, 0.0), described(HERE, model=None))
    answer(r, look(r, 5.0), described((180.0, 150.0, 500.0, 390.0)))  # larger: the best picture
    answer(r, look(r, 10.0), described(HERE, make=None, colour=("red", 0.3)))
    r.see(ticket(22.4))
    assert r.end_tracks([]) == []
    r.see(ticket(22.6))
    (read,) = r.end_tracks([])
    assert (read.uid, read.text, read.confidence, read.ended, read.drive) == ("drive-w1", "", 0.0, True, "drive")
    assert read.vehicle is not None and read.vehicle.title == "red Suzuki Swift"
    assert (read.first_seen, read.last_seen) == (START, START + timedelta(seconds=10))
    assert (read.first_monotonic_s, read.last_monotonic_s) == (100.0, 110.0)
    assert (read.latitude_deg, read.speed_mps, read.utc_source) == (51.0, 12.0, UtcSource.GPS)
    picture = cv2.imdecode(np.frombuffer(read.crop_jpeg, np.uint8), cv2.IMREAD_COLOR)
    assert picture is not None
    assert picture.shape == (240, 320, 3)
    assert r.end() == []
    assert r.count == 0
    assert r.cars()["looks"] == 3
    assert (r.cars()["plateless"], r.cars()["plateless_dropped"], r.cars()["without_plate"]) == (1, 0, 0)


def test_the_crop_is_the_car_cut_out_of_a_reduced_picture() -> None:
    r = reading(vehicles={"view_side_px": 640})
    sent = look(r, 0.0)
    assert sent is not None
    whole = cv2.imdecode(np.frombuffer(sent.picture.jpeg, np.uint8), cv2.IMREAD_COLOR)
    assert whole is not None and whole.shape == (360, 640, 3)
    part = tuple(n * 640 / 960 for n in HERE)
    answer(r, sent, described((part[0], part[1], part[2], part[3])))
    (read,) = r.end()
    crop = cv2.imdecode(np.frombuffer(read.crop_jpeg, np.uint8), cv2.IMREAD_COLOR)
    assert crop is not None and crop.shape[:2] == pytest.approx((100, 133), abs=1)
    assert crop.reshape(-1, 3).mean(axis=0) == pytest.approx((20, 20, 220), abs=8)


def test_small_frames_are_sent_as_they_are() -> None:
    r = reading(vehicles={"view_side_px": 4000})
    sent = look(r, 0.0)
    assert sent is not None
    assert (sent.picture.width_px, sent.picture.height_px, sent.picture.scale) == (WIDE, HIGH, 1.0)


def test_a_look_every_so_often_of_frames_whose_plates_are_known() -> None:
    r = reading(vehicles={"look_around_s": 2.0})
    at = []
    for n in range(80):
        shown = ticket(n / 10, detected=n % 3 == 1)
        r.see(shown)
        sent = r.look_due(shown)
        if sent is not None:
            at.append(sent.sighting.frame_number)
            answer(r, sent)
    assert at == [1, 22, 43, 64]


@pytest.mark.parametrize("vehicles", [{"look_around_s": 0.0}, {"store_unread": False}])
def test_no_look_where_nothing_would_be_kept(vehicles: dict[str, object]) -> None:
    r = reading(vehicles=vehicles)
    assert [look(r, 5.0 * n) for n in range(4)] == [None] * 4


@pytest.mark.parametrize(
    ("vehicle", "kept"),
    [
        (described(HERE), True),
        (described(HERE, kind="truck"), True),
        (described(HERE, kind="motorcycle"), False),
        (described((200.0, 150.0, 279.0, 300.0)), False),  # too narrow to be told
        (described((200.0, 150.0, 281.0, 300.0)), True),
        (described((-200.0, 150.0, 79.0, 300.0)), False),  # so is what of it is in the picture
        (described((-200.0, 150.0, 90.0, 300.0)), True),
        (described((900.0, 500.0, 1400.0, 900.0)), False),
        (described((100.0, 600.0, 300.0, 700.0)), False),  # below the picture
        (described(HERE, make=None, colour=("red", 0.4), type_=("suv", 0.4)), False),  # nothing is known
        (replace(described(HERE), box=replace(described(HERE).box, score=0.49)), False),
    ],
)
def test_which_vehicles_count(vehicle: ReportedVehicle, kept: bool) -> None:
    r = reading()
    answer(r, look(r, 0.0), vehicle)
    assert len(r.end()) == kept


@pytest.mark.parametrize(("x", "kept"), [(0.0, 0), (300.0, 1)])
def test_a_car_whose_plate_is_found_or_carried_is_that_plates(x: float, kept: int) -> None:
    r = reading(vehicles={"min_width_px": 200})  # its own request is another test's
    plate = PlateBox(PLATE.xmin + x, PLATE.ymin, PLATE.xmax + x, PLATE.ymax, 0.9, (0.9,))
    shown = ticket(0.0, plate)
    shown.tracked = (replace(shown.tracked[0], carried=True),)
    r.see(shown)
    answer(r, r.look_due(shown), described(HERE))
    assert len(r.end()) == kept


def test_a_car_whose_plate_appears_later_is_dropped() -> None:
    r = reading(vehicles={"min_width_px": 200})
    answer(r, look(r, 0.0), described(HERE))
    r.see(ticket(3.0, PLATE))
    assert r.cars()["plateless_dropped"] == 1
    assert r.end() == []


def test_a_car_that_is_described_by_its_plate_is_no_other_one() -> None:
    r = reading()
    answer(r, look(r, 0.0), described(HERE), described((500.0, 150.0, 700.0, 300.0), colour=("blue", 0.9)))
    r.see(ticket(2.0, ELSEWHERE))
    (read,) = r.answered(r.due(), [words("AB12CDE")])
    car = r.car_due(last=True)
    assert car is not None
    r.described(CarDescribed(car, (described((0.0, 0.0, 416.0, 416.0), make=None, model=None),)))
    assert read.text == "AB12CDE"
    assert titles(r.end()) == ["blue Suzuki Swift"]
    assert r.cars()["plateless_dropped"] == 1


def test_plates_and_their_cars_go_before_looks() -> None:
    r = reading(reading={"requests_per_s": 0.001, "requests_burst": 4}, vehicles={"look_around_s": 1.0})
    looks = 0
    for n in range(8):
        shown = ticket(float(n))
        r.see(shown)
        sent = r.look_due(shown)
        if sent is not None:
            looks += 1
            answer(r, sent)
    assert looks == 3  # the fourth request is left for a plate
    r.see(ticket(9.0, PLATE))
    assert r.car_due() is None
    assert len(r.due()) == 1


def test_a_failure_is_no_answer_and_the_next_look_comes_in_its_time() -> None:
    r = reading(reading={"requests_per_s": 0.001, "requests_burst": 4}, vehicles={"look_around_s": 1.0})
    for n in range(0, 40, 2):  # a request that brought nothing costs nothing
        sent = look(r, float(n))
        assert sent is not None
        r.looked(LookedAround(sent, NoReport.PASSING if n % 4 else NoReport.REFUSED))
        assert look(r, n + 0.9) is None
    assert r.cars()["looks"] == 0
    assert r.cars()["looks_refused"] == 10
    answer(r, look(r, 50.0), described(HERE))
    assert titles(r.end()) == ["red Suzuki Swift"]


def test_after_a_failure_cars_of_plates_are_asked_for_first() -> None:
    r = reading(vehicles={"look_around_s": 0.5})
    first = look(r, 0.0)
    assert first is not None
    shown = ticket(0.1, PLATE)
    r.see(shown)
    r.looked(LookedAround(first, NoReport.PASSING))
    assert (r.car_due(), r.look_due(ticket(0.6))) == (None, None)
    later = ticket(1.2)
    r.see(later)
    assert r.car_due() is not None


@pytest.mark.parametrize("by_car", [True, False])
def test_apis_without_the_report_are_asked_once_in_all(by_car: bool) -> None:
    r = reading()
    if by_car:
        r.see(ticket(0.0, PLATE))
        car = r.car_due()
        assert car is not None
        r.described(CarDescribed(car, NoReport.NOT_OFFERED))
    else:
        sent = look(r, 0.0)
        assert sent is not None
        r.looked(LookedAround(sent, NoReport.NOT_OFFERED))
    for n in range(1, 5):
        shown = ticket(10.0 * n, PLATE, track=n)
        r.see(shown)
        assert (r.car_due(last=True), r.look_due(shown)) == (None, None)
    assert r.end() == []


def test_an_answer_after_the_end_is_no_error() -> None:
    r = reading()
    sent = look(r, 0.0)
    assert r.end() == []
    answer(r, sent, described(HERE))
    assert titles(r.end()) == ["red Suzuki Swift"]


def test_a_frame_that_was_not_detected_in_time_still_tells_its_plates() -> None:
    r = reading(vehicles={"min_width_px": 200})
    sent = look(r, 1.0)
    late = ticket(0.9, PLATE)
    late.boxes = None
    r.see(late)
    assert r.look_due(late) is None
    answer(r, sent, described(HERE))
    assert r.end() == []
