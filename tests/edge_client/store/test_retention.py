from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

from edge_client.outbox.box import Mailing
from edge_client.store.drives import DriveStart, Position
from edge_client.store.library import ReadFilter, ReadLibrary
from edge_client.store.writer import SqliteReads
from tests.edge_client.samples import START, read, single

LATER = START + timedelta(days=40)
LIMIT = START + timedelta(days=10)
UNSET = datetime(1970, 1, 1, 0, 5, tzinfo=UTC)


def test_what_is_too_old_is_gone_from_the_file_for_good(tmp_path: Path) -> None:
    path = tmp_path / "reads.db"
    store = SqliteReads(path, mailing=Mailing(("a",), frozenset({"new"}), 100))
    store.begin_drive(DriveStart("old", START))
    store.add_positions("old", [Position(START, 45.75, 21.22)])
    store.save(replace(read("o", "OLD1234", singles=(single(1, "OLD1234"),)), drive="old"))
    store.end_drive("old", START + timedelta(minutes=5))
    store.begin_drive(DriveStart("young", LATER))
    store.add_positions("young", [Position(LATER, 45.75, 21.22)])
    store.save(replace(read("y", "NEW1234"), first_seen=LATER, last_seen=LATER, drive="young"))
    connection = store._connection
    assert connection is not None
    connection.execute("UPDATE outbox SET queued = '2026-05-01T10:00:00.000Z' WHERE payload LIKE '%OLD1234%'")
    assert store.prune(LIMIT) == 1
    content = b"".join(file.read_bytes() for file in tmp_path.iterdir())
    store.close()
    assert b"NEW1234" in content
    assert b"OLD1234" not in content
    with ReadLibrary(path) as library:
        assert [r.uid for r in library.find(ReadFilter())] == ["y"]
        assert [d.uid for d in library.drives()] == ["young"]
        assert library.track("old") == []
        assert len(library.track("young")) == 1


def test_reads_of_a_clock_that_was_not_set_are_as_old_as_those_after_them(tmp_path: Path) -> None:
    store = SqliteReads(tmp_path / "reads.db")
    for uid, seen in (("a", UNSET), ("b", START), ("c", UNSET), ("d", LATER), ("e", UNSET)):
        store.save(replace(read(uid), first_seen=seen, last_seen=seen))
    assert store.prune(LIMIT) == 2
    store.close()
    with ReadLibrary(tmp_path / "reads.db") as library:
        assert sorted(r.uid for r in library.find(ReadFilter())) == ["c", "d", "e"]


def test_the_file_gets_smaller(tmp_path: Path) -> None:
    path = tmp_path / "reads.db"
    store = SqliteReads(path)
    for n in range(4):
        store.save(replace(read(f"t{n}"), crop_jpeg=bytes(200_000)))
    store.save(replace(read("y"), last_seen=LATER))
    store.prune(LIMIT)
    store.close()
    assert path.stat().st_size < 200_000
