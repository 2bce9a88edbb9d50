"""What is queued for receivers as reads are saved."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from edge_client.errors import StoreError
from edge_client.outbox.box import Mailing
from edge_client.store.drives import DriveStart
from edge_client.store.known import KnownPlate
from edge_client.store.writer import SqliteReads
from tests.edge_client.samples import START, read

EVERY = frozenset({"new", "update", "end", "alert"})
FRIEND = KnownPlate("B123XYZ", "a friend", "blue van", "alert", 0.5)


class Woken:
    def __init__(self) -> None:
        self.times = 0

    def __call__(self) -> None:
        self.times += 1


@pytest.fixture
def woken() -> Woken:
    return Woken()


@pytest.fixture
def store(tmp_path: Path, woken: Woken) -> Iterator[SqliteReads]:
    opened = SqliteReads(tmp_path / "reads.db", mailing=Mailing(("a",), EVERY, 1000), on_events=woken)
    yield opened
    opened.close()


def queued(path: Path, receiver: str = "a") -> list[dict[str, object]]:
    connection = sqlite3.connect(path / "reads.db")
    rows = connection.execute("SELECT payload FROM outbox WHERE receiver = ? ORDER BY id", (receiver,)).fetchall()
    connection.close()
    return [json.loads(row[0]) for row in rows]


def told(path: Path) -> list[tuple[object, object]]:
    return [(event["track"], event["kind"]) for event in queued(path)]


def test_a_track_is_new_then_updated_then_ended(store: SqliteReads, tmp_path: Path, woken: Woken) -> None:
    first = replace(read("t", "B123XY2", 0.6), drive="d")
    store.save(first)
    store.save(first)  # nothing new to tell
    store.save(replace(first, text="B123XYZ", confidence=0.9))
    store.save(replace(first, text="B123XYZ", confidence=0.9, ended=True))
    store.save(replace(first, text="B123XYZ", confidence=0.9, ended=True))
    assert told(tmp_path) == [("t", "new"), ("t", "update"), ("t", "end")]
    assert woken.times == 3
    events = queued(tmp_path)
    assert len({event["id"] for event in events}) == 3
    assert [event["plate"] for event in events] == ["B123XY2", "B123XYZ", "B123XYZ"]
    assert events[0]["drive"] == "d"
    assert events[0]["first_seen"] == "2026-05-01T10:00:00.250Z"


def test_a_read_that_is_saved_at_its_end_is_new_and_ended(store: SqliteReads, tmp_path: Path) -> None:
    store.save(replace(read("t"), ended=True))
    assert told(tmp_path) == [("t", "new"), ("t", "end")]


def test_a_superseded_track_ends_and_says_by_whom(store: SqliteReads, tmp_path: Path) -> None:
    store.save(read("a"))
    store.save(replace(read("b"), ended=True))
    store.save(read("c", supersedes=("a", "b", "unknown")))
    events = queued(tmp_path)[3:]
    assert [(e["track"], e["kind"]) for e in events] == [("a", "end"), ("c", "new")]
    assert events[0]["superseded_by"] == "c"


def test_an_alert_is_told_once_per_track_also_after_it_was_merged(store: SqliteReads, tmp_path: Path) -> None:
    store.save(read("a"), FRIEND)
    store.save(read("a", confidence=0.99), FRIEND)
    store.save(read("b", supersedes=("a",)), FRIEND)
    alerts = [event for event in queued(tmp_path) if event["kind"] == "alert"]
    assert [event["track"] for event in alerts] == ["a"]
    assert alerts[0]["known"] == {"name": "a friend", "note": "blue van", "action": "alert"}


def test_what_is_not_wanted_or_to_be_kept_quiet_is_not_queued(tmp_path: Path) -> None:
    mailing = Mailing(("a", "b"), frozenset({"end"}), 1000)
    store = SqliteReads(tmp_path / "reads.db", mailing=mailing)
    store.save(read("t"))
    store.save(read("q"), quietly=True)
    store.save(replace(read("t"), ended=True))
    store.close()
    assert [e["kind"] for e in queued(tmp_path, "a")] == ["end"]
    assert queued(tmp_path, "b") == queued(tmp_path, "a")


def test_the_oldest_events_go_and_are_counted(tmp_path: Path) -> None:
    store = SqliteReads(tmp_path / "reads.db", mailing=Mailing(("a",), EVERY, 3))
    for n in range(5):
        store.save(read(f"t{n}"))
    assert told(tmp_path) == [("t2", "new"), ("t3", "new"), ("t4", "new")]
    assert store.events() == (3, 2)
    store.close()


def test_a_read_that_cannot_be_saved_queues_nothing(store: SqliteReads, tmp_path: Path, woken: Woken) -> None:
    connection = store._connection
    assert connection is not None
    connection.execute("CREATE TRIGGER full AFTER INSERT ON outbox BEGIN SELECT RAISE(ABORT, 'no room'); END")
    with pytest.raises(StoreError, match="no room"):
        store.save(read("t"))
    connection.execute("DROP TRIGGER full")
    assert queued(tmp_path) == []
    assert connection.execute("SELECT count(*) FROM reads").fetchone() == (0,)
    assert woken.times == 0


def test_removed_reads_end_without_their_plate(store: SqliteReads, tmp_path: Path) -> None:
    store.save(read("t"))
    store.remove(["t", "unknown"])
    last = queued(tmp_path)[-1]
    assert (last["kind"], last["track"], last["removed"]) == ("end", "t", True)
    assert "plate" not in last


def test_tracks_of_a_drive_that_was_cut_off_end_at_the_next_start(store: SqliteReads, tmp_path: Path) -> None:
    store.begin_drive(DriveStart("old", START))
    store.save(replace(read("t"), drive="old"), FRIEND)
    connection = store._connection
    assert connection is not None
    connection.execute("UPDATE drives SET holder = 'an earlier boot:1:1'")
    store.begin_drive(DriveStart("new", START))
    last = queued(tmp_path)[-1]
    assert (last["kind"], last["track"], last["plate"]) == ("end", "t", "B123XYZ")
    assert last["known"] == {"name": "a friend"}
    ended = connection.execute("SELECT uid, ended FROM drives ORDER BY uid").fetchall()
    assert ended == [("new", None), ("old", "2026-05-01T10:00:02.250Z")]


def test_tracks_of_a_drive_that_runs_elsewhere_go_on(store: SqliteReads, tmp_path: Path) -> None:
    other = SqliteReads(tmp_path / "reads.db")
    other.begin_drive(DriveStart("running", START))
    store.save(replace(read("t"), drive="running"))
    store.begin_drive(DriveStart("new", START))
    other.close()
    assert told(tmp_path) == [("t", "new")]


def test_events_of_receivers_that_are_gone_are_forgotten(store: SqliteReads, tmp_path: Path) -> None:
    store.save(read("t"))
    other = SqliteReads(tmp_path / "reads.db", mailing=Mailing(("b",), EVERY, 1000))
    other.begin_drive(DriveStart("d", START))
    other.close()
    assert queued(tmp_path, "a") == []
