from __future__ import annotations

import queue
import threading
import time
from collections.abc import Iterator
from datetime import UTC, datetime

import numpy as np
import pytest

from edge_client.counters import Counters
from edge_client.errors import SourceError
from edge_client.pipeline.capture import Capture
from edge_client.pipeline.events import Captured, CaptureEnded, Crashed, Event
from edge_client.pipeline.pacing import Pacing
from edge_client.pipeline.room import Room
from edge_client.types import Fix, GpsState, GpsStatus, Image, SourceState, SourceStatus, UtcSource


class Pictures:
    frame_rate_hz = 20.0
    live = False

    def __init__(self, count: int, error: Exception | None = None) -> None:
        self.frame_count = count
        self.error = error
        self.closed = threading.Event()

    def __iter__(self) -> Iterator[Image]:
        for _ in range(self.frame_count):
            yield np.zeros((4, 4, 3), np.uint8)
        if self.error is not None:
            raise self.error

    def status(self) -> SourceStatus:
        return SourceStatus(SourceState.RUNNING)

    def close(self) -> None:
        self.closed.set()


class Positions:
    def at(self, media_time_s: float, monotonic_s: float) -> Fix | None:
        return Fix(media_time_s, 0.0, None, monotonic_s - 0.25) if media_time_s > 0 else None

    def utc_at(self, media_time_s: float) -> datetime | None:
        return datetime(2020, 1, 1, second=int(media_time_s), tzinfo=UTC)

    def status(self) -> GpsStatus:
        return GpsStatus(GpsState.OFF)

    def close(self) -> None:
        pass


def utc(monotonic_s: float) -> tuple[datetime, UtcSource]:
    return datetime(2021, 1, 1, tzinfo=UTC), UtcSource.GPS


def capture(source: Pictures, places: int = 100, *, paced: bool = False, skipped: int = 0) -> list[Event]:
    events: queue.SimpleQueue[Event] = queue.SimpleQueue()
    counters = Counters(())
    running = Capture(source, Positions(), counters, Room(places), events.put, utc=utc, paced=paced, skipped=skipped)
    running.start()
    found: list[Event] = []
    while not found or isinstance(found[-1], Captured):
        found.append(events.get(timeout=20))
    running.join(10)
    assert source.closed.is_set()
    assert counters.summary().captured == counters.summary().in_flight == len(found) - 1
    return found


def test_frames_have_number_time_and_position() -> None:
    events = capture(Pictures(3), skipped=20)
    frames = [event.frame for event in events if isinstance(event, Captured)]
    assert [frame.number for frame in frames] == [0, 1, 2]
    assert [event.media_s for event in events if isinstance(event, Captured)] == [1.0, 1.05, 1.1]
    assert frames[0].captured_utc == datetime(2020, 1, 1, second=1, tzinfo=UTC)
    assert frames[2].fix is not None
    assert frames[2].fix.latitude_deg == pytest.approx(1.1)
    assert frames[2].fix_age_s == pytest.approx(0.25)
    assert isinstance(events[-1], CaptureEnded)
    assert events[-1].error is None


def test_the_sources_error_comes_with_the_end() -> None:
    last = capture(Pictures(2, SourceError("lost")))[-1]
    assert isinstance(last, CaptureEnded)
    assert str(last.error) == "lost"


@pytest.mark.filterwarnings("ignore::pytest.PytestUnhandledThreadExceptionWarning")
def test_an_unforeseen_error_is_not_hidden() -> None:
    last = capture(Pictures(2, ZeroDivisionError()))[-1]
    assert isinstance(last, Crashed)


def test_the_source_waits_while_there_is_no_room() -> None:
    events: queue.SimpleQueue[Event] = queue.SimpleQueue()
    room, counters = Room(2), Counters(())
    running = Capture(Pictures(5), Positions(), counters, room, events.put, utc=utc, paced=False, skipped=0)
    running.start()
    for _ in range(2):
        assert isinstance(events.get(timeout=10), Captured)
    with pytest.raises(queue.Empty):
        events.get(timeout=0.05)
    room.leave()
    assert isinstance(events.get(timeout=10), Captured)
    running.stop()
    assert isinstance(events.get(timeout=10), CaptureEnded)
    assert counters.summary().captured == 3


def test_pacing_keeps_the_schedule_and_begins_anew_when_far_behind() -> None:
    stop = threading.Event()
    pacing = Pacing(100.0)
    begun_s = time.monotonic()
    for index in range(6):
        assert pacing.wait(index, stop)
    assert time.monotonic() - begun_s >= 0.05
    assert pacing._start_s is not None
    pacing._start_s -= 5.0
    assert pacing.wait(6, stop)
    begun_s = time.monotonic()
    assert pacing.wait(16, stop)
    assert time.monotonic() - begun_s >= 0.05
    stop.set()
    assert not pacing.wait(1000, stop)
