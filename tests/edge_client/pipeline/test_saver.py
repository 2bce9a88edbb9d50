from __future__ import annotations

import logging
import threading
import time
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from edge_client.clock import Correction
from edge_client.errors import StoreError
from edge_client.pipeline.saver import Saver
from edge_client.pipeline.settling import Settling
from edge_client.positions.replay import NoPosition
from edge_client.types import TrackRead, UtcSource

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
