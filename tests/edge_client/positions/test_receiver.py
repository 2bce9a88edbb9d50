from __future__ import annotations

import queue
import threading
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from itertools import pairwise

import pytest

from edge_client.errors import PositionError
from edge_client.positions.history import FixHistory
from edge_client.positions.receiver import Heard, Receiver
from edge_client.types import Fix, GpsState

START = datetime(2026, 1, 2, tzinfo=UTC)


def fix(latitude: float = 45.0, second: int = 0, received_s: float | None = None) -> Fix:
    received_s = time.monotonic() if received_s is None else received_s
    return Fix(latitude, 23.0, START + timedelta(seconds=second), received_s)


class FakeLink:
    """A receiver that says what it is told to; an error unplugs it."""

    name = "fake"

    def __init__(self) -> None:
        self.says: queue.SimpleQueue[Heard | Exception | None] = queue.SimpleQueue()
        self.opened: queue.SimpleQueue[float] = queue.SimpleQueue()

    def listen(self) -> Iterator[Heard]:
        self.opened.put(time.monotonic())
        while (said := self.says.get()) is not None:
            if isinstance(said, Exception):
                raise said
            yield said

    def interrupt(self) -> None:
        self.says.put(None)


@pytest.fixture
def link() -> FakeLink:
    return FakeLink()


@pytest.fixture
def told() -> queue.SimpleQueue[Fix]:
    return queue.SimpleQueue()


@pytest.fixture
def receiver(link: FakeLink, told: queue.SimpleQueue[Fix]) -> Iterator[Receiver]:
    made = Receiver(link, FixHistory(10.0, 3.0, 100.0), 10.0, told.put, first_pause_s=0.005)
    yield made
    made.close()
    assert not made._thread.is_alive()


def wait_for(receiver: Receiver, state: GpsState, timeout_s: float = 60.0) -> None:
    end_s = time.monotonic() + timeout_s
    while receiver.status().state is not state:
        assert time.monotonic() < end_s, receiver.status()
        threading.Event().wait(0.005)


def test_it_goes_from_connecting_over_searching_to_a_fix(
    link: FakeLink, receiver: Receiver, told: queue.SimpleQueue[Fix]
) -> None:
    assert receiver.status().state is GpsState.CONNECTING
    link.says.put(Heard(void=True))
    wait_for(receiver, GpsState.SEARCHING)
    assert "no fix" in receiver.status().reason
    link.says.put(Heard(fix()))
    assert told.get(timeout=10).latitude_deg == 45.0
    wait_for(receiver, GpsState.FIX)
    found = receiver.at(0.0, time.monotonic())
    assert found is not None
    assert found.latitude_deg == 45.0
    assert receiver.utc_at(0.0) is None


def test_an_unplugged_receiver_is_waited_for_and_used_again(
    link: FakeLink, receiver: Receiver, told: queue.SimpleQueue[Fix]
) -> None:
    link.says.put(Heard(fix()))
    told.get(timeout=10)
    for _ in range(3):
        link.says.put(PositionError("fake: unplugged"))
    wait_for(receiver, GpsState.CONNECTING)
    assert receiver.at(0.0, time.monotonic()) is not None
    assert [link.opened.get(timeout=10) for _ in range(4)]
    assert "unplugged" in receiver.status().reason
    link.says.put(Heard(fix(second=12), notice=""))
    told.get(timeout=10)
    wait_for(receiver, GpsState.FIX)
    assert receiver.status().reason == ""


def test_an_error_of_another_kind_does_not_end_the_listening(
    link: FakeLink, receiver: Receiver, told: queue.SimpleQueue[Fix]
) -> None:
    link.says.put(OverflowError("int too large to convert to float"))
    assert [link.opened.get(timeout=10) for _ in range(2)]
    assert "int too large" in receiver.status().reason
    link.says.put(Heard(fix(), notice=""))
    assert told.get(timeout=10).latitude_deg == 45.0
    wait_for(receiver, GpsState.FIX)


def test_pauses_grow_while_it_is_gone(link: FakeLink, receiver: Receiver) -> None:
    for _ in range(4):
        link.says.put(PositionError("gone"))
    times = [link.opened.get(timeout=10) for _ in range(5)]
    pauses = [b - a for a, b in pairwise(times)]
    assert all(pause >= least for pause, least in zip(pauses, (0.01, 0.02, 0.04, 0.08), strict=True))


def test_a_receiver_without_sky_searches_and_one_that_repeats_itself_is_stale(
    link: FakeLink, receiver: Receiver, told: queue.SimpleQueue[Fix]
) -> None:
    old = fix(received_s=time.monotonic() - 11.0)
    link.says.put(Heard(old))
    told.get(timeout=10)
    wait_for(receiver, GpsState.STALE)
    assert "nothing new" in receiver.status().reason
    link.says.put(Heard(old))
    link.says.put(Heard(void=True))
    wait_for(receiver, GpsState.SEARCHING)
    assert receiver.at(0.0, time.monotonic()) is None
    assert told.empty()


def test_in_a_garage_it_searches_though_the_last_fix_is_not_old(
    link: FakeLink, receiver: Receiver, told: queue.SimpleQueue[Fix]
) -> None:
    link.says.put(Heard(fix(received_s=time.monotonic() - 2.0)))
    told.get(timeout=10)
    wait_for(receiver, GpsState.FIX)
    link.says.put(Heard(void=True))
    wait_for(receiver, GpsState.SEARCHING)


def test_broken_lines_and_jumps_are_counted_and_a_moment_is_told_once(
    link: FakeLink, receiver: Receiver, told: queue.SimpleQueue[Fix]
) -> None:
    now_s = time.monotonic()
    for heard in (Heard(broken=True), Heard(fix(received_s=now_s)), Heard(fix(received_s=now_s)), Heard(broken=True)):
        link.says.put(heard)
    link.says.put(Heard(fix(46.0, 1, now_s + 1)))
    link.says.put(Heard(fix(45.0001, 2, now_s + 2)))
    assert [told.get(timeout=10).latitude_deg for _ in range(2)] == [45.0, 45.0001]
    assert receiver.status().rejected == 3
