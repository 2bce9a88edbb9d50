"""Opening files that are not as they should be: one clear line each, and the file is left as it was."""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Callable
from pathlib import Path

import pytest

from edge_client.errors import StoreError
from edge_client.store.library import ReadLibrary
from edge_client.store.schema import open_for_reading, open_for_writing
from edge_client.store.writer import SqliteReads
from tests.edge_client.samples import read

OPENERS: list[Callable[[Path], object]] = [SqliteReads, ReadLibrary]


def foreign(path: Path) -> None:
    connection = sqlite3.connect(path)
    connection.execute("CREATE TABLE recipes (name TEXT)")
    connection.commit()
    connection.close()


def newer(path: Path) -> None:
    SqliteReads(path).close()
    connection = sqlite3.connect(path)
    connection.execute("PRAGMA user_version = 99")
    connection.close()


def garbage(path: Path) -> None:
    path.write_bytes(b"Date,License Plate,Coordinates\n" * 200)


@pytest.mark.parametrize("opener", OPENERS)
@pytest.mark.parametrize(
    ("spoil", "message"),
    [(foreign, "another program"), (newer, "newer dashcam"), (garbage, "not a database")],
)
def test_a_wrong_file_is_refused_and_left_alone(
    tmp_path: Path, opener: Callable[[Path], object], spoil: Callable[[Path], None], message: str
) -> None:
    path = tmp_path / "reads.db"
    spoil(path)
    before = path.read_bytes()
    with pytest.raises(StoreError, match=message) as error:
        opener(path)
    assert "\n" not in str(error.value)
    assert path.read_bytes() == before


def test_missing_things(tmp_path: Path) -> None:
    with pytest.raises(StoreError, match="create it first"):
        SqliteReads(tmp_path / "none" / "reads.db")
    with pytest.raises(StoreError, match="no reads file"):
        ReadLibrary(tmp_path / "reads.db")
    with pytest.raises(StoreError, match="not accessible"):
        SqliteReads(tmp_path)
    assert not (tmp_path / "none").exists()


def test_an_empty_file_is_filled_but_not_read(tmp_path: Path) -> None:
    path = tmp_path / "reads.db"
    path.touch()
    with pytest.raises(StoreError, match="empty"):
        open_for_reading(path)
    open_for_writing(path).close()
    open_for_reading(path).close()


def test_a_file_that_another_program_holds(tmp_path: Path) -> None:
    path = tmp_path / "reads.db"
    open_for_writing(path).close()
    other = sqlite3.connect(path, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    with pytest.raises(StoreError, match="locked by another program"):
        open_for_writing(path, busy_timeout_s=0.05)
    other.close()


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
def test_a_file_that_may_not_be_written(tmp_path: Path) -> None:
    path = tmp_path / "reads.db"
    open_for_writing(path).close()
    path.chmod(0o444)
    with pytest.raises(StoreError, match="not writable"):
        open_for_writing(path)


def test_two_drives_and_a_search_at_once(tmp_path: Path) -> None:
    path = tmp_path / "reads.db"
    first, second = SqliteReads(path), SqliteReads(path)
    with ReadLibrary(path) as library:
        first.save(read("first-1"))
        second.save(read("second-1"))
        first.save(read("first-2"))
        assert library.count() == 3
    first.close()
    second.close()


def test_a_damaged_file_is_noticed(tmp_path: Path) -> None:
    path = tmp_path / "reads.db"
    store = SqliteReads(path)
    for n in range(200):
        store.save(read(f"run-{n}"))
    store.close()
    content = bytearray(path.read_bytes())
    content[8192 : 8192 + 4096] = b"\xa5" * 4096
    path.write_bytes(content)
    with ReadLibrary(path) as library:
        try:
            assert not library.is_sound()
        except StoreError as e:
            assert "damaged" in str(e)
