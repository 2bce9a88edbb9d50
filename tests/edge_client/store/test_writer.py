"""Writing reads: what stands in the file afterwards, and what survives."""

from __future__ import annotations

import json
import signal
import sqlite3
import subprocess
import sys
import textwrap
import threading
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from edge_client.errors import StoreError
from edge_client.store.library import ReadFilter, ReadLibrary
from edge_client.store.writer import MAX_SINGLES, SqliteReads
from edge_client.types import Fix
from tests.edge_client.samples import FIX, read, single


def rows(path: Path, query: str) -> list[tuple[object, ...]]:
    connection = sqlite3.connect(path)
    try:
        return connection.execute(query).fetchall()
    finally:
        connection.close()


def test_a_read_stands_there_with_all_it_has(tmp_path: Path) -> None:
    path = tmp_path / "reads.db"
    saved = read(place=(45.75, 21.22), singles=(single(3, fix=FIX), single(9, "B123XY2")))
    store = SqliteReads(path)
    store.save(saved)
    store.close()
    store.close()
    with ReadLibrary(path) as library:
        (found,) = library.find(ReadFilter())
        singles = library.singles(found.id)
        assert library.crop(found.id) == saved.crop_jpeg
    assert (found.uid, found.text, found.confidence) == (saved.uid, saved.text, saved.confidence)
    assert found.character_confidences == pytest.approx(saved.character_confidences, abs=1e-4)
    assert (found.first_seen, found.last_seen) == (saved.first_seen, saved.last_seen)
    assert (found.latitude_deg, found.longitude_deg, found.fix_age_s) == (45.75, 21.22, 0.4)
    assert [(s.frame_number, s.text) for s in singles] == [(3, "B123XYZ"), (9, "B123XY2")]
    assert singles[0].crop_jpeg == saved.singles[0].crop_jpeg
    assert singles[0].box == (100.0, 60.0, 160.0, 80.0)
    assert rows(path, "SELECT latitude, fix_age_s FROM single_reads ORDER BY frame_number") == [
        (FIX.latitude_deg, 0.2),
        (None, None),
    ]
    (words,) = rows(path, "SELECT words FROM single_reads WHERE frame_number = 3")[0]
    assert json.loads(str(words))[0]["text"] == "B123XYZ"


def test_a_better_vote_replaces_the_read_and_its_singles(tmp_path: Path) -> None:
    path = tmp_path / "reads.db"
    store = SqliteReads(path)
    store.save(read(text="B128XYZ", confidence=0.6, singles=(single(1), single(2))))
    store.save(read(text="B123XYZ", confidence=0.9, singles=(single(2), single(5))))
    store.close()
    assert rows(path, "SELECT id, text, confidence FROM reads") == [(1, "B123XYZ", 0.9)]
    assert rows(path, "SELECT frame_number FROM single_reads ORDER BY 1") == [(2,), (5,)]


def test_superseded_reads_go_with_their_singles(tmp_path: Path) -> None:
    path = tmp_path / "reads.db"
    store = SqliteReads(path)
    store.save(read("a", singles=(single(1),)))
    store.save(read("b", singles=(single(2),)))
    store.save(read("c", supersedes=("a", "unknown"), singles=(single(3),)))
    store.close()
    assert rows(path, "SELECT uid FROM reads ORDER BY uid") == [("b",), ("c",)]
    assert rows(path, "SELECT frame_number FROM single_reads ORDER BY 1") == [(2,), (3,)]


def test_the_note_of_a_superseded_read_goes_on_with_the_read_in_its_place(tmp_path: Path) -> None:
    path = tmp_path / "reads.db"
    store = SqliteReads(path)
    for uid in ("a", "b"):
        store.save(read(uid))
    assert store.annotate(1, "the neighbour")
    assert store.annotate(2, "dented")
    store.save(read("c", supersedes=("a",)))
    store.save(read("c", supersedes=("a",)))
    assert rows(path, "SELECT note FROM reads WHERE uid = 'c'") == [("the neighbour",)]
    store.save(read("b", supersedes=("c",)))
    store.close()
    assert rows(path, "SELECT uid, note FROM reads") == [("b", "dented; the neighbour")]


def test_singles_are_bounded_and_the_sharpest_stay(tmp_path: Path) -> None:
    path = tmp_path / "reads.db"
    store = SqliteReads(path)
    store.save(read(singles=tuple(single(n, sharpness=float(n)) for n in range(MAX_SINGLES + 20))))
    store.close()
    kept = [row[0] for row in rows(path, "SELECT frame_number FROM single_reads ORDER BY 1")]
    assert kept == list(range(20, MAX_SINGLES + 20))


@pytest.mark.parametrize("place", [(0.0, 0.0), None])
def test_no_fix_is_null_and_never_zero(tmp_path: Path, place: tuple[float, float] | None) -> None:
    path = tmp_path / "reads.db"
    store = SqliteReads(path)
    store.save(read(place=place, singles=(single(1, fix=Fix(0.0, 0.0, None, 0.0)),)))
    store.close()
    assert rows(path, "SELECT latitude, longitude, fix_age_s FROM reads") == [(None, None, None)]
    assert rows(path, "SELECT latitude, longitude, fix_age_s FROM single_reads") == [(None, None, None)]


def test_the_file_is_set_to_be_durable(tmp_path: Path) -> None:
    path = tmp_path / "reads.db"
    store = SqliteReads(path)
    assert rows(path, "PRAGMA journal_mode") == [("wal",)]
    connection = store._connection
    assert connection is not None
    assert connection.execute("PRAGMA synchronous").fetchone() == (2,)  # FULL
    assert connection.execute("PRAGMA foreign_keys").fetchone() == (1,)
    store.close()


def test_the_writer_may_be_another_thread(tmp_path: Path) -> None:
    store = SqliteReads(tmp_path / "reads.db")

    def write() -> None:
        for n in range(5):
            store.save(read(f"t-{n}"))

    thread = threading.Thread(target=write)
    thread.start()
    thread.join()
    store.close()
    assert rows(tmp_path / "reads.db", "SELECT count(*) FROM reads") == [(5,)]


def test_a_lock_is_told_and_leaves_nothing_half_done(tmp_path: Path) -> None:
    path = tmp_path / "reads.db"
    store = SqliteReads(path, busy_timeout_s=0.05)
    other = sqlite3.connect(path, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    with pytest.raises(StoreError, match="locked by another program"):
        store.save(read("a", singles=(single(1),)))
    other.execute("ROLLBACK")
    other.close()
    store.save(read("a", singles=(single(1),)))
    store.close()
    assert rows(path, "SELECT count(*) FROM reads") == [(1,)]
    with pytest.raises(StoreError, match="closed"):
        store.save(read("b"))


def test_a_full_disk_is_told_and_a_later_save_works(tmp_path: Path) -> None:
    path = tmp_path / "reads.db"
    store = SqliteReads(path)
    connection = store._connection
    assert connection is not None
    (pages,) = connection.execute("PRAGMA page_count").fetchone()
    connection.execute(f"PRAGMA max_page_count = {pages}")  # SQLITE_FULL, as a full disk gives
    big = tuple(single(n, "X" * 2000) for n in range(20))
    with pytest.raises(StoreError, match="the disk is full"):
        store.save(read("a", singles=big))
    connection.execute("PRAGMA max_page_count = 100000")
    store.save(read("a", singles=big))
    store.close()
    assert rows(path, "SELECT count(*) FROM single_reads") == [(20,)]


def test_what_was_saved_survives_a_kill(tmp_path: Path) -> None:
    program = textwrap.dedent("""
        import sys
        from pathlib import Path
        from edge_client.store.writer import SqliteReads
        from tests.edge_client.samples import read, single
        store = SqliteReads(Path(sys.argv[1]))
        for n in range(10_000):
            store.save(read(f"run-{n}", singles=(single(n), single(n + 1))))
            print(n, flush=True)
    """)
    path = tmp_path / "reads.db"
    for _ in range(2):
        with subprocess.Popen([sys.executable, "-c", program, str(path)], stdout=subprocess.PIPE, text=True) as writer:
            assert writer.stdout is not None
            last = 0
            for line in writer.stdout:
                last = int(line)
                if last >= 25:
                    writer.send_signal(signal.SIGKILL)
                    break
            writer.stdout.close()
        with ReadLibrary(path) as library:
            assert library.is_sound()
            assert library.count() >= last + 1
            assert all(len(library.singles(r.id)) == 2 for r in library.find(ReadFilter()))
    store = SqliteReads(path)  # and it can be written to again
    store.save(read("afterwards"))
    store.close()


@settings(max_examples=25, deadline=None)
@given(
    st.text(max_size=12),
    st.floats(-1, 2),
    st.one_of(st.none(), st.tuples(st.floats(-90, 90), st.floats(-180, 180))),
)
def test_any_read_can_be_kept(
    tmp_path_factory: pytest.TempPathFactory, text: str, confidence: float, place: tuple[float, float] | None
) -> None:
    path = tmp_path_factory.mktemp("reads") / "reads.db"
    store = SqliteReads(path)
    store.save(read(text=text.encode("utf-8", "replace").decode(), confidence=confidence, place=place))
    store.close()
    with ReadLibrary(path) as library:
        (found,) = library.find(ReadFilter())
    assert 0 <= found.confidence <= 1
    assert (found.latitude_deg is None) == (place is None or place == (0, 0))
