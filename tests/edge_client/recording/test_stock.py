"""Room is made by removing the oldest segments, never locked ones or those in use."""

from __future__ import annotations

import fcntl
import os
import shutil
from collections import namedtuple
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from edge_client.recording.locks import lock_segment
from edge_client.recording.names import SegmentName
from edge_client.recording.stock import Limits, NoRoomError, expired, make_room, remove_expired, stock_of
from tests.edge_client.recording.samples import START

Usage = namedtuple("Usage", "total used free")
SIZE = 1000


def segment(folder: Path, number: int, *, locked: bool = False, at: datetime = START) -> SegmentName:
    name = SegmentName.of(number, at)
    name.video(folder).write_bytes(b"v" * (SIZE - 100))
    name.track(folder).write_bytes(b"t" * 100)
    if locked:
        lock_segment(folder, name, "")
        name.lock(folder).write_bytes(b"")
    return name


def numbers(folder: Path) -> list[int]:
    return [item.name.number for item in stock_of(folder)]


def test_the_stock_is_what_lies_there(tmp_path: Path) -> None:
    segment(tmp_path, 2, locked=True)
    segment(tmp_path, 1)
    (tmp_path / "holiday.mp4").write_bytes(b"x" * 10**6)
    assert [(i.name.number, i.size_bytes, i.locked) for i in stock_of(tmp_path)] == [(1, SIZE, False), (2, SIZE, True)]


def test_the_oldest_go_until_the_limit_is_kept(tmp_path: Path) -> None:
    for number in range(1, 11):
        segment(tmp_path, number)
    assert make_room(tmp_path, Limits(8 * SIZE, 0)) == 7 * SIZE  # and some room to write into
    assert numbers(tmp_path) == list(range(4, 11))
    assert sorted(path.suffix for path in tmp_path.iterdir()) == [".jsonl"] * 7 + [".mp4"] * 7


def test_locked_ones_stay_and_others_go_for_them(tmp_path: Path) -> None:
    for number in range(1, 6):
        segment(tmp_path, number, locked=number in {1, 3})
    make_room(tmp_path, Limits(4 * SIZE, 0))
    assert numbers(tmp_path) == [1, 3, 5]
    with pytest.raises(NoRoomError, match="only locked recordings are left"):
        make_room(tmp_path, Limits(2 * SIZE, 0))
    assert numbers(tmp_path) == [1, 3]


def test_the_one_that_is_written_stays(tmp_path: Path) -> None:
    first = segment(tmp_path, 1)
    segment(tmp_path, 2)
    handle = os.open(first.video(tmp_path), os.O_RDONLY)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX)
        make_room(tmp_path, Limits(2 * SIZE, 0))
        assert numbers(tmp_path) == [1]
    finally:
        os.close(handle)


def test_the_reserve_of_the_disk_is_kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for number in range(1, 6):
        segment(tmp_path, number)
    limits = Limits(16 * SIZE, 5 * SIZE)

    def usage(path: object) -> Usage:
        left = sum(item.size_bytes for item in stock_of(tmp_path))
        return Usage(10 * SIZE, 0, 9 * SIZE - left)

    monkeypatch.setattr(shutil, "disk_usage", usage)
    make_room(tmp_path, limits)
    assert numbers(tmp_path) == [3, 4, 5]
    with pytest.raises(NoRoomError, match=r"free on its disk.*make room there"):
        make_room(tmp_path, Limits(16 * SIZE, 9 * SIZE))
    assert numbers(tmp_path) == []


def test_old_segments_go_by_their_age_and_locked_ones_stay(tmp_path: Path) -> None:
    for number, days in ((1, 0), (2, 0), (3, 5), (4, 9)):
        segment(tmp_path, number, at=START + timedelta(days=days), locked=number == 2)
    now = START + timedelta(days=12)
    remove_expired(tmp_path, Limits(16 * SIZE, 0), now)
    assert numbers(tmp_path) == [1, 2, 3, 4]
    remove_expired(tmp_path, Limits(16 * SIZE, 0, 6.0), now)
    assert numbers(tmp_path) == [2, 4]


def test_a_clock_that_was_not_set_makes_nothing_old(tmp_path: Path) -> None:
    """The number gives the order: what was recorded after the third one is younger than that."""
    boot = datetime(1970, 1, 1, tzinfo=UTC)
    for number, at in ((1, boot), (2, START), (3, boot), (4, START + timedelta(days=9)), (5, boot)):
        segment(tmp_path, number, at=at)
    stock = stock_of(tmp_path)

    def old(now: datetime) -> list[int]:
        return [item.name.number for item in expired(stock, now, 6.0)]

    assert old(START + timedelta(days=12)) == [1, 2]
    assert old(START + timedelta(days=16)) == [1, 2, 3, 4]
    assert old(boot + timedelta(days=100)) == []
