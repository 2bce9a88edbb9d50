"""Files that are damaged, taken away, not writable, or on a full disk, while a drive wants to write."""

from __future__ import annotations

import logging
import os
import shutil
import sqlite3
import subprocess
import sys
import tempfile
import textwrap
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path

import pytest

from edge_client.errors import StoreError
from edge_client.store.library import ReadFilter, ReadLibrary
from edge_client.store.safe import SafeReads, is_broken, move_aside
from edge_client.store.writer import SqliteReads
from edge_client.types import TrackRead
from tests.edge_client.samples import read, single

NOBODY = 65534


def save(reads: SafeReads, *saved: TrackRead) -> None:
    for one in saved:
        reads.call(partial(SqliteReads.save, read=one))


def uids(path: Path) -> list[str]:
    with ReadLibrary(path) as library:
        return sorted(found.uid for found in library.find(ReadFilter()))


def filled(path: Path) -> Path:
    store = SqliteReads(path)
    for n in range(30):
        store.save(read(f"old-{n}", singles=(single(n),)))
    store.close()
    return path


def spoil_pages(path: Path) -> None:
    content = bytearray(path.read_bytes())
    content[4096 : 4096 * 8] = b"\xa5" * (4096 * 7)
    path.write_bytes(content)


def spoil_header(path: Path) -> None:
    path.write_bytes(b"\x00\xa5" * 8 + path.read_bytes()[16:])


def zeroed(path: Path) -> None:
    """As a file system may leave a file after a power cut."""
    path.write_bytes(bytes(path.stat().st_size))


def cut_short(path: Path) -> None:
    path.write_bytes(path.read_bytes()[: 4096 * 5])


def text_instead(path: Path) -> None:
    path.write_bytes(b"Date,License Plate\n" * 500)


def garbage_without_a_nul(path: Path) -> None:
    path.write_bytes(b"\xa5\x5a" * 4096)


def spoil_application_id(path: Path) -> None:
    content = bytearray(path.read_bytes())
    content[68:72] = b"\xa5" * 4
    path.write_bytes(content)


def spoil_application_id_and_pages(path: Path) -> None:
    spoil_pages(path)
    spoil_application_id(path)


@pytest.mark.parametrize(
    "spoil",
    [
        spoil_pages,
        spoil_header,
        zeroed,
        cut_short,
        text_instead,
        garbage_without_a_nul,
        spoil_application_id,
        spoil_application_id_and_pages,
    ],
)
def test_a_damaged_file_is_moved_aside_and_a_new_one_begun(
    tmp_path: Path, spoil: object, caplog: pytest.LogCaptureFixture
) -> None:
    path = filled(tmp_path / "reads.db")
    assert callable(spoil)
    spoil(path)
    (tmp_path / "reads.db-wal").write_bytes(b"")
    spoilt = path.read_bytes()
    with caplog.at_level(logging.WARNING):
        reads = SafeReads(path, SqliteReads)
    save(reads, read("new"))
    reads.close()
    assert uids(path) == ["new"]
    (aside,) = (file for file in tmp_path.glob("reads.db.damaged-*") if not file.name.endswith(("-wal", "-shm")))
    assert aside.read_bytes() == spoilt
    assert aside.name in reads.notice
    assert aside.name in caplog.text


def test_damage_that_comes_while_driving_costs_no_read(tmp_path: Path) -> None:
    path = filled(tmp_path / "reads.db")
    reads = SafeReads(path, SqliteReads)
    assert reads.notice == ""
    other = sqlite3.connect(path, isolation_level=None)
    other.execute("PRAGMA writable_schema = ON")
    other.execute("UPDATE sqlite_schema SET rootpage = 10000 WHERE name = 'single_reads'")
    other.execute("PRAGMA schema_version = 999")  # so that the open connection reads it again
    other.close()
    save(reads, read("new"), read("newer"))
    reads.close()
    assert uids(path) == ["new", "newer"]
    assert "damaged" in reads.notice


@pytest.mark.parametrize("content", [b"Date,License Plate\n" * 200, b"not a database" * 100])
def test_a_file_that_never_was_a_database_is_not_touched(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "notes.txt"
    path.write_bytes(content)
    with pytest.raises(StoreError, match="not a database"):
        SafeReads(path, SqliteReads)
    assert [file.name for file in tmp_path.iterdir() if file.suffix != ".lock"] == ["notes.txt"]
    assert path.read_bytes() == content


@pytest.mark.parametrize("statement", ["CREATE TABLE reads (id INTEGER PRIMARY KEY, title TEXT)", "CREATE TABLE t (a)"])
@pytest.mark.parametrize("damaged", [False, True])
def test_a_database_of_another_program_is_never_moved(tmp_path: Path, statement: str, damaged: bool) -> None:
    path = tmp_path / "reads.db"
    connection = sqlite3.connect(path)
    connection.execute(statement)
    connection.close()
    content = bytearray(path.read_bytes())
    if damaged:
        content[100] = 0xA5  # the kind of its first page
        path.write_bytes(content)
    with pytest.raises(StoreError):
        SafeReads(path, SqliteReads)
    assert [file.name for file in tmp_path.iterdir() if file.suffix != ".lock"] == ["reads.db"]
    assert path.read_bytes() == content


def test_what_the_user_must_set_right_is_refused(tmp_path: Path) -> None:
    with pytest.raises(StoreError, match="create it first"):
        SafeReads(tmp_path / "none" / "reads.db", SqliteReads)


def test_a_file_that_is_taken_away_is_begun_anew(tmp_path: Path) -> None:
    path = tmp_path / "reads.db"
    reads = SafeReads(path, SqliteReads)
    save(reads, read("before"))
    (tmp_path / "kept").mkdir()
    for file in list(tmp_path.glob("reads.db*")):
        if file.is_file():
            file.rename(tmp_path / "kept" / file.name)
    save(reads, read("after"))
    reads.close()
    assert uids(path) == ["after"]
    assert uids(tmp_path / "kept" / "reads.db") == ["before"]
    assert "taken away" in reads.notice


@contextmanager
def as_nobody() -> Iterator[None]:
    """Without root's rights to write everywhere."""
    if os.geteuid() != 0:
        yield
        return
    os.seteuid(NOBODY)
    try:
        yield
    finally:
        os.seteuid(0)


@pytest.fixture
def reachable() -> Iterator[Path]:
    """A folder that nobody may read and list, and not write."""
    folder = Path(tempfile.mkdtemp(prefix="dashcam-"))
    folder.chmod(0o555)
    yield folder
    folder.chmod(0o755)
    shutil.rmtree(folder)


def test_a_read_only_place_is_waited_for(reachable: Path, caplog: pytest.LogCaptureFixture) -> None:
    path = reachable / "reads.db"
    with as_nobody(), caplog.at_level(logging.WARNING):
        reads = SafeReads(path, SqliteReads)
        assert "the drive goes on" in caplog.text
        with pytest.raises(StoreError):
            save(reads, read("a"))
    reachable.chmod(0o777)
    with as_nobody():
        save(reads, read("a"))
        reads.close()
        assert uids(path) == ["a"]


def test_a_file_that_is_locked_at_the_start_is_waited_for(tmp_path: Path) -> None:
    path = filled(tmp_path / "reads.db")
    other = sqlite3.connect(path, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    reads = SafeReads(path, lambda file: SqliteReads(file, busy_timeout_s=0.05))
    with pytest.raises(StoreError, match="locked"):
        save(reads, read("new"))
    other.execute("ROLLBACK")
    other.close()
    save(reads, read("new"))
    reads.close()
    assert "new" in uids(path)


def test_a_full_disk_is_told_and_the_read_is_written_when_there_is_room(tmp_path: Path) -> None:
    resource = pytest.importorskip("resource")
    program = textwrap.dedent("""
        import resource, signal, sys
        from pathlib import Path
        from edge_client.errors import StoreError
        from edge_client.store.safe import SafeReads
        from edge_client.store.writer import SqliteReads
        from tests.edge_client.samples import read, single
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        reads = SafeReads(Path(sys.argv[1]), SqliteReads)
        big = read("big", singles=tuple(single(n, "X" * 2000) for n in range(30)))
        _, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
        resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, hard))
        try:
            reads.call(lambda file: file.save(big))
        except StoreError as error:
            print(error)
        resource.setrlimit(resource.RLIMIT_FSIZE, (hard, hard))
        reads.call(lambda file: file.save(big))
        reads.close()
    """)
    assert resource is not None
    path = tmp_path / "reads.db"
    done = subprocess.run(
        [sys.executable, "-c", program, str(path)], capture_output=True, text=True, timeout=60, check=False
    )
    assert done.returncode == 0, done.stderr
    assert "disk" in done.stdout
    assert uids(path) == ["big"]
    assert not is_broken(path)


def test_two_processes_write_one_file(tmp_path: Path) -> None:
    program = textwrap.dedent("""
        import sys
        from pathlib import Path
        from edge_client.store.safe import SafeReads
        from edge_client.store.writer import SqliteReads
        from tests.edge_client.samples import read
        reads = SafeReads(Path(sys.argv[1]), SqliteReads)
        for n in range(25):
            reads.call(lambda file: file.save(read(f"{sys.argv[2]}-{n}")))
        print(reads.notice, end="")
        reads.close()
    """)
    path = tmp_path / "reads.db"
    commands = [[sys.executable, "-c", program, str(path), name] for name in ("one", "two")]
    running = [subprocess.Popen(command, stdout=subprocess.PIPE, text=True) for command in commands]
    assert [process.communicate(timeout=60)[0] for process in running] == ["", ""]
    assert len(uids(path)) == 50


def test_of_two_that_meet_a_damaged_file_one_moves_it(tmp_path: Path) -> None:
    path = filled(tmp_path / "reads.db")
    spoil_header(path)
    first = SafeReads(path, SqliteReads)
    save(first, read("first"))
    second = SafeReads(path, SqliteReads)
    save(second, read("second"))
    first.close()
    second.close()
    assert uids(path) == ["first", "second"]
    assert len(list(tmp_path.glob("reads.db.damaged-*"))) == 1


def test_names_aside_are_never_taken_twice(tmp_path: Path) -> None:
    names: set[Path] = set()
    for _ in range(3):
        filled(tmp_path / "reads.db") if not names else (tmp_path / "reads.db").write_bytes(b"x")
        names.add(move_aside(tmp_path / "reads.db"))
    assert len(names) == 3
    assert all(name.is_file() for name in names)


def test_missing_and_sound_files_are_not_broken(tmp_path: Path) -> None:
    assert not is_broken(tmp_path / "none.db")
    assert not is_broken(filled(tmp_path / "reads.db"))
    assert not (tmp_path / "none.db").exists()
