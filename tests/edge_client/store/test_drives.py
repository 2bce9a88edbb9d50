"""Drives, their tracks, and a clock that is set while driving."""

from __future__ import annotations

import signal
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from edge_client.store.drives import DriveLog, DriveStart, Position
from edge_client.store.library import ReadFilter, ReadLibrary
from edge_client.store.writer import SqliteReads
from edge_client.types import UtcSource
from tests.edge_client.samples import START, read, single

ROOT = Path(__file__).resolve().parents[3]
DAY = timedelta(days=20_000)
BEFORE = datetime(1970, 1, 1, 0, 1, tzinfo=UTC)


@pytest.fixture
def store(tmp_path: Path) -> Iterator[SqliteReads]:
    opened = SqliteReads(tmp_path / "reads.db")
    assert isinstance(opened, DriveLog)
    yield opened
    opened.close()


def at(seconds: float, latitude: float = 45.75, source: UtcSource = UtcSource.SYSTEM) -> Position:
    return Position(BEFORE + timedelta(seconds=seconds), latitude, 21.22, 10.0, 90.0, source)


def test_a_drive_with_its_track(store: SqliteReads, tmp_path: Path) -> None:
    store.begin_drive(DriveStart("d", START, source="road.mp4"))
    store.begin_drive(DriveStart("d", START + timedelta(hours=1)))  # it has begun already
    store.add_positions("d", [at(0), at(1, 45.751)])
    store.add_positions("d", [at(1, 45.752), at(2)])
    store.save(replace(read("t"), drive="d"))
    store.end_drive("d", START + timedelta(minutes=10))
    with ReadLibrary(tmp_path / "reads.db") as library:
        (drive,) = library.drives()
        assert (drive.uid, drive.started, drive.source, drive.reads) == ("d", START, "road.mp4", 1)
        assert drive.ended == START + timedelta(minutes=10)
        assert [p.latitude_deg for p in library.track("d")] == [45.75, 45.752, 45.75]
        assert library.track("d", until=BEFORE + timedelta(seconds=1))[-1].seen == BEFORE
        assert library.find(ReadFilter())[0].ended  # nobody ended its track


def test_a_clock_that_was_set_moves_all_that_it_told(store: SqliteReads, tmp_path: Path) -> None:
    first = replace(read("t", singles=(single(1),)), drive="d", first_seen=BEFORE, last_seen=BEFORE)
    store.begin_drive(DriveStart("d", BEFORE))
    store.save(first)
    store.save(replace(first, uid="r", utc_source=UtcSource.RECORDING))
    store.save(replace(first, uid="other", drive="e"))
    store.add_positions("d", [at(n) for n in range(5)])
    store.correct_times("d", DAY, UtcSource.GPS)
    store.correct_times("d", timedelta(seconds=2), UtcSource.GPS)  # the receiver thought better of it
    right = BEFORE + DAY + timedelta(seconds=2)
    with ReadLibrary(tmp_path / "reads.db") as library:
        found = {r.uid: r for r in library.find(ReadFilter())}
        assert (found["t"].first_seen, found["t"].utc_source) == (right, "gps")
        assert found["t"].time_shift_s == DAY.total_seconds() + 2
        assert found["r"].first_seen == found["other"].first_seen == BEFORE
        behind = library.singles(found["t"].id)[0]
        assert abs(behind.seen - single(1).utc - DAY - timedelta(seconds=2)) < timedelta(milliseconds=2)
        assert [p.seen for p in library.track("d")] == [right + timedelta(seconds=n) for n in range(5)]
        assert library.drives()[0].started == right


@pytest.mark.parametrize("shift_s", [1, -1, 3, -3])
def test_points_that_move_onto_their_neighbours_places_are_all_kept(
    store: SqliteReads, tmp_path: Path, shift_s: int
) -> None:
    store.begin_drive(DriveStart("d", BEFORE))
    store.add_positions("d", [at(n, 45 + n / 100) for n in range(10)])
    store.correct_times("d", timedelta(seconds=shift_s), UtcSource.GPS)
    with ReadLibrary(tmp_path / "reads.db") as library:
        assert [p.latitude_deg for p in library.track("d")] == [45 + n / 100 for n in range(10)]


def test_a_correction_that_fails_changes_nothing_and_can_be_repeated(store: SqliteReads, tmp_path: Path) -> None:
    store.begin_drive(DriveStart("d", BEFORE))
    store.save(replace(read("t"), drive="d", first_seen=BEFORE, last_seen=BEFORE))
    connection = store._connection
    assert connection is not None
    connection.execute("CREATE TRIGGER no BEFORE UPDATE ON drives BEGIN SELECT RAISE(ABORT, 'no'); END")
    with pytest.raises(Exception, match="no"):
        store.correct_times("d", DAY, UtcSource.GPS)
    connection.execute("DROP TRIGGER no")
    store.correct_times("d", DAY, UtcSource.GPS)
    with ReadLibrary(tmp_path / "reads.db") as library:
        assert library.find(ReadFilter())[0].first_seen == BEFORE + DAY


KILLED = """
import os, sys
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from edge_client.store import writer
from edge_client.store.drives import DriveStart, finish_shifts
from edge_client.types import UtcSource
from tests.edge_client.samples import read, single
from tests.edge_client.store.test_drives import BEFORE, DAY, at
store = writer.SqliteReads(Path(sys.argv[1]))
store.begin_drive(DriveStart("d", BEFORE))
store.save(replace(read("t", singles=(single(1),)), drive="d", first_seen=BEFORE, last_seen=BEFORE, ended=False))
store.add_positions("d", [at(n) for n in range(3)])
def kill(connection):
    if sys.argv[2] == "amid":
        finish_shifts(connection)  # in a transaction that never ends
    os.kill(os.getpid(), 9)
writer.finish_shifts = kill
store.correct_times("d", DAY, UtcSource.GPS)
"""


@pytest.mark.parametrize("moment", ["noted", "amid"])
def test_a_correction_that_a_kill_cut_off_is_finished_by_the_next_drive(tmp_path: Path, moment: str) -> None:
    path = tmp_path / "reads.db"
    done = subprocess.run([sys.executable, "-c", KILLED, str(path), moment], cwd=ROOT, check=False)
    assert done.returncode == -signal.SIGKILL
    with ReadLibrary(path) as library:
        assert library.find(ReadFilter())[0].utc_source == "system"
    for _ in range(2):  # once and no more
        store = SqliteReads(path)
        store.begin_drive(DriveStart("e", START))
        store.close()
        with ReadLibrary(path) as library:
            (found,) = library.find(ReadFilter())
            assert (found.first_seen, found.utc_source, found.time_shift_s) == (
                BEFORE + DAY,
                "gps",
                DAY.total_seconds(),
            )
            assert [p.seen for p in library.track("d")] == [BEFORE + DAY + timedelta(seconds=n) for n in range(3)]
            assert library.drives()[0].started == BEFORE + DAY
            assert library.drives()[0].ended == BEFORE + DAY + timedelta(seconds=2)
    late = SqliteReads(path)
    late.save(replace(read("spooled"), drive="d", first_seen=BEFORE, last_seen=BEFORE))
    late.close()
    with ReadLibrary(path) as library:
        assert {r.uid: r.first_seen for r in library.find(ReadFilter())}["spooled"] == BEFORE + DAY


def test_what_comes_late_for_an_earlier_drive_is_moved_as_that_was(store: SqliteReads, tmp_path: Path) -> None:
    store.begin_drive(DriveStart("d", BEFORE))
    store.correct_times("d", DAY, UtcSource.GPS)
    late = replace(read("late", singles=(single(1),)), drive="d", first_seen=BEFORE, last_seen=BEFORE)
    store.save(late)  # of a drive of this process: whoever saves has moved it
    restarted = SqliteReads(tmp_path / "reads.db")
    restarted.save(replace(late, uid="spooled"))
    restarted.save(replace(late, uid="right", first_seen=START, last_seen=START, utc_source=UtcSource.GPS))
    restarted.close()
    with ReadLibrary(tmp_path / "reads.db") as library:
        found = {r.uid: r for r in library.find(ReadFilter())}
    assert found["late"].first_seen == BEFORE
    assert (found["spooled"].first_seen, found["spooled"].utc_source) == (BEFORE + DAY, "gps")
    assert found["right"].first_seen == START


def test_a_drive_lasts_to_its_last_sign_of_life(store: SqliteReads, tmp_path: Path) -> None:
    store.begin_drive(DriveStart("d", BEFORE))
    store.add_positions("d", [at(30)])
    connection = sqlite3.connect(tmp_path / "reads.db", isolation_level=None)
    connection.execute("UPDATE drives SET holder = ''")
    connection.close()
    store.begin_drive(DriveStart("e", START))
    with ReadLibrary(tmp_path / "reads.db") as library:
        assert [d.ended for d in library.drives()] == [BEFORE + timedelta(seconds=30), None]
