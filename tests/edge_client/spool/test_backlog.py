"""The worker with a real folder, a real pool and a real server."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path

import cv2
import numpy as np
import pytest

from cloud_apis.contract import crnn_answer
from cloud_apis.contract.vehicles import REPORT_PATH
from edge_client.config import EdgeSettings
from edge_client.config_file import load_settings
from edge_client.counters import Counters
from edge_client.pipeline.events import SentCrop, Sighting
from edge_client.requests.apis import APIS, REPORT, PlateApis
from edge_client.requests.endpoints import FixedEndpoints
from edge_client.requests.pool import Job, RequestPool
from edge_client.requests.transport import Transport
from edge_client.spool.backlog import Backlog
from edge_client.spool.doubles import Doubles
from edge_client.spool.evidence import Evidence
from edge_client.spool.folder import SpoolFolder
from edge_client.types import TrackRead, UtcSource
from tests.edge_client.fake_apis import BOX, Answer, FakeApis, fake_apis
from tests.edge_client.reports import described, report
from tests.edge_client.samples import START

REPORT_PLACE = f"{REPORT_PATH}?top_k=1"
PICTURE = np.random.default_rng(1).integers(0, 255, (234, 416, 3), dtype=np.uint8)
JPEG = cv2.imencode(".jpg", PICTURE)[1].tobytes()


def evidence(number: int, drive: str = "before", *, crop: bool = False, jpeg: bytes = JPEG) -> Evidence:
    seconds = number / 4
    seen = Sighting(number, seconds, seconds, START + timedelta(seconds=seconds), UtcSource.SYSTEM, None, None)
    track = SentCrop(5, jpeg, 60, 20, 500.0, BOX, seen, seen.utc) if crop else None
    return Evidence(drive, seen, jpeg, track)


@dataclass
class Desk:
    """What the worker works with, and what it saves."""

    folder: SpoolFolder
    pool: RequestPool
    backlog: Backlog
    reachable: threading.Event
    reads: dict[str, TrackRead] = field(default_factory=dict)
    changed: threading.Condition = field(default_factory=threading.Condition)
    writing: bool = True

    def save(self, reads: Sequence[TrackRead]) -> None:
        with self.changed:
            for read in reads:
                self.reads[read.uid] = read
            self.changed.notify_all()
        if self.writing:
            for read in reads:
                self.backlog.saved(read.uid)

    def wait_for_reads(self, count: int) -> None:
        with self.changed:
            assert self.changed.wait_for(lambda: len(self.reads) >= count, 60)

    def wait_until_empty(self) -> None:
        with self.backlog._condition:
            assert self.backlog._condition.wait_for(lambda: not self.folder.count, 60)


@pytest.fixture
def apis() -> Iterator[FakeApis]:
    with fake_apis() as running:
        yield running


def configured() -> EdgeSettings:
    quick = {"pause_s": 0.01, "max_pause_s": 0.02, "retry_jitter_s": 0.01}
    return load_settings(None, {"offline": {"min_free_mb": 0}, "pool": quick})


@pytest.fixture(params=[False], ids=["plates"])
def desk(apis: FakeApis, tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[Desk]:
    settings = configured()
    folder, pool = SpoolFolder(tmp_path / "spool", settings.offline), RequestPool(2)
    endpoints = FixedEndpoints(apis.yolov3, apis.crnn)
    cars: bool = request.param
    counters = Counters((*APIS, REPORT) if cars else APIS)
    asked = PlateApis(endpoints, Transport(settings.pool), settings.pool, counters, patient=False, vehicles=cars)
    reachable = threading.Event()
    made: list[Desk] = []
    backlog = Backlog(
        "now",
        folder,
        settings,
        pool,
        asked,
        lambda: reachable.is_set() and not any(map(asked.lost, APIS)),
        lambda reads: made[0].save(reads),  # noqa: PLW0108  # it is made below
        Doubles(30.0),
    )
    made.append(Desk(folder, pool, backlog, reachable))
    yield made[0]
    backlog.close(10.0)
    pool.close(10.0)
    folder.close()


def start(desk: Desk) -> None:
    desk.backlog.start()
    desk.backlog.finish()
    desk.reachable.set()
    desk.backlog.wake()


def test_a_stretch_becomes_a_read_of_its_drive(desk: Desk) -> None:
    for number in range(6):
        desk.folder.add(evidence(number))
    start(desk)
    desk.wait_until_empty()
    (read,) = desk.reads.values()
    assert (read.text, read.drive, read.ended) == ("AB12CDE", "before", True)
    assert read.uid.startswith("before-s1")
    assert START <= read.first_seen <= read.last_seen <= START + timedelta(seconds=1.25)
    assert (desk.backlog.done, desk.backlog.reads) == (6, 1)


def test_a_second_gap_of_a_drive_leaves_the_reads_of_the_first_alone(desk: Desk) -> None:
    for number in range(6):
        desk.folder.add(evidence(number))
    start(desk)
    desk.wait_until_empty()
    for number in range(400, 406):
        desk.folder.add(evidence(number))
    desk.backlog.wake()
    desk.wait_for_reads(2)
    desk.wait_until_empty()
    first, second = desk.reads.values()
    assert first.last_seen <= START + timedelta(seconds=1.25)
    assert second.first_seen >= START + timedelta(seconds=100)


def test_evidence_that_is_gone_is_not_remembered(desk: Desk) -> None:
    crop = desk.folder.add(evidence(0, "now", crop=True))
    assert crop is not None
    assert not desk.backlog._may_take(crop)  # the live stream may read it yet
    desk.folder.remove([crop])
    for number in range(2):
        desk.folder.add(evidence(number))
    start(desk)
    desk.wait_until_empty()
    assert desk.backlog._noticed_s == {}


with_cars = pytest.mark.parametrize("desk", [True], indirect=True, ids=["cars"])


def red_car(_jpeg: bytes) -> dict[str, object]:
    return report(described((0.0, 0.0, 400.0, 300.0), colour=("red", 0.9)))


@with_cars
def test_the_car_of_a_late_read_is_described_once(desk: Desk, apis: FakeApis) -> None:
    apis.report = red_car
    for number in range(6):
        desk.folder.add(evidence(number))
    start(desk)
    desk.wait_until_empty()
    (read,) = desk.reads.values()
    assert read.text == "AB12CDE"
    assert read.vehicle is not None
    assert (read.vehicle.colour, read.vehicle.make) == ("red", "suzuki")
    assert (desk.backlog.cars, apis.requests[REPORT_PLACE]) == (1, 1)


@with_cars
def test_a_car_whose_plate_cannot_be_read_is_kept_from_evidence_too(desk: Desk, apis: FakeApis) -> None:
    apis.report = red_car
    apis.words = lambda crops: crnn_answer([[]] * crops)
    for number in range(6):
        desk.folder.add(evidence(number))
    start(desk)
    desk.wait_until_empty()
    (read,) = desk.reads.values()
    assert (read.text, read.drive, read.ended) == ("", "before", True)
    assert read.vehicle is not None and read.vehicle.colour == "red"
    assert read.uid.startswith("before-s1")


@with_cars
@pytest.mark.parametrize("answer", [Answer(503), Answer(404), Answer(200, b"no report"), Answer(400)])
def test_no_late_read_waits_for_a_car_that_is_not_described(desk: Desk, apis: FakeApis, answer: Answer) -> None:
    apis.instead = lambda path, _number: answer if path == REPORT_PLACE else None
    for number in range(6):
        desk.folder.add(evidence(number))
    start(desk)
    desk.wait_until_empty()
    (read,) = desk.reads.values()
    assert (read.text, read.vehicle, desk.backlog.cars) == ("AB12CDE", None, 0)
    assert apis.requests[REPORT_PLACE] >= 1


def test_nothing_is_asked_before_the_network_is_back(desk: Desk, apis: FakeApis) -> None:
    desk.folder.add(evidence(0))
    desk.backlog.start()
    desk.backlog.wake()
    assert apis.requests == {}
    start_again = desk.reachable
    start_again.set()
    desk.backlog.finish()
    desk.wait_until_empty()
    assert apis.requests["/yolov3"] == 1


def test_evidence_stays_until_its_read_is_on_disk(desk: Desk) -> None:
    desk.writing = False
    for number in range(4):
        desk.folder.add(evidence(number))
    start(desk)
    desk.wait_for_reads(1)
    assert desk.folder.count == 4
    assert not desk.backlog.idle
    for uid in desk.reads:
        desk.backlog.saved(uid)
    desk.wait_until_empty()
    assert desk.backlog.idle


def test_a_network_that_goes_again_costs_nothing(desk: Desk, apis: FakeApis) -> None:
    down = threading.Event()
    apis.drop = lambda path, number: down.is_set() or number in {2, 3, 5}
    for number in range(8):
        desk.folder.add(evidence(number))
    desk.backlog.start()
    desk.backlog.finish()
    desk.reachable.set()
    while desk.folder.count:  # as the drive's ticks do
        desk.backlog.wake()
        with desk.backlog._condition:
            desk.backlog._condition.wait(0.05)
    (read,) = desk.reads.values()
    assert (read.text, desk.backlog.done) == ("AB12CDE", 8)


def test_crops_are_read_without_the_detector(desk: Desk, apis: FakeApis) -> None:
    for number in range(3):
        desk.folder.add(evidence(number, crop=True))
    start(desk)
    desk.wait_until_empty()
    assert [read.text for read in desk.reads.values()] == ["AB12CDE"]
    assert "/yolov3" not in apis.requests


def test_each_drive_has_reads_of_its_own(desk: Desk) -> None:
    for drive in ("monday", "tuesday"):
        for number in range(4):
            desk.folder.add(evidence(number, drive))
    start(desk)
    desk.wait_until_empty()
    assert sorted(read.drive for read in desk.reads.values()) == ["monday", "tuesday"]


def test_a_picture_that_cannot_be_decoded_is_left_out(desk: Desk) -> None:
    desk.folder.add(evidence(0, jpeg=b"no picture"))
    for number in range(1, 5):
        desk.folder.add(evidence(number))
    start(desk)
    desk.wait_until_empty()
    assert (desk.folder.corrupt, len(desk.reads)) == (1, 1)


def test_what_an_api_refuses_again_and_again_is_left_out(desk: Desk, apis: FakeApis) -> None:
    apis.instead = lambda path, number: Answer(400) if path == "/yolov3" and number < 3 else None
    for number in range(5):
        desk.folder.add(evidence(number))
    start(desk)
    desk.wait_until_empty()
    assert (desk.folder.corrupt, len(desk.reads)) == (1, 1)


def test_live_frames_go_first_but_not_for_ever(desk: Desk, apis: FakeApis) -> None:
    """Both threads of the pool are kept busy by work that is more urgent and never ends."""
    over = threading.Event()

    def busy() -> None:
        if not over.wait(0.01):
            desk.pool.submit(Job(busy), 1.0)

    for _ in range(4):
        desk.pool.submit(Job(busy), 1.0)
    for number in range(2):
        desk.folder.add(evidence(number))
    start(desk)
    desk.wait_until_empty()
    over.set()
    assert apis.requests["/yolov3"] == 2


def test_the_end_of_a_drive_leaves_the_rest_for_the_next(desk: Desk, apis: FakeApis) -> None:
    apis.hang = threading.Event()
    for number in range(3):
        desk.folder.add(evidence(number))
    start(desk)
    desk.backlog.close(30.0)
    assert not desk.backlog._thread.is_alive()
    assert desk.folder.count == 3
    assert desk.reads == {}
