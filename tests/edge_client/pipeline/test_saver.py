from __future__ import annotations

import logging
import threading
import time
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import numpy as np
import pytest

from edge_client.clock import Correction
from edge_client.errors import StoreError
from edge_client.pipeline.saver import Saver
from edge_client.pipeline.settling import Settling
from edge_client.positions.replay import NoPosition
from edge_client.store.drives import DriveStart, Position
from edge_client.types import Alert, Fix, Frame, StoreStatus, TrackRead, UtcSource
from tests.edge_client.samples import single

START = datetime(2026, 1, 2, tzinfo=UTC)


def read(uid: str, text: str = "AB123", supersedes: Sequence[str] = ()) -> TrackRead:
    return TrackRead(uid, text, 0.9, (0.9,) * len(text), START, START, None, None, None, b"", (), tuple(supersedes))


class Store:
    """A store whose disk may be full, and which can be held up."""

    def __init__(self, failures: int = 0) -> None:
        self.saved: list[TrackRead] = []
        self.corrected: list[tuple[int, str, timedelta, UtcSource]] = []
        self.failures = failures
        self.gate = threading.Event()
        self.gate.set()
        self.entered = threading.Event()
        self.closed = False
        self.failed_enough = threading.Event()

    def save(self, read: TrackRead) -> None:
        self.entered.set()
        assert self.gate.wait(20)
        if self.failures > 0:
            self.failures -= 1
            if self.failures == 0:
                self.failed_enough.set()
            raise StoreError("the disk is full")
        self.saved.append(read)

    def correct_times(self, drive: str, shift: timedelta, source: UtcSource) -> None:
        self.corrected.append((len(self.saved), drive, shift, source))

    def close(self) -> None:
        self.closed = True


def test_saves_in_order_and_closes() -> None:
    store = Store()
    saver = Saver(store)
    saver.put([read("a"), read("b")])
    saver.put([read("c")])
    saver.close(10)
    assert [r.uid for r in store.saved] == ["a", "b", "c"]
    assert store.closed


def test_only_the_newest_version_of_what_waits_is_written() -> None:
    store = Store()
    store.gate.clear()
    saver = Saver(store)
    saver.put([read("a", "FIRST")])
    assert store.entered.wait(10)
    for text in ("SECOND", "THIRD"):
        saver.put([read("b", text)])
    saver.put([read("c"), read("d", supersedes=["c"])])
    store.gate.set()
    saver.close(10)
    assert [(r.uid, r.text) for r in store.saved] == [("a", "FIRST"), ("b", "THIRD"), ("d", "AB123")]


def test_a_read_that_changed_while_it_was_written_is_written_again() -> None:
    store = Store()
    store.gate.clear()
    saver = Saver(store)
    saver.put([read("a", "OLD")])
    assert store.entered.wait(10)
    saver.put([replace(read("a"), text="NEW")])
    store.gate.set()
    saver.close(10)
    assert [r.text for r in store.saved] == ["OLD", "NEW"]


def test_a_full_disk_is_tried_again_until_there_is_room(caplog: pytest.LogCaptureFixture) -> None:
    store = Store(failures=2)
    with caplog.at_level(logging.WARNING):
        saver = Saver(store)
        saver.put([read("a")])
        assert store.failed_enough.wait(20)
        saver.close(20)
    assert [r.uid for r in store.saved] == ["a"]
    assert "disk is full" in caplog.text


def test_reads_that_are_lost_in_the_end_are_an_error() -> None:
    store = Store(failures=1000)
    saver = Saver(store)
    saver.put([read("a"), read("b")])
    with pytest.raises(StoreError, match="2 reads could not be written: the disk is full"):
        saver.close(20)
    assert store.closed


def test_a_disk_that_does_not_answer_is_an_error() -> None:
    store = Store()
    store.gate.clear()
    saver = Saver(store)
    saver.put([read("a")])
    with pytest.raises(StoreError, match="does not answer"):
        saver.close(0.05)
    store.gate.set()


def correction(shift_s: float = 60.0) -> Correction:
    return Correction("drive", timedelta(seconds=shift_s), UtcSource.GPS, START + timedelta(seconds=10), 110.0)


def test_a_correction_comes_between_what_was_written_before_and_what_waits() -> None:
    store = Store()
    saver = Saver(store, Settling(NoPosition(), "drive"))
    saver.put([read("a")])
    assert store.entered.wait(10)
    while not store.saved:
        time.sleep(0.001)
    store.gate.clear()
    store.entered.clear()
    saver.put([read("b")])
    assert store.entered.wait(10)
    saver.correct(correction())
    later = START + timedelta(seconds=80)
    saver.put([read("c"), replace(read("d"), first_seen=later, last_seen=later)])
    store.gate.set()
    saver.close(10)
    shift = timedelta(seconds=60)
    assert store.corrected == [(2, "drive", shift, UtcSource.GPS)]
    assert [(r.uid, r.first_seen - START) for r in store.saved] == [
        ("a", timedelta()),
        ("b", timedelta()),
        ("c", shift),
        ("d", timedelta(seconds=80)),
    ]
    assert [r.utc_source for r in store.saved[2:]] == [UtcSource.GPS, UtcSource.SYSTEM]


def test_a_correction_that_the_disk_refuses_is_tried_again_and_counts_once() -> None:
    class Refusing(Store):
        refusals = 2

        def correct_times(self, drive: str, shift: timedelta, source: UtcSource) -> None:
            if self.refusals:
                self.refusals -= 1
                raise StoreError("the disk is full")
            super().correct_times(drive, shift, source)

    store = Refusing()
    saver = Saver(store, Settling(NoPosition(), "drive"))
    saver.correct(correction())
    saver.put([read("a")])
    while not store.saved:
        time.sleep(0.001)
    saver.close(10)
    assert [row[0] for row in store.corrected] == [0]
    assert store.saved[0].first_seen == START + timedelta(seconds=60)


def frame(seconds: float, latitude: float = 45.0) -> Frame:
    fix = Fix(latitude, 21.0, None, 0.0, 10.0, 90.0)
    return Frame(0, np.zeros((2, 2, 3), np.uint8), seconds, START + timedelta(seconds=seconds), fix, 0.1)


class Log(Store):
    """A store that keeps drives too."""

    def __init__(self, failures: int = 0) -> None:
        super().__init__(failures)
        self.told: list[object] = []

    def begin_drive(self, drive: DriveStart) -> None:
        self.told.append(drive)

    def end_drive(self, uid: str, ended: datetime) -> None:
        self.told.append(("end", uid, ended))

    def add_positions(self, drive: str, positions: Sequence[Position]) -> None:
        self.told += [(p.utc, p.latitude_deg) for p in positions]

    def tend(self) -> None:
        self.told.append("tend")

    def status(self) -> StoreStatus:
        return StoreStatus(notice="a new list", events_waiting=3)

    def alerts(self) -> tuple[Alert, ...]:
        return (Alert("a", "AB123", "a friend", "", START),)

    def hides(self, text: str) -> bool:
        return text == "OWN1"

    def named(self, text: str) -> str:
        return f"#{len(text)}"


def test_a_drive_begins_has_its_track_and_ends() -> None:
    log = Log()
    saver = Saver(log, drive="d")
    for n in range(4):
        saver.captured(frame(n / 2, 45 + n / 1000))
    saver.close(10)
    assert log.told == [
        DriveStart("d", START),
        (START, 45.0),
        (START + timedelta(seconds=1), 45.002),
        ("end", "d", START + timedelta(seconds=1.5)),
    ]


def test_what_waits_is_moved_with_the_clock() -> None:
    log = Log()
    log.gate.clear()  # the disk is busy with a read: everything else waits
    saver = Saver(log, drive="d")
    saver.put([read("a")])
    assert log.entered.wait(10)
    saver.captured(frame(0))
    hour = timedelta(hours=1)
    saver.correct(Correction("d", hour, UtcSource.GPS, START, 0.0))
    saver.captured(Frame(1, np.zeros((2, 2, 3), np.uint8), 1.0, START + hour + timedelta(seconds=1), None))
    log.gate.set()
    saver.close(10)
    assert [what[1:] for what in log.corrected] == [("d", hour, UtcSource.GPS)]
    assert DriveStart("d", START + hour, UtcSource.GPS) in log.told
    assert (START + hour, 45.0) in log.told
    assert log.told[-1] == ("end", "d", START + hour + timedelta(seconds=1))


def test_what_the_store_says_is_passed_on() -> None:
    saver = Saver(Log(), drive="d")
    assert saver.status() == StoreStatus(notice="a new list", events_waiting=3)
    assert [alert.name for alert in saver.alerts()] == ["a friend"]
    assert saver.hides("OWN1")
    assert not saver.hides("AB123")
    assert saver.named("AB123") == "#5"
    saver.close(10)


def test_a_store_of_reads_alone_gets_reads_alone() -> None:
    store = Store()
    saver = Saver(store, drive="d")
    saver.captured(frame(0))
    saver.put([read("a")])
    assert saver.alerts() == ()
    assert not saver.hides("OWN1")
    assert saver.named("AB123") == "AB123"
    saver.close(10)
    assert [r.uid for r in store.saved] == ["a"]


def test_memory_is_bounded_while_the_disk_is_full(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("edge_client.pipeline.saver._MOST_READS", 6)
    monkeypatch.setattr("edge_client.pipeline.saver._WITH_SINGLES", 2)
    store = Store()
    store.gate.clear()
    saver = Saver(store)
    saver.put([read("first")])
    assert store.entered.wait(10)
    heavy = [replace(read(f"r{n}"), singles=(single(n),)) for n in range(9)]
    for one in heavy:
        saver.put([one])
    assert saver.status() == StoreStatus(waiting=6, lost=4)
    store.gate.set()
    saver.close(10)
    assert [(r.uid, len(r.singles)) for r in store.saved[1:]] == [
        ("r3", 0), ("r4", 0), ("r5", 0), ("r6", 0), ("r7", 1), ("r8", 1),
    ]  # fmt: skip
