"""The in-car view as shapes: all on the screen, nothing over each other, large enough, nothing essential left out."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone
from itertools import combinations

import pygame
import pytest

from edge_client.displays.window_colours import DAY, NIGHT
from edge_client.displays.window_layout import layout
from edge_client.displays.window_model import CarModel, CarStatus
from edge_client.displays.window_paint import fitted
from edge_client.displays.window_shapes import Crop, Fill, Icon, Picture, Rect, Shape, Text
from edge_client.types import (
    Alert,
    Fix,
    GpsState,
    GpsStatus,
    LiveStatus,
    NetworkStatus,
    RecordingState,
    RecordingStatus,
    SourceState,
    SourceStatus,
    StoreStatus,
    Vehicle,
)
from tests.edge_client.displays.samples import STATUS
from tests.edge_client.samples import START, picture, read, shown

SIZES = [(800, 480), (1280, 720), (480, 320), (1024, 600), (1920, 1080), (480, 800), (320, 240)]
FIX = Fix(45.753721, -121.225711, START, 0.0, speed_mps=38.0, course_deg=52.0, satellites=9)
CAR = Vehicle("car", colour="silver", make="land_rover", model="range_rover_sport")
WELL = replace(
    STATUS,
    apis={"yolov3": "ok", "crnn": "ok"},
    gps=GpsStatus(GpsState.FIX, FIX, 0.1),
    network=NetworkStatus(True, 0.142),
    recording=RecordingStatus(RecordingState.RECORDING),
)
BROKEN = replace(
    STATUS,
    camera=SourceStatus(SourceState.RECONNECTING, 3, "the device /dev/video0 is gone"),
    gps=GpsStatus(GpsState.SEARCHING),
    network=NetworkStatus(False, spooled=14),
    recording=RecordingStatus(RecordingState.FAILED, reason="the disk is full"),
    store=StoreStatus(3, "the disk is full"),
    alerts=(Alert("r1", "B101ABC", "blue van", "depot", START),),
)


def view(status: LiveStatus = WELL, *, fix: Fix | None = FIX, reads: int = 10) -> CarStatus:
    model = CarModel(zone=timezone(timedelta(hours=3)))
    model.add_frame(shown(0, picture(1280, 720), fix=fix, fix_age_s=0.2), 10.0)
    model.set_status(status, 10.0)
    for n in range(reads):
        seen = read(f"r{n}", f"B{n:03d}WWW", 0.5 + n / 25, seconds=float(n))
        model.add_read(replace(seen, vehicle=CAR if n % 2 else None))
    return model.view(10.1, START)


def texts(shapes: tuple[Shape, ...]) -> list[str]:
    return [shape.text for shape in shapes if isinstance(shape, Text)]


def overlap(a: Rect, b: Rect) -> bool:
    return a[0] < b[0] + b[2] and b[0] < a[0] + a[2] and a[1] < b[1] + b[3] and b[1] < a[1] + a[3]


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("status", [WELL, BROKEN], ids=["well", "broken"])
def test_all_is_on_the_screen_and_no_two_texts_share_a_place(size: tuple[int, int], status: LiveStatus) -> None:
    for car in (view(status), view(status, fix=None), view(status, reads=0)):
        shapes = layout(size, car, DAY)
        for shape in shapes:
            left, top, width, height = shape.rect
            assert min(left, top) >= 0, shape
            assert min(width, height) > 0, shape
            assert left + width <= size[0], shape
            assert top + height <= size[1], shape
        over = next(i for i, shape in enumerate(shapes) if isinstance(shape, Picture))
        for part in (shapes[:over], shapes[over + 1 :]):
            marks = [shape for shape in part if isinstance(shape, Text | Icon | Crop)]
            for a, b in combinations(marks, 2):
                assert not overlap(a.rect, b.rect), (a, b)
        for shape in shapes[over + 1 :]:  # the picture's own: no text beside it is covered
            assert overlap(shape.rect, shapes[over].rect)
            for other in shapes[:over]:
                if isinstance(other, Text | Icon | Crop):
                    assert not overlap(shape.rect, other.rect), (shape, other)


@pytest.mark.parametrize("size", SIZES[:5])
def test_texts_can_be_read_at_arms_length(size: tuple[int, int]) -> None:
    shapes = layout(size, view(), DAY)
    least = 0.033 * size[1]  # of the height: capitals of 11 px at 480, and of 14 on average
    sizes = {shape.text: 0.7 * shape.size_px for shape in shapes if isinstance(shape, Text)}
    assert min(sizes.values()) >= least
    assert sizes["B009WWW"] >= 2 * least  # the last read
    assert sizes["137"] >= 3 * least or size == (480, 320)  # the speed
    assert sizes["13:00"] >= 1.6 * least


def test_at_800x480_no_capital_is_lower_than_14_pixels_and_what_matters_has_25() -> None:
    capitals = {s.text: 0.7 * s.size_px for s in layout((800, 480), view(), DAY) if isinstance(s, Text)}
    assert min(capitals.values()) > 14
    assert min(capitals[text] for text in ("137", "B009WWW", "B008WWW", "13:00")) > 25


@pytest.mark.parametrize("size", SIZES)
def test_nothing_essential_is_left_out(size: tuple[int, int]) -> None:
    shapes = layout(size, view(), DAY)
    said = texts(shapes)
    for wanted in ("13:00", "137", "km/h", "NE", "45.7537° N", "121.2257° W", "B009WWW", "B008WWW"):
        assert wanted in said
    icons = {shape.name for shape in shapes if isinstance(shape, Icon)}
    assert icons >= {"camera", "gps", "network", "recording", "arrow"}
    for part in ("camera on", "GPS fix", "network 142 ms", "recording on"):
        assert part in said


@pytest.mark.parametrize("size", SIZES)
def test_what_is_wrong_is_said_in_words_and_on_its_colour(size: tuple[int, int]) -> None:
    shapes = layout(size, view(BROKEN, fix=None), NIGHT)
    said = texts(shapes)
    assert "camera: reconnecting (3)" in said
    assert "the device /dev/video0 is gone" in said or size[1] < 480
    assert "network: gone, 14 to read later" in said
    assert "recording: failed, the disk is full  +1" in said
    assert "B101ABC  blue van  depot" in said or size == (320, 240)
    assert "GPS no fix" in said
    grounds = [shape for shape in shapes if isinstance(shape, Fill) and shape.colour == NIGHT.bad]
    assert len(grounds) >= 3 + 2  # camera, network and recording above, two lines over the picture
    (live,) = [shape for shape in shapes if isinstance(shape, Picture)]
    assert live.brightness < 0.5 * NIGHT.brightness
    assert not live.plates


@pytest.mark.parametrize("size", SIZES)
def test_the_picture_keeps_its_aspect_and_takes_what_room_there_is(size: tuple[int, int]) -> None:
    for width, height in ((1280, 720), (640, 480), (400, 100), (300, 900)):
        car = replace(view(), picture_size=(width, height))
        (live,) = [shape for shape in layout(size, car, DAY) if isinstance(shape, Picture)]
        assert live.rect[2] / live.rect[3] == pytest.approx(width / height, rel=0.05)
    (live,) = [shape for shape in layout(size, view(), DAY) if isinstance(shape, Picture)]
    assert live.rect[2] >= (size[0] if size[0] < size[1] else 0.55 * size[0])


def test_it_is_a_pure_function() -> None:
    assert layout((800, 480), view(), DAY) == layout((800, 480), view(), DAY)
    assert layout((800, 480), view(), DAY) != layout((800, 480), view(), NIGHT)


@pytest.mark.parametrize("size", SIZES[:3])
def test_with_the_real_face_nothing_that_matters_is_cut(size: tuple[int, int]) -> None:
    pygame.font.init()
    for car in (view(), view(replace(WELL, network=NetworkStatus(True, spooled=3)))):
        for shape in layout(size, car, DAY):
            if isinstance(shape, Text):
                text, got_px = fitted((shape.text, *shape.shorter), shape.rect[2], shape.size_px, shape.least)
                assert not text.endswith("…"), shape
                assert got_px >= shape.least * shape.size_px - 1


def test_the_clock_is_told_in_the_local_zone_and_not_at_all_before_it_is_set() -> None:
    assert view().clock == "13:00"
    model = CarModel(zone=UTC)
    unset = model.view(0.0, datetime(1970, 1, 1, 0, 5, tzinfo=UTC))
    assert (unset.clock, unset.clock_sure) == ("--:--", False)
