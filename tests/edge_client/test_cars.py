"""Drives that describe cars: one request per track, kept with the read, or without a plate."""

from __future__ import annotations

import logging
import threading
from collections.abc import Iterator
from pathlib import Path

import cv2
import numpy as np
import pytest

from cloud_apis.contract import PlateBox, crnn_answer, yolov3_answer
from cloud_apis.contract.vehicles import REPORT_PATH
from edge_client.config import EdgeSettings
from edge_client.config_file import load_settings
from edge_client.run import run_drive
from edge_client.store.library import ReadFilter, ReadLibrary
from edge_client.store.rows import StoredRead
from edge_client.store.writer import SqliteReads
from edge_client.types import Image, LiveStatus, Summary
from tests.edge_client.fake_apis import Answer, FakeApis, fake_apis
from tests.edge_client.reports import described, report

PATH = f"{REPORT_PATH}?top_k=1"
RATE_HZ = 5
SEEN = 8
GONE = 9  # long enough for the track to be lost
TEXTS = ("KL07ABC", "MN17DEF", "PR27GHI")
COLOURS = ("red", "green", "blue")
FRAMES = len(TEXTS) * (SEEN + GONE)
BGR = ((40, 30, 200), (40, 170, 40), (200, 60, 30))
NO_LOOKS = {"looks": 0, "looks_refused": 0, "plateless": 0, "plateless_dropped": 0}
ONE_EACH: dict[str, object] = {"look_around_s": 0.0}
"""No looks around, where requests are counted that are about the cars of plates."""


@pytest.fixture(scope="module")
def video(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """One car after the other, each a rectangle of its colour with a plate."""
    path = tmp_path_factory.mktemp("cars") / "cars.avi"
    writer = cv2.VideoWriter(str(path), cv2.VideoWriter.fourcc(*"MJPG"), float(RATE_HZ), (640, 360))
    rng = np.random.default_rng(7)
    road = rng.integers(0, 30, (360, 640, 3), dtype=np.uint8)
    for n in range(FRAMES):
        picture = np.roll(road, 7 * n, axis=1)
        car, seen = divmod(n, SEEN + GONE)
        if seen < SEEN:
            left, top = 150 + 8 * seen, 110 + 4 * seen
            picture[top : top + 180, left : left + 280] = BGR[car]
            plate = picture[top + 120 : top + 150, left + 90 : left + 190]
            plate[:] = 250
            marks = np.random.default_rng(car).random((3, 10)) < 0.4
            for row, column in zip(*np.nonzero(marks), strict=True):
                plate[3 + 8 * row : 11 + 8 * row, 4 + 9 * column : 12 + 9 * column] = 10
        writer.write(picture)
    writer.release()
    return path


def colour(jpeg: bytes) -> Image:
    picture = cv2.imdecode(np.frombuffer(jpeg, np.uint8), cv2.IMREAD_COLOR)
    assert picture is not None
    return np.asarray(picture, np.uint8)


def plate_on(jpeg: bytes) -> dict[str, object]:
    """The detector: where it is white."""
    rows, columns = np.nonzero(cv2.morphologyEx((colour(jpeg)[..., 1] > 215).astype(np.uint8), cv2.MORPH_OPEN, ONES))
    if not len(rows):
        return yolov3_answer([])
    left, top, right, bottom = columns.min() - 1, rows.min() - 1, columns.max() + 2, rows.max() + 2
    return yolov3_answer([PlateBox(float(left), float(top), float(right), float(bottom), 0.95, (0.98,))])


ONES = np.ones((2, 2), np.uint8)


def coloured(jpeg: bytes) -> tuple[Image, int]:
    """Where a picture is coloured, and of which car."""
    picture = colour(jpeg).astype(int)
    where = (picture.max(axis=2) - picture.min(axis=2)) > 60
    return where.astype(np.uint8), 2 - int(np.argmax(np.median(picture[where], axis=0))) if where.any() else -1


def text_on(jpeg: bytes) -> str:
    """The reader: a crop has the colour of the car about the plate at its edges."""
    return TEXTS[coloured(jpeg)[1]]


def car_on(jpeg: bytes) -> dict[str, object]:
    """The vehicle report: a box about what is coloured, and which colour it is."""
    where, car = coloured(jpeg)
    rows, columns = np.nonzero(where)
    if not len(rows):
        return report()
    box = (float(columns.min()), float(rows.min()), float(columns.max() + 1), float(rows.max() + 1))
    return report(described(box, colour=(COLOURS[car], 0.9)))


@pytest.fixture
def apis() -> Iterator[FakeApis]:
    behaviour = FakeApis(boxes=plate_on, text_of=text_on, report=car_on)
    with fake_apis(behaviour) as running:
        yield running


def configured(apis: FakeApis, **sections: dict[str, object]) -> EdgeSettings:
    given: dict[str, dict[str, object]] = {
        "source": {"rate": "full"},
        "apis": {"yolov3_endpoint": apis.yolov3, "crnn_endpoint": apis.crnn},
        "pool": {"pause_s": 0.05, "max_pause_s": 0.1, "retry_jitter_s": 0.01, "read_timeout_s": 20.0},
        "tracking": {"remember_s": 1.0},
        "reads": {"same_plate_s": 1.0},
    }
    return load_settings(None, {name: given.get(name, {}) | sections.get(name, {}) for name in given | sections})


def drive(
    settings: EdgeSettings, video: Path, folder: Path, *, spool: bool = False
) -> tuple[Summary, list[StoredRead], list[LiveStatus]]:
    seen = list[LiveStatus]()
    summary = run_drive(
        settings,
        str(video),
        [],
        SqliteReads(folder / "reads.db"),
        threading.Event(),
        on_status=seen.append,
        spool=folder / "spool" if spool else None,
    )
    with ReadLibrary(folder / "reads.db") as library:
        reads = library.find(ReadFilter())[::-1]
    assert summary.captured == FRAMES == sum(summary.shown.values())
    return summary, reads, seen


def looks(read: StoredRead) -> str:
    return read.vehicle.colour if read.vehicle is not None else ""


def test_one_request_per_track_and_the_looks_are_kept_with_the_read(
    apis: FakeApis, video: Path, tmp_path: Path
) -> None:
    summary, reads, seen = drive(configured(apis, vehicles=ONE_EACH), video, tmp_path)
    assert [(r.text, looks(r)) for r in reads] == list(zip(TEXTS, COLOURS, strict=True))
    assert all(r.vehicle is not None and (r.vehicle.make, r.vehicle.model) == ("suzuki", "swift") for r in reads)
    assert apis.requests[PATH] == len(TEXTS)
    assert summary.requests["vehicle-report"] == {"sent": len(TEXTS), "failed": 0}
    assert summary.vehicles == {"described": 3, "not_found": 0, "given_up": 0, "without_plate": 0} | NO_LOOKS
    assert summary.to_json()["vehicles"] == summary.vehicles
    assert seen[-1].apis["vehicle-report"] == "ok"


def test_a_car_whose_plate_nobody_can_read_is_kept_by_its_looks(apis: FakeApis, video: Path, tmp_path: Path) -> None:
    apis.words = lambda crops: crnn_answer([[]] * crops)
    apis.text_of = None
    summary, reads, _ = drive(configured(apis, vehicles=ONE_EACH), video, tmp_path)
    assert [(r.text, looks(r), r.ended) for r in reads] == [("", name, True) for name in COLOURS]
    assert [r.confidence for r in reads] == [0.0] * 3
    assert summary.vehicles["without_plate"] == 3
    assert summary.reads == 0  # plates
    with ReadLibrary(tmp_path / "reads.db") as library:
        (red,) = library.find(ReadFilter(colour="red", make="suzuki"))
        crop = library.crop(red.id)
    assert crop is not None
    assert report() != car_on(crop)  # the picture shows the car
    assert red.last_seen > red.first_seen
    assert apis.requests[PATH] == len(TEXTS)


def test_cars_without_plates_are_kept_only_where_wanted(apis: FakeApis, video: Path, tmp_path: Path) -> None:
    apis.words = lambda crops: crnn_answer([[]] * crops)
    apis.text_of = None
    summary, reads, _ = drive(configured(apis, vehicles={"store_unread": False}), video, tmp_path)
    assert reads == []
    assert (summary.vehicles["described"], summary.vehicles["without_plate"]) == (3, 0)


def test_nothing_is_asked_where_it_is_off(apis: FakeApis, video: Path, tmp_path: Path) -> None:
    summary, reads, seen = drive(configured(apis, vehicles={"enabled": False}), video, tmp_path)
    assert [r.text for r in reads] == list(TEXTS)
    assert PATH not in apis.requests
    assert summary.vehicles == {}
    assert "vehicle-report" not in {**summary.requests, **seen[-1].apis}


def test_apis_that_do_not_offer_it_are_asked_once_and_plates_are_read_as_ever(
    apis: FakeApis, video: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    apis.report = None
    with caplog.at_level(logging.INFO, "edge_client"):
        summary, reads, seen = drive(configured(apis), video, tmp_path)
    assert [(r.text, r.vehicle) for r in reads] == [(text, None) for text in TEXTS]
    assert apis.requests[PATH] == 1
    assert [r.message for r in caplog.records if "vehicle-report" in r.message] == [
        "the APIs do not offer vehicle-report: cars are not described, plates are read as ever (vehicles.enabled: "
        "false does not ask)"
    ]
    assert seen[-1].apis["vehicle-report"] == "not offered"
    assert seen[-1].network.reachable
    assert summary.vehicles["given_up"] == 0


@pytest.mark.parametrize("status", [500, 503, 422])
def test_a_report_that_fails_disturbs_no_plate(apis: FakeApis, video: Path, tmp_path: Path, status: int) -> None:
    apis.instead = lambda path, _n: Answer(status) if path == PATH else None
    summary, reads, seen = drive(configured(apis), video, tmp_path)
    assert [(r.text, r.vehicle) for r in reads] == [(text, None) for text in TEXTS]
    assert summary.requests["yolov3"] == {"sent": FRAMES, "failed": 0}
    assert summary.requests["vehicle-report"]["failed"] == summary.requests["vehicle-report"]["sent"] > 0
    assert summary.vehicles.items() >= {"described": 0, "not_found": 0, "given_up": 3, "without_plate": 0}.items()
    assert (summary.vehicles["looks"], summary.vehicles["plateless"]) == (0, 0)
    assert all(status.network.reachable for status in seen)


def test_a_report_that_comes_back_describes_what_was_seen_meanwhile(
    apis: FakeApis, video: Path, tmp_path: Path
) -> None:
    apis.drop = lambda path, number: path == PATH and number < 6
    summary, reads, _ = drive(configured(apis), video, tmp_path)
    assert [(r.text, looks(r)) for r in reads] == list(zip(TEXTS, COLOURS, strict=True))
    assert summary.vehicles["described"] == 3


def test_plates_go_first_where_the_budget_is_small(apis: FakeApis, video: Path, tmp_path: Path) -> None:
    settings = configured(apis, reading={"requests_per_s": 0.2, "requests_burst": 1})
    summary, reads, _ = drive(settings, video, tmp_path)
    assert [r.text for r in reads if r.text] == list(TEXTS)
    assert summary.requests["vehicle-report"]["sent"] <= 3


def test_no_car_under_the_plate_is_no_car(apis: FakeApis, video: Path, tmp_path: Path) -> None:
    apis.report = lambda _body: report(described((0.0, 0.0, 30.0, 30.0)))
    summary, reads, _ = drive(configured(apis, vehicles=ONE_EACH), video, tmp_path)
    assert [(r.text, r.vehicle) for r in reads] == [(text, None) for text in TEXTS]
    assert (summary.vehicles["described"], summary.vehicles["without_plate"]) == (0, 0)
    assert summary.vehicles["not_found"] == summary.requests["vehicle-report"]["sent"] <= 2 * len(TEXTS)


def test_a_live_drive_describes_cars_too(apis: FakeApis, video: Path, tmp_path: Path) -> None:
    settings = configured(apis, source={"rate": "realtime"}, vehicles={"wait_s": 0.3, **ONE_EACH})
    summary, reads, _ = drive(settings, video, tmp_path, spool=True)
    assert {(r.text, looks(r)) for r in reads} == set(zip(TEXTS, COLOURS, strict=True))
    assert summary.requests["vehicle-report"]["sent"] == 3
