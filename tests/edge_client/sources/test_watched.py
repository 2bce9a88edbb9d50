"""The watchdog over devices that hang, as drivers do."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from itertools import islice

import numpy as np
import pytest

from edge_client.config import SourceSettings
from edge_client.errors import SourceError
from edge_client.sources.device import Device, Picture
from edge_client.sources.watched import WatchedSource
from edge_client.types import SourceState

SETTINGS = SourceSettings(open_timeout_s=20.0, read_timeout_s=20.0)
QUICK = SourceSettings(open_timeout_s=20.0, read_timeout_s=0.5, reconnect_pause_s=0.1)


class Camera:
    """Gives pictures, and then does what its driver does. ``let_go`` ends what hangs."""

    def __init__(self, pictures: int, then: Callable[[], Picture | None], count: int | None = None) -> None:
        self._left = pictures
        self._given = 0
        self._then = then
        self._count = count
        self.closed = threading.Event()
        self.thread = threading.current_thread()

    @property
    def frame_rate_hz(self) -> float | None:
        return 12.0

    @property
    def frame_count(self) -> int | None:
        return self._count

    def read(self) -> Picture | None:
        if self._left == 0:
            return self._then()
        self._left -= 1
        self._given += 1
        self.closed.wait(0.003)
        return Picture(np.full((2, 2, 3), self._given % 256, np.uint8), time.monotonic())

    def interrupt(self) -> None:
        """A hanging driver does not care."""

    def close(self) -> None:
        assert threading.current_thread() is self.thread
        self.closed.set()


class Bench:
    """Opens one camera after the other."""

    def __init__(self, *cameras: Callable[[], Device]) -> None:
        self._cameras = list(cameras)
        self.opened: list[Device] = []
        self.let_go = threading.Event()

    def put(self, *cameras: Callable[[], Device]) -> None:
        self._cameras = list(cameras)

    def hang(self) -> Picture | None:
        self.let_go.wait(120)
        return None

    def open(self) -> Device:
        camera = self._cameras[min(len(self.opened), len(self._cameras) - 1)]()
        self.opened.append(camera)
        return camera


def test_a_reader_that_hangs_in_its_driver_is_abandoned_and_closes_when_it_is_let_go() -> None:
    bench = Bench()
    bench.put(lambda: Camera(2, bench.hang), lambda: Camera(10**9, bench.hang))
    source = WatchedSource("camera", bench.open, QUICK, 30.0)
    assert source.frame_rate_hz == 12.0
    images = list(islice(source, 10))
    assert len(images) == 10
    assert source.status().state is SourceState.RUNNING
    assert source.status().restarts >= 1
    first = bench.opened[0]
    assert isinstance(first, Camera)
    assert not first.closed.is_set()
    bench.let_go.set()
    assert first.closed.wait(60)
    source.close()


def test_what_an_abandoned_reader_still_says_is_not_heard() -> None:
    bench = Bench()
    late = np.zeros((4, 4, 3), np.uint8)

    def hang_and_picture() -> Picture:
        bench.let_go.wait(120)
        return Picture(late, 0.0)

    bench.put(lambda: Camera(2, hang_and_picture), lambda: Camera(10**9, bench.hang))
    source = WatchedSource("camera", bench.open, QUICK, 30.0)
    images = iter(source)
    while len(bench.opened) < 2:
        next(images)
    bench.let_go.set()
    first = bench.opened[0]
    assert isinstance(first, Camera)
    assert first.closed.wait(60)
    assert all(image.shape == (2, 2, 3) for image in islice(images, 20))
    source.close()


def test_not_ever_more_threads_are_left_in_a_driver_that_hangs() -> None:
    bench = Bench()
    bench.put(lambda: Camera(1, bench.hang))
    source = WatchedSource("camera", bench.open, QUICK, 30.0)
    taken = threading.Thread(target=lambda: list(source), daemon=True)
    taken.start()
    while "readers are stuck" not in source.status().reason:
        taken.join(0.01)
        assert taken.is_alive()
    restarts = source.status().restarts
    while source.status().restarts < restarts + 1:
        taken.join(0.01)
    opened = len(bench.opened)
    assert opened == 4
    bench.let_go.set()
    while len(bench.opened) == opened:  # they are gone: it goes on
        taken.join(0.01)
    source.close()
    taken.join(60)
    assert not taken.is_alive()


def test_opening_that_hangs_is_an_error_at_the_start() -> None:
    let_go = threading.Event()

    def hang() -> Device:
        let_go.wait(120)
        raise SourceError("too late")

    with pytest.raises(SourceError, match=r"cannot open the camera: did not open within 0.3 s"):
        WatchedSource("camera", hang, QUICK.model_copy(update={"open_timeout_s": 0.3}), 30.0)
    let_go.set()


def test_a_camera_that_never_gives_a_picture_is_an_error() -> None:
    bench = Bench()
    bench.put(lambda: Camera(0, bench.hang))
    source = WatchedSource("camera", bench.open, QUICK, 30.0)
    with pytest.raises(SourceError, match=r"the camera gives no picture: no picture for 0.5 s"):
        list(source)
    bench.let_go.set()


def test_an_unforeseen_error_in_a_driver_is_a_failure_like_any_other(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(threading, "excepthook", lambda _args: None)

    def crash() -> Picture:
        raise ZeroDivisionError("of the driver")

    bench = Bench(lambda: Camera(3, crash), lambda: Camera(10**9, crash))
    source = WatchedSource("camera", bench.open, SETTINGS, 30.0)
    assert len(list(islice(source, 20))) == 20
    assert source.status().restarts == 1
    source.close()


def test_who_takes_pictures_slowly_gets_late_ones() -> None:
    left = threading.Event()

    def end() -> None:
        left.set()
        threading.Event().wait(120)

    source = WatchedSource("camera", Bench(lambda: Camera(100, end)).open, SETTINGS, 30.0)
    images = iter(source)
    next(images)
    assert left.wait(60)
    assert [int(next(images)[0, 0, 0]) for _ in range(2)] == [99, 100]
    source.close()


def test_a_recording_waits_for_who_takes_it() -> None:
    source = WatchedSource("film", Bench(lambda: Camera(50, lambda: None, count=50)).open, SETTINGS, 30.0)
    assert (source.live, source.frame_count) == (False, 50)
    assert [int(image[0, 0, 0]) for image in source] == list(range(1, 51))
    assert source.status().state is SourceState.ENDED


def test_a_recording_that_falls_silent_ends_there_with_an_error() -> None:
    bench = Bench()
    bench.put(lambda: Camera(5, bench.hang, count=50))
    source = WatchedSource("film", bench.open, QUICK, 30.0)
    images = iter(source)
    assert len([next(images) for _ in range(5)]) == 5
    with pytest.raises(SourceError, match=r"no picture for 0\.5 s"):
        next(images)
    bench.let_go.set()
