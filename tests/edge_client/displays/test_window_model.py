from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from edge_client.displays.window_colours import DAY, NIGHT
from edge_client.displays.window_model import CarModel, age_text, place_lines, point_of_compass
from edge_client.types import Alert, Fix, GpsState, GpsStatus, SourceState, SourceStatus, Vehicle
from tests.edge_client.displays.samples import STATUS
from tests.edge_client.samples import START, picture, read, shown

FIX = Fix(45.753721, 21.225711, START, 0.0, speed_mps=13.4, course_deg=52.0)


def test_reads_stand_newest_first_and_go_when_they_are_superseded_or_removed() -> None:
    model = CarModel(zone=UTC)
    for n in range(20):
        model.add_read(read(f"r{n}", f"B{n:02d}ABC"))
    assert [r.text for r in model.view(0.0, START).reads][:2] == ["B19ABC", "B18ABC"]
    assert len(model.view(0.0, START).reads) == 12
    model.add_read(read("r18", "B18ABD", supersedes=("r19",)))
    model.remove_read("r17")
    assert [r.text for r in model.view(0.0, START).reads][:2] == ["B18ABD", "B16ABC"]
    assert model.crop("r18") == read().crop_jpeg
    assert model.crop("r19") == b""


def test_the_car_stands_with_its_plate_and_cars_without_one_are_for_the_list() -> None:
    model = CarModel(zone=UTC)
    swift = Vehicle("car", colour="red", make="suzuki", model="swift")
    model.add_read(replace(read("a"), vehicle=swift))
    model.add_read(replace(read("b", "", 0.0), vehicle=swift))
    assert [(r.text, r.vehicle) for r in model.view(0.0, START).reads] == [("B123XYZ", "red Suzuki Swift")]


def test_speed_course_and_place() -> None:
    model = CarModel(zone=UTC)
    model.add_frame(shown(fix=FIX, fix_age_s=0.1), 0.0)
    view = model.view(0.0, START)
    assert (view.speed, view.speed_unit, view.course_deg) == ("48", "km/h", 52.0)
    assert view.place == ("45.7537° N", "21.2257° E")
    miles = CarModel(zone=UTC, speed_unit="mph")
    miles.add_frame(shown(fix=FIX, fix_age_s=0.1), 0.0)
    assert miles.view(0.0, START).speed == "30"
    standing = CarModel(zone=UTC)
    standing.add_frame(shown(fix=replace(FIX, speed_mps=0.4), fix_age_s=8.0), 0.0)
    view = standing.view(0.0, START)
    assert (view.speed, view.place_fresh) == ("1", False)
    assert view.course_deg is None  # a standing receiver's course is noise
    model.add_frame(shown(), 1.0)
    assert model.view(1.0, START).speed == ""
    model.set_status(replace(STATUS, gps=GpsStatus(GpsState.FIX, FIX, 0.2)), 1.0)
    assert model.view(1.0, START).speed == "48"


def test_time_and_place_go_on_while_the_camera_is_away() -> None:
    model = CarModel(zone=UTC)
    model.add_frame(shown(fix=FIX, fix_age_s=0.1), 10.0)
    model.add_read(read("a", "B101ABC"))
    before = model.view(10.0, START)
    later = replace(FIX, latitude_deg=46.1, speed_mps=20.0)
    away = replace(STATUS, camera=SourceStatus(SourceState.RECONNECTING, 3, "it is gone"))
    model.set_status(replace(away, gps=GpsStatus(GpsState.FIX, later, 0.2)), 1210.0)
    view = model.view(1210.0, START)
    captured = shown().frame.captured_utc
    assert (before.clock, view.clock) == (f"{captured:%H:%M}", f"{captured + timedelta(minutes=20):%H:%M}")
    assert (view.speed, view.place[0], view.place_fresh) == ("72", "46.1000° N", True)
    assert (before.reads[0].age, view.reads[0].age) == ("now", "20 min")
    model.set_status(replace(away, gps=GpsStatus(GpsState.CONNECTING)), 1211.0)
    view = model.view(1211.0, START)
    assert (view.speed, view.place, view.place_fresh) == ("", (), False)


def test_a_recording_that_has_ended_is_shown_as_it_ended() -> None:
    model = CarModel(zone=UTC)
    model.add_frame(shown(fix=FIX, fix_age_s=0.1), 10.0)
    before = model.view(10.0, START)
    model.set_status(replace(STATUS, camera=SourceStatus(SourceState.ENDED)), 1210.0)
    view = model.view(1210.0, START)
    assert (view.clock, view.speed, view.place) == (before.clock, "48", before.place)


def test_what_stands_over_a_picture_that_is_not_the_present_one() -> None:
    model = CarModel(zone=UTC)
    assert model.view(0.0, START).veil == ("waiting for the first picture",)
    model.add_frame(shown(), 0.0)
    model.set_status(STATUS, 0.0)
    assert model.view(2.0, START).veil == ()
    assert model.view(5.0, START).veil == ("no picture for 5 s",)
    model.set_status(replace(STATUS, camera=SourceStatus(SourceState.RECONNECTING, 3, "it is gone")), 5.0)
    view = model.view(5.0, START)
    assert view.veil == ("camera: reconnecting (3)", "it is gone")
    assert not any(text.startswith("camera") for text in view.warnings)  # it is not said twice
    model.set_status(replace(STATUS, camera=SourceStatus(SourceState.ENDED)), 9.0)
    assert model.view(99.0, START).veil == ()


def test_alerts_and_notices_go_by_themselves() -> None:
    model = CarModel(zone=UTC)
    alert = Alert("a", "B101ABC", "blue van", "", START)
    model.add_read(read("a", "B101ABC"))
    for now_s in (10.0, 11.0, 12.0):  # the status repeats the latest alerts
        model.set_status(replace(STATUS, alerts=(alert,)), now_s)
    assert model.view(29.0, START).alert == "B101ABC  blue van"
    assert model.view(31.0, START).alert == ""
    assert model.view(31.0, START).reads[0].name == "blue van"
    model.notify("this recording is kept", 40.0)
    assert model.view(41.0, START).notice == "this recording is kept"
    assert model.view(45.0, START).notice == ""


@pytest.mark.parametrize(
    ("utc", "brightness", "with_fix", "is_night"),
    [
        (datetime(2026, 5, 1, 10, 0, tzinfo=UTC), 20, True, False),  # a tunnel at noon
        (datetime(2026, 5, 1, 23, 0, tzinfo=UTC), 200, True, True),
        (datetime(2026, 5, 1, 10, 0, tzinfo=UTC), 20, False, True),
        (datetime(2026, 5, 1, 23, 0, tzinfo=UTC), 200, False, False),
        (datetime(1970, 1, 1, 0, 5, tzinfo=UTC), 200, True, False),  # the clock is not set
    ],
)
def test_night_colours_by_sun_or_picture(utc: datetime, brightness: int, with_fix: bool, is_night: bool) -> None:
    model = CarModel(zone=UTC)
    frame = shown(0, picture(value=brightness), fix=FIX if with_fix else None, fix_age_s=0.0 if with_fix else None)
    model.add_frame(replace(frame, frame=replace(frame.frame, captured_utc=utc)), 0.0)
    model.set_status(replace(STATUS, gps=GpsStatus(GpsState.OFF)), 0.0)
    assert model.palette is (NIGHT if is_night else DAY)


def test_colours_can_be_set() -> None:
    for colours, palette in (("day", DAY), ("night", NIGHT)):
        model = CarModel(colours=colours, zone=UTC)  # type: ignore[arg-type]
        model.add_frame(shown(0, picture(value=20 if colours == "day" else 220)), 0.0)
        model.set_status(STATUS, 0.0)
        assert model.palette is palette


def test_a_dark_moment_is_no_night() -> None:
    model = CarModel(zone=UTC)
    for n in range(60):
        model.add_frame(shown(n, picture(value=150)), n / 30)
    for n in range(5):  # a bridge
        model.add_frame(shown(n, picture(value=5)), 2 + n / 30)
        model.set_status(replace(STATUS, gps=GpsStatus(GpsState.OFF)), 2.0)
    assert model.palette is DAY


def test_words() -> None:
    assert [age_text(s) for s in (-5.0, 0.0, 2.9, 3.0, 59.4, 60.0, 3599.0, 3600.0, 90_000.0)] == [
        "now", "now", "now", "3 s", "59 s", "1 min", "60 min", "1 h", "25 h",
    ]  # fmt: skip
    assert place_lines(-33.85678, -151.2153) == ("33.8568° S", "151.2153° W")
    assert [point_of_compass(d) for d in (0.0, 22.0, 23.0, 90.0, 200.0, 338.0, 359.9)] == [
        "N", "N", "NE", "E", "S", "N", "N",
    ]  # fmt: skip


def test_the_age_of_a_read_is_that_of_the_frames_clock() -> None:
    model = CarModel(zone=UTC)
    frame = shown()
    model.add_frame(replace(frame, frame=replace(frame.frame, captured_utc=START + timedelta(seconds=42))), 0.0)
    model.add_read(read("a"))  # last seen at START + 2 s
    assert model.view(0.0, datetime(2031, 1, 1, tzinfo=UTC)).reads[0].age == "40 s"
