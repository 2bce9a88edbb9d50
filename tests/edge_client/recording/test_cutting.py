"""Locks around a moment, and pauses between attempts, by a clock of our own."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from itertools import pairwise
from pathlib import Path

import pytest

from edge_client.recording.cutting import Cutter
from edge_client.recording.disk import Disk
from edge_client.recording.library import recordings_in
from edge_client.recording.stock import Limits
from edge_client.recording.track import Moment
from edge_client.types import UtcSource
from tests.edge_client.recording.samples import DRIVE, packets, settings, until


class Clock:
    """A clock that the test sets."""

    def __init__(self) -> None:
        self.now_s = 1000.0

    def __call__(self) -> float:
        return self.now_s


class Bench:
    """A cutter with its disk; time goes with the packets."""

    def __init__(self, folder: Path, **values: object) -> None:
        self.folder = folder
        self.clock = Clock()
        self.disk = Disk(folder, Limits(10**9, 0), 0.01)
        self.cutter = Cutter(self.disk, settings(**values), DRIVE, self.clock)
        self._packets = iter(packets(1200))

    def play(self, seconds: float) -> None:
        for _ in range(round(seconds * 30)):
            packet = next(self._packets)
            self.clock.now_s = packet.monotonic_s
            self.cutter.add(packet)

    def locked(self) -> list[int]:
        self.cutter.close()
        assert self.disk.close(20.0)
        return [r.name.number for r in recordings_in(self.folder) if r.lock is not None]


@pytest.fixture
def folder(tmp_path: Path) -> Iterator[Path]:
    yield tmp_path / "rec"


@pytest.mark.parametrize(
    ("at_s", "kept"),
    [
        (11.0, [1, 2]),  # soon after a segment began: the one before is kept too
        (15.0, [2]),
        (19.0, [2, 3]),  # soon before the next one
    ],
)
def test_a_lock_keeps_what_is_near_it(folder: Path, at_s: float, kept: list[int]) -> None:
    bench = Bench(folder, segment_s=10.0, lock_around_s=3.0)
    bench.play(at_s)
    bench.cutter.lock("brake", bench.clock())
    bench.play(39.0 - at_s)
    assert bench.locked() == kept


def test_a_lock_keeps_all_short_segments_that_are_near_it(folder: Path) -> None:
    bench = Bench(folder, segment_s=2.0, lock_around_s=5.0)
    bench.play(13.0)
    bench.cutter.lock("brake", bench.clock())
    bench.play(10.0)
    assert bench.locked() == list(range(4, 10))  # from 8 s to 18 s, and what these cut through


def test_a_lock_after_the_end_of_a_segment_still_finds_it(folder: Path) -> None:
    bench = Bench(folder, segment_s=10.0, lock_around_s=3.0)
    bench.play(5.0)
    bench.cutter.fail("a test")
    bench.cutter.lock("brake", bench.clock() + 2.0)
    assert bench.locked() == [1]


def test_pauses_grow_while_it_fails_and_what_comes_meanwhile_is_counted(folder: Path) -> None:
    folder.parent.mkdir(exist_ok=True)
    folder.write_text("no folder")
    bench = Bench(folder, segment_s=60.0)
    tried_s: list[float] = []
    while len(tried_s) < 5:
        was_open = bench.cutter.segment is not None
        bench.play(1 / 30)
        segment = bench.cutter.segment
        if segment is not None and not was_open:
            tried_s.append(bench.clock())
            assert until(lambda s=segment: s.failure is not None)  # type: ignore[misc]
    pauses = [b - a for a, b in pairwise(tried_s)]
    for pause, wanted in zip(pauses, (1.0, 2.0, 4.0, 8.0), strict=True):
        assert wanted <= pause <= wanted + 1.1  # a segment begins with a key frame
    assert "cannot write" in bench.cutter.failure
    folder.unlink()
    bench.play(18.0)
    assert until(lambda: bool(bench.cutter.segment and bench.cutter.segment.durable))
    bench.play(1.0)
    assert bench.cutter.failure == ""
    bench.locked()
    (found,) = recordings_in(folder)
    assert found.track.end is not None
    played = round((bench.clock() - 1000.0) * 30) + 1
    assert found.track.end.frames + bench.cutter.lost_frames + bench.disk.lost_frames == played


def test_names_go_on_when_the_clock_stands_in_1970(folder: Path) -> None:
    first = Bench(folder)
    first.play(5.0)
    first.locked()
    before = [r.name.stem for r in recordings_in(folder)]
    second = Bench(folder)
    second.cutter.tell(_stale())
    second.play(5.0)
    second.locked()
    stems = [r.name.stem for r in recordings_in(folder)]
    assert stems[: len(before)] == before
    assert stems == sorted(stems)
    assert [r.name.number for r in recordings_in(folder)] == [1, 2, 3, 4, 5, 6]
    assert "_1970" in stems[3]


def _stale() -> Moment:
    return Moment(1000.0, datetime(1970, 1, 1, tzinfo=UTC), UtcSource.SYSTEM)
