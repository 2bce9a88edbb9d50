from __future__ import annotations

import threading
from collections.abc import Iterator

import pytest

from edge_client.config import EdgeSettings, PoolSettings
from edge_client.counters import Counters
from edge_client.errors import ApiPausedError, ApiTimeoutError, ApiUnreachableError
from edge_client.requests.adapting import Adaptation
from edge_client.requests.apis import APIS, YOLOV3, PlateApis
from edge_client.requests.endpoints import FixedEndpoints
from edge_client.requests.pool import RequestPool
from edge_client.requests.transport import Body, Transport
from tests.edge_client.fake_apis import Answer, FakeApis, fake_apis


class Clock:
    def __init__(self) -> None:
        self.now_s = 100.0

    def __call__(self) -> float:
        return self.now_s


def passed(adaptation: Adaptation, clock: Clock, took_s: float, *, answered: bool = True, at_once: int = 1) -> None:
    flights = [adaptation.begin() for _ in range(at_once)]
    clock.now_s += took_s
    for flight in flights:
        adaptation.end(flight, 10_000, answered=answered, frame=True)


def test_the_pool_follows_the_target_and_the_summary_tells() -> None:
    clock = Clock()
    adaptation = Adaptation(EdgeSettings(), active=True, clock=clock)
    pool = RequestPool(8)
    adaptation.drive(pool)
    assert pool.limit == 2  # the window is found from below
    for _ in range(20):
        passed(adaptation, clock, 0.05, at_once=pool.limit)
    assert pool.limit == 8
    passed(adaptation, clock, 5.0, answered=False, at_once=8)
    assert pool.limit == 4
    pool.close(5.0)
    summary = adaptation.summary()
    assert summary["least_in_flight"] == 2
    assert summary["decreases"] == 1
    assert summary["round_trip_s"] == 0.05
    assert summary["sent_bytes"] > 0


def test_where_every_frame_is_waited_for_nothing_is_adapted() -> None:
    clock = Clock()
    adaptation = Adaptation(EdgeSettings(), active=False, clock=clock)
    pool = RequestPool(8)
    adaptation.drive(pool)
    for _ in range(20):
        passed(adaptation, clock, 9.0, at_once=8)
    targets = adaptation.targets(30.0)
    assert (pool.limit, targets.stride, targets.jpeg_quality, targets.timeout_s) == (8, 1, 85, 10.0)
    assert adaptation.round_trip_s == 9.0
    pool.close(5.0)


def test_silence_is_what_is_asked_and_not_answered() -> None:
    clock = Clock()
    adaptation = Adaptation(EdgeSettings(), active=True, clock=clock)
    clock.now_s += 60.0
    assert adaptation.silence_s() == 0.0
    lost = adaptation.begin()
    clock.now_s += 1.0
    assert adaptation.silence_s() == 0.0
    passed(adaptation, clock, 0.1)
    clock.now_s += 4.0
    assert adaptation.silence_s() == pytest.approx(4.0)
    adaptation.end(lost, 1, answered=False, frame=True)
    passed(adaptation, clock, 1.0, answered=False)
    assert adaptation.silence_s() == pytest.approx(5.0)  # failures are no answers
    passed(adaptation, clock, 0.1)
    clock.now_s += 60.0
    assert adaptation.silence_s() == 0.0


@pytest.fixture
def far() -> Iterator[FakeApis]:
    with fake_apis() as running:
        yield running


def asked(far: FakeApis, settings: PoolSettings, adaptation: Adaptation) -> PlateApis:
    endpoints = FixedEndpoints(far.yolov3, far.crnn)
    return PlateApis(endpoints, Transport(settings), settings, Counters(APIS), patient=False, adaptation=adaptation)


def test_every_request_is_measured(far: FakeApis) -> None:
    adaptation = Adaptation(EdgeSettings(), active=True)
    apis = asked(far, PoolSettings(), adaptation)
    for _ in range(3):
        apis.detect(b"x" * 1000)
    apis.read([b"y" * 300, b"z" * 200])
    assert adaptation.summary()["sent_bytes"] == 3500
    assert 0.0 < (adaptation.round_trip_s or 0.0) < 30.0
    assert (adaptation.throughput_bps or 0.0) > 0.0


def test_a_probe_has_little_time_and_a_connection_of_its_own(far: FakeApis) -> None:
    settings = PoolSettings(failures_to_pause=1, pause_s=0.01, read_timeout_s=60.0, retry_jitter_s=0.01)
    apis = asked(far, settings, Adaptation(EdgeSettings(), active=True))
    apis.detect(b"x")
    far.drop = lambda _path, number: number < 3
    with pytest.raises(ApiUnreachableError):
        apis.detect(b"x")
    assert apis.lost(YOLOV3)
    assert apis.reasons()
    far.hang = threading.Event()
    far.drop = lambda _path, _number: False
    with pytest.raises(ApiTimeoutError):  # long before the minute that is set
        while True:
            try:
                apis.detect(b"x")
            except ApiPausedError:
                apis.network_changed()
    far.hang.set()
    far.hang = None
    apis.network_changed()
    apis.detect(b"x")
    assert not apis.lost(YOLOV3)


@pytest.mark.parametrize(
    ("header", "server_s"),
    [
        ("app;dur=12.5", 0.0125),
        ('cache;desc="hit", app; dur=3', 0.003),
        ("app;dur=soon", None),
        ("app;dur=-1", None),
        ("app;dur=inf", None),
        ("", None),
    ],
)
def test_the_servers_own_time_is_understood(far: FakeApis, header: str, server_s: float | None) -> None:
    far.instead = lambda _path, _number: Answer(200, b'{"boxes": []}', {"Server-Timing": header})
    assert Transport(PoolSettings()).ask(far.yolov3, Body(data=b"x")).server_s == server_s
