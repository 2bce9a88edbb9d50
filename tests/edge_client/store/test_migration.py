"""Files of version 1: they are brought up to date, with all that is in them."""

from __future__ import annotations

import sqlite3
from dataclasses import replace
from pathlib import Path

import pytest

from edge_client.store.library import ReadFilter, ReadLibrary
from edge_client.store.schema import APPLICATION_ID, open_for_writing
from edge_client.store.tables import SCHEMA_VERSION
from edge_client.store.vehicle_columns import VEHICLE_COLUMNS
from edge_client.store.writer import SqliteReads
from edge_client.types import Vehicle
from tests.edge_client.samples import read, single

# As version 1 wrote it; never to be changed.
VERSION_1 = """
CREATE TABLE reads (
    id INTEGER PRIMARY KEY, uid TEXT NOT NULL UNIQUE, text TEXT NOT NULL,
    confidence REAL NOT NULL CHECK (confidence BETWEEN 0 AND 1),
    character_confidences TEXT NOT NULL CHECK (json_valid(character_confidences)),
    first_seen TEXT NOT NULL, last_seen TEXT NOT NULL,
    latitude REAL CHECK (latitude BETWEEN -90 AND 90), longitude REAL CHECK (longitude BETWEEN -180 AND 180),
    fix_age_s REAL, crop BLOB NOT NULL,
    CHECK ((latitude IS NULL) = (longitude IS NULL)),
    CHECK (latitude IS NULL OR latitude <> 0 OR longitude <> 0)
) STRICT;
CREATE INDEX reads_first_seen ON reads (first_seen);
CREATE INDEX reads_text ON reads (text);
CREATE TABLE single_reads (
    read_id INTEGER NOT NULL REFERENCES reads (id) ON DELETE CASCADE, frame_number INTEGER NOT NULL,
    seen TEXT NOT NULL, text TEXT NOT NULL,
    character_confidences TEXT NOT NULL CHECK (json_valid(character_confidences)),
    words TEXT NOT NULL CHECK (json_valid(words)), box TEXT NOT NULL CHECK (json_valid(box)),
    sharpness REAL NOT NULL, latitude REAL, longitude REAL, fix_age_s REAL, crop BLOB NOT NULL,
    PRIMARY KEY (read_id, frame_number)
) STRICT;
INSERT INTO reads VALUES (7, 'run-1', 'B 101-abc', 0.9, '[0.9]', '2026-05-01T10:00:00.250Z',
                          '2026-05-01T10:00:02.250Z', 45.75, 21.22, 0.4, x'ffd8');
INSERT INTO single_reads VALUES (7, 3, '2026-05-01T10:00:00.250Z', 'B101ABC', '[0.9]', '[]', '[1,2,3,4]', 9.0,
                                 45.75, 21.22, 0.2, x'ffd8');
"""


@pytest.fixture
def old(tmp_path: Path) -> Path:
    path = tmp_path / "reads.db"
    connection = sqlite3.connect(path)
    connection.executescript(
        f"{VERSION_1} PRAGMA application_id = {APPLICATION_ID}; PRAGMA user_version = 1; PRAGMA journal_mode = WAL;"
    )
    connection.close()
    return path


def columns(path: Path) -> dict[str, list[tuple[object, ...]]]:
    connection = sqlite3.connect(path)
    tables = [row[0] for row in connection.execute("SELECT name FROM sqlite_schema WHERE type = 'table' ORDER BY 1")]
    found = {name: connection.execute(f"PRAGMA table_info({name})").fetchall() for name in tables}
    found["indexes"] = connection.execute("SELECT name FROM sqlite_schema WHERE type = 'index' ORDER BY 1").fetchall()
    found["version"] = connection.execute("PRAGMA user_version").fetchall()
    connection.close()
    return found


def test_an_old_file_becomes_like_a_new_one(old: Path, tmp_path: Path) -> None:
    open_for_writing(old).close()
    open_for_writing(tmp_path / "new.db").close()
    assert columns(old) == columns(tmp_path / "new.db")
    assert columns(old)["version"] == [(SCHEMA_VERSION,)]


def test_all_that_was_in_it_is_still_there_and_can_be_found(old: Path) -> None:
    with ReadLibrary(old) as library:  # searching alone brings it up to date too
        (found,) = library.find(ReadFilter(text="b101*"))
        assert (found.id, found.uid, found.text, found.ended, found.drive) == (7, "run-1", "B 101-abc", True, "")
        assert (found.latitude_deg, found.utc_source, found.hashed, found.note) == (45.75, "system", False, "")
        assert found.vehicle is None
        assert library.find(ReadFilter(colour="*")) == []
        assert library.crop(7) == b"\xff\xd8"
        (behind,) = library.singles(7)
        assert behind.text == "B101ABC"
        assert library.is_sound()


def test_an_old_file_is_written_to(old: Path) -> None:
    store = SqliteReads(old)
    store.save(read("run-1", "B101ABD", singles=(single(4),)))
    store.save(read("run-2"))
    store.close()
    with ReadLibrary(old) as library:
        assert [(r.id, r.text) for r in library.find(ReadFilter())] == [(8, "B123XYZ"), (7, "B101ABD")]


def test_a_file_from_before_cars_were_described_takes_their_looks(tmp_path: Path) -> None:
    path = tmp_path / "reads.db"
    SqliteReads(path).close()
    connection = sqlite3.connect(path)
    for name in VEHICLE_COLUMNS:  # as version 3 was
        connection.execute(f"ALTER TABLE reads DROP COLUMN {name}")
    connection.execute("PRAGMA user_version = 3")
    connection.commit()
    connection.close()
    store = SqliteReads(path)
    store.save(replace(read("a"), vehicle=Vehicle("car", colour="red", colour_confidence=0.9)))
    store.close()
    open_for_writing(tmp_path / "new.db").close()
    assert columns(path) == columns(tmp_path / "new.db")
    with ReadLibrary(path) as library:
        (found,) = library.find(ReadFilter(colour="red"))
        assert found.vehicle == Vehicle("car", colour="red", colour_confidence=0.9)


def test_a_migration_that_fails_leaves_the_file_as_it_was(old: Path) -> None:
    connection = sqlite3.connect(old)
    connection.execute("CREATE TABLE drives (mine TEXT)")  # in the way of the second half
    connection.commit()
    connection.close()
    before = columns(old)
    with pytest.raises(Exception, match="drives"):
        open_for_writing(old)
    assert columns(old) == before
