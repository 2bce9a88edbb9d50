"""The tables of the reads file, and opening it with one clear line for whatever is wrong with it.

The file is in WAL mode with `synchronous=FULL`: a transaction that was committed survives kill -9 and a power
cut (https://www.sqlite.org/wal.html, https://www.sqlite.org/pragma.html#pragma_synchronous). Times are UTC in
ISO 8601 with milliseconds, so that they sort as texts; degrees are WGS 84 and NULL without a fix.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from edge_client.errors import StoreError

APPLICATION_ID: Final = 0x4443414D  # "DCAM", so that `file` and we can tell our files
SCHEMA_VERSION: Final = 1

_SCHEMA: Final = """
CREATE TABLE reads (
    id INTEGER PRIMARY KEY,
    uid TEXT NOT NULL UNIQUE,
    text TEXT NOT NULL,
    confidence REAL NOT NULL CHECK (confidence BETWEEN 0 AND 1),
    character_confidences TEXT NOT NULL CHECK (json_valid(character_confidences)),
    first_seen TEXT NOT NULL,
    last_seen TEXT NOT NULL,
    latitude REAL CHECK (latitude BETWEEN -90 AND 90),
    longitude REAL CHECK (longitude BETWEEN -180 AND 180),
    fix_age_s REAL,
    crop BLOB NOT NULL,
    CHECK ((latitude IS NULL) = (longitude IS NULL)),
    CHECK (latitude IS NULL OR latitude <> 0 OR longitude <> 0)
) STRICT;
CREATE INDEX reads_first_seen ON reads (first_seen);
CREATE INDEX reads_text ON reads (text);
CREATE TABLE single_reads (
    read_id INTEGER NOT NULL REFERENCES reads (id) ON DELETE CASCADE,
    frame_number INTEGER NOT NULL,
    seen TEXT NOT NULL,
    text TEXT NOT NULL,
    character_confidences TEXT NOT NULL CHECK (json_valid(character_confidences)),
    words TEXT NOT NULL CHECK (json_valid(words)),
    box TEXT NOT NULL CHECK (json_valid(box)),
    sharpness REAL NOT NULL,
    latitude REAL,
    longitude REAL,
    fix_age_s REAL,
    crop BLOB NOT NULL,
    PRIMARY KEY (read_id, frame_number)
) STRICT;
"""


@contextmanager
def _connected(path: Path, database: str, *, timeout_s: float = 5.0, uri: bool = False) -> Iterator[sqlite3.Connection]:
    """A connection to a file of ours; where the block fails, it is closed and the user told why."""
    connection: sqlite3.Connection | None = None
    try:
        # Our own transactions (isolation_level None), and a thread that need not be the opening one.
        connection = sqlite3.connect(
            database, timeout=timeout_s, isolation_level=None, uri=uri, check_same_thread=False
        )
        _check_owner(connection, path)
        yield connection
    except (sqlite3.Error, StoreError) as e:
        if connection is not None:
            connection.close()
        if isinstance(e, StoreError):
            raise
        raise StoreError(f"cannot open the reads file {path}: {explain(e)}") from e


def open_for_writing(path: Path, *, busy_timeout_s: float = 5.0) -> sqlite3.Connection:
    """Opens the reads file, making it if it is missing or empty.

    Args:
        path: the SQLite file; its folder must exist.
        busy_timeout_s: how long another writer is waited for.

    Raises:
        StoreError: missing folder, no database, another program's, a newer version's, not writable, locked.
    """
    if not path.parent.is_dir():
        raise StoreError(f"cannot open the reads file {path}: the folder {path.parent} does not exist; create it first")
    with _connected(path, str(path), timeout_s=busy_timeout_s) as connection:
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("PRAGMA synchronous = FULL")
        connection.execute("PRAGMA foreign_keys = ON")
        # Shows now, not in the middle of a drive, whether we may write.
        connection.execute("BEGIN IMMEDIATE")
        if _version(connection) == 0:
            for statement in _SCHEMA.split(";\n"):
                if statement.strip():
                    connection.execute(statement)
            connection.execute(f"PRAGMA application_id = {APPLICATION_ID}")
            connection.execute(f"PRAGMA user_version = {SCHEMA_VERSION}")
        connection.execute("COMMIT")
    return connection


def open_for_reading(path: Path) -> sqlite3.Connection:
    """Opens an existing reads file without changing it.

    Raises:
        StoreError: as `open_for_writing`, and if there is no such file.
    """
    if not path.is_file():
        raise StoreError(f"there is no reads file {path} yet; `dashcam run` writes one, or name another: --reads FILE")
    with _connected(path, f"{path.absolute().as_uri()}?mode=ro", uri=True) as connection:
        if _version(connection) == 0:
            raise StoreError(f"the reads file {path} is empty; `dashcam run` fills it")
    return connection


def explain(error: sqlite3.Error) -> str:
    """What an SQLite error means for the user, in a few words."""
    name = getattr(error, "sqlite_errorname", "")
    explanations = {
        "SQLITE_NOTADB": "it is not a database; name another file: --reads FILE",
        "SQLITE_BUSY": "it is locked by another program; close that one first",
        "SQLITE_READONLY": "it is not writable; change its permissions or name another file: --reads FILE",
        "SQLITE_CANTOPEN": "it is not accessible; check the permissions of the file and its folder",
        "SQLITE_FULL": "the disk is full",
        "SQLITE_IOERR": f"the disk failed ({error})",
        "SQLITE_CORRUPT": "it is damaged; move it away, or rescue it with `sqlite3 FILE .recover`",
    }
    for prefix, text in explanations.items():
        if name == prefix or name.startswith(prefix + "_"):
            return text
    return str(error)


def _check_owner(connection: sqlite3.Connection, path: Path) -> None:
    (application,) = connection.execute("PRAGMA application_id").fetchone()
    (objects,) = connection.execute("SELECT count(*) FROM sqlite_schema").fetchone()
    if (application != APPLICATION_ID and objects) or application not in (0, APPLICATION_ID):
        raise StoreError(f"{path} is a database of another program; name another file for the reads: --reads FILE")
    version = _version(connection)
    if version > SCHEMA_VERSION:
        raise StoreError(
            f"the reads file {path} was written by a newer dashcam (tables of version {version}, this one "
            f"knows {SCHEMA_VERSION}); update this program or name another file: --reads FILE"
        )


def _version(connection: sqlite3.Connection) -> int:
    return int(connection.execute("PRAGMA user_version").fetchone()[0])
