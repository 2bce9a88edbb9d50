"""Drives past cars of which some show no plate: each is one row, with the plate where there is one."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from pathlib import Path

import cv2
import numpy as np
import pytest

from cloud_apis.contract import PlateBox, yolov3_answer
from cloud_apis.contract.vehicles import ReportedVehicle
from edge_client.cli import main
from edge_client.commands.summary import print_summary
from edge_client.config import EdgeSettings
from edge_client.run import run_drive
from edge_client.store.library import ReadFilter, ReadLibrary
from edge_client.store.rows import StoredRead
from edge_client.store.writer import SqliteReads
from edge_client.types import Summary
from tests.edge_client.fake_apis import Answer, FakeApis, fake_apis
from tests.edge_client.reports import described, report
from tests.edge_client.test_cars import BGR, COLOURS, ONES, PATH, RATE_HZ, TEXTS, colour, configured, looks, text_on

RED, GREEN, BLUE = range(3)
FRAMES = 50
SHOWN = {RED: range(0, 25), GREEN: range(5, 30), BLUE: range(32, 45)}
PLATED = {RED: range(14, 25), GREEN: range(0), BLUE: range(32, 45)}
"""The red car's plate is covered at first, the green one has none."""


@pytest.fixture(scope="module")
def video(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("plateless") / "drive.avi"
    writer = cv2.VideoWriter(str(path), cv2.VideoWriter.fourcc(*"MJPG"), float(RATE_HZ), (640, 360))
    road = np.random.default_rng(7).integers(0, 30, (360, 640, 3), dtype=np.uint8)
    for n in range(FRAMES):
        picture = np.roll(road, 7 * n, axis=1)
        for car, shown in SHOWN.items():
            if n in shown:
                left, top = 30 + 330 * (car == GREEN) + 2 * (n - shown[0]), 110
                picture[top : top + 180, left : left + 220] = BGR[car]
                if n in PLATED[car]:
                    picture[top + 130 : top + 160, left + 60 : left + 160] = plate(car)
        writer.write(picture)
    writer.release()
    return path


def plate(car: int) -> np.ndarray[tuple[int, ...], np.dtype[np.uint8]]:
    sign = np.full((30, 100, 3), 250, np.uint8)
    marks = np.random.default_rng(car).random((3, 10)) < 0.4
    for row, column in zip(*np.nonzero(marks), strict=True):
        sign[3 + 8 * row : 11 + 8 * row, 4 + 9 * column : 12 + 9 * column] = 10
    return sign


def plates_on(jpeg: bytes) -> dict[str, object]:
    """The detector: where it is white."""
    white = cv2.morphologyEx((colour(jpeg)[..., 1] > 215).astype(np.uint8), cv2.MORPH_OPEN, ONES)
    return yolov3_answer(
        [
            PlateBox(x - 1.0, y - 1.0, x + w + 1.0, y + h + 1.0, 0.95, (0.98,))
            for x, y, w, h in boxes(np.asarray(white, np.uint8), 15)
        ]
    )


def boxes(where: np.ndarray[tuple[int, ...], np.dtype[np.uint8]], apart: int) -> list[tuple[int, int, int, int]]:
    """Of what lies no farther apart: left, top, width, height."""
    whole = cv2.morphologyEx(where, cv2.MORPH_CLOSE, np.ones((apart, apart), np.uint8))
    _, _, stats, _ = cv2.connectedComponentsWithStats(whole)
    return [(int(x), int(y), int(w), int(h)) for x, y, w, h, area in stats[1:] if area > 200]


def cars_on(jpeg: bytes) -> dict[str, object]:
    """The vehicle report: a box about each colour."""
    picture = colour(jpeg).astype(int)
    found: list[ReportedVehicle] = []
    for car, bgr in enumerate(BGR):
        where = (np.abs(picture - np.array(bgr)).max(axis=2) < 40).astype(np.uint8)
        for x, y, w, h in boxes(where, 31):
            found.append(described((x, y, x + w, y + h), colour=(COLOURS[car], 0.9)))
    return report(*found)


class InTurn:
    """No frame is answered while a report is at work: the drive does not run away from its looks."""

    def __init__(self) -> None:
        self._condition = threading.Condition()
        self._reports = 0

    def report(self, jpeg: bytes) -> dict[str, object]:
        with self._condition:
            self._reports += 1
        try:
            return cars_on(jpeg)
        finally:
            with self._condition:
                self._reports -= 1
                self._condition.notify_all()

    def boxes(self, jpeg: bytes) -> dict[str, object]:
        with self._condition:
            self._condition.wait_for(lambda: not self._reports)
        return plates_on(jpeg)


@pytest.fixture
def apis() -> Iterator[FakeApis]:
    turns = InTurn()
    with fake_apis(FakeApis(boxes=turns.boxes, text_of=text_on, report=turns.report)) as running:
        yield running


def settings_for(apis: FakeApis, **vehicles: object) -> EdgeSettings:
    return configured(apis, vehicles={"look_around_s": 1.0, **vehicles}, reassembly={"frames_at_once": 3})


def drive(settings: EdgeSettings, video: Path, folder: Path) -> tuple[Summary, list[StoredRead]]:
    summary = run_drive(settings, str(video), [], SqliteReads(folder / "reads.db"), threading.Event(), spool=None)
    with ReadLibrary(folder / "reads.db") as library:
        reads = library.find(ReadFilter())[::-1]
    assert summary.captured == FRAMES == sum(summary.shown.values())
    return summary, reads


def rows(reads: list[StoredRead]) -> set[tuple[str, str]]:
    assert len({(r.text, looks(r)) for r in reads}) == len(reads)
    return {(r.text, looks(r)) for r in reads}


def test_each_car_is_one_row_with_its_plate_or_without_one(
    apis: FakeApis, video: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    summary, reads = drive(settings_for(apis), video, tmp_path)
    assert rows(reads) == {(TEXTS[RED], "red"), ("", "green"), (TEXTS[BLUE], "blue")}
    cars = summary.vehicles
    assert (cars["plateless"], cars["plateless_dropped"], cars["without_plate"]) == (1, 1, 0)
    assert cars["looks"] >= 3
    assert apis.requests[PATH] == cars["looks"] + cars["described"]
    (green,) = [r for r in reads if not r.text]
    seen_s = (green.last_seen - green.first_seen).total_seconds()
    assert seen_s > 0
    assert green.uid == f"{green.drive}-w1"
    assert main(["reads", "search", "--reads", str(tmp_path / "reads.db"), "--colour", "green", "--without-plate"]) == 0
    assert "green Suzuki Swift" in capsys.readouterr().out
    crop = tmp_path / "car.jpg"
    assert main(["reads", "show", str(green.id), "--reads", str(tmp_path / "reads.db"), "--crop", str(crop)]) == 0
    capsys.readouterr()
    picture = colour(crop.read_bytes())
    assert np.median(picture.reshape(-1, 3), axis=0) == pytest.approx(BGR[GREEN], abs=20)
    assert picture.shape[:2] == pytest.approx((180, 220), abs=12)
    print_summary(summary, [], tmp_path / "reads.db", None)
    out = capsys.readouterr().out
    assert "looks around for cars without a plate" in out
    assert "cars kept that showed no plate" in out
    assert json.loads(json.dumps(summary.to_json()))["vehicles"]["plateless"] == 1


@pytest.mark.parametrize("vehicles", [{"look_around_s": 0.0}, {"store_unread": False}])
def test_no_look_around_keeps_the_cars_of_plates_alone(
    apis: FakeApis, video: Path, tmp_path: Path, vehicles: dict[str, object]
) -> None:
    summary, reads = drive(settings_for(apis, **vehicles), video, tmp_path)
    assert rows(reads) == {(TEXTS[RED], "red"), (TEXTS[BLUE], "blue")}
    assert apis.requests[PATH] == summary.vehicles["described"] == 2


def test_apis_without_the_report_are_asked_once_and_plates_are_read(
    apis: FakeApis, video: Path, tmp_path: Path
) -> None:
    apis.report = None
    summary, reads = drive(settings_for(apis), video, tmp_path)
    assert rows(reads) == {(TEXTS[RED], ""), (TEXTS[BLUE], "")}
    assert apis.requests[PATH] == 1
    assert summary.vehicles["looks"] == summary.vehicles["looks_refused"] == 0


@pytest.mark.parametrize("status", [503, 422])
def test_looks_that_fail_disturb_no_plate(apis: FakeApis, video: Path, tmp_path: Path, status: int) -> None:
    apis.instead = lambda path, number: Answer(status) if path == PATH and number < 2 else None
    summary, reads = drive(settings_for(apis), video, tmp_path)
    assert rows(reads) == {(TEXTS[RED], "red"), ("", "green"), (TEXTS[BLUE], "blue")}
    assert summary.vehicles["looks_refused"] == (2 if status == 422 else 0)
    assert summary.requests["yolov3"] == {"sent": FRAMES, "failed": 0}


def test_a_live_drive_looks_around_too(apis: FakeApis, video: Path, tmp_path: Path) -> None:
    settings = configured(apis, source={"rate": "realtime"}, vehicles={"look_around_s": 1.0, "wait_s": 0.3})
    summary, reads = drive(settings, video, tmp_path)
    assert ("", "green") in rows(reads)
    assert summary.vehicles["looks"] > 1
