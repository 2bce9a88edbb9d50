"""Opening the reads file, with one clear line for whatever is wrong with it.

The file is in WAL mode with `synchronous=FULL`: a transaction that was committed survives kill -9 and a power
cut (https://www.sqlite.org/wal.html, https://www.sqlite.org/pragma.html#pragma_synchronous). What is deleted is
overwritten (https://www.sqlite.org/pragma.html#pragma_secure_delete).
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from edge_client.errors import StoreError
from edge_client.store.tables import READS_TABLE, SCHEMA_VERSION, bring_up_to_date

APPLICATION_ID: Final = 0x4443414D  # "DCAM", so that `file` and we can tell our files


class DamagedFileError(StoreError):
    """The file is damaged, or no database at all."""


class UnavailableFileError(StoreError):
    """The file cannot be used now, and perhaps later: locked, not writable, disk full or failing."""


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
        raise error_of(e)(f"cannot open the reads file {path}: {explain(e)}") from e


def open_for_writing(path: Path, *, busy_timeout_s: float = 5.0) -> sqlite3.Connection:
    """Opens the reads file, making it if it is missing or empty.

    Args:
        path: the SQLite file; its folder must exist.
        busy_timeout_s: how long another writer is waited for.

    Raises:
        StoreError: missing folder, no database, another program's, a newer version's, not writable, locked.
    """
    if not _seen(path, path.parent.is_dir):
        raise StoreError(f"cannot open the reads file {path}: the folder {path.parent} does not exist; create it first")
    with _connected(path, str(path), timeout_s=busy_timeout_s) as connection:
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("PRAGMA synchronous = FULL")
        connection.execute("PRAGMA foreign_keys = ON")
        connection.execute("PRAGMA secure_delete = ON")
        # Shows now, not in the middle of a drive, whether we may write.
        connection.execute("BEGIN IMMEDIATE")
        version = _version(connection)
        if version == 0:
            connection.execute(f"PRAGMA application_id = {APPLICATION_ID}")
        if version < SCHEMA_VERSION:
            bring_up_to_date(connection, version)
        connection.execute("COMMIT")
    return connection


def open_for_reading(path: Path) -> sqlite3.Connection:
    """Opens an existing reads file without changing it; only one of an older version is brought up to date first.

    Raises:
        StoreError: as `open_for_writing`, and if there is no such file.
    """
    if not _seen(path, path.is_file):
        raise StoreError(f"there is no reads file {path} yet; `dashcam run` writes one, or name another: --reads FILE")
    connection = _open_read_only(path)
    if _version(connection) < SCHEMA_VERSION:
        connection.close()
        open_for_writing(path).close()
        connection = _open_read_only(path)
    return connection


def _seen(path: Path, look: Callable[[], bool]) -> bool:
    try:
        return look()
    except OSError as error:  # a folder that may not be looked into, a name that is too long
        raise StoreError(f"cannot open the reads file {path}: {error.strerror}") from None


def _open_read_only(path: Path) -> sqlite3.Connection:
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
        "SQLITE_IOERR_SHMSIZE": "the disk is full",  # the file beside the database cannot grow
        "SQLITE_IOERR": f"the disk failed ({error})",
        "SQLITE_CORRUPT": "it is damaged; move it away, or rescue it with `sqlite3 FILE .recover`",
    }
    for prefix, text in explanations.items():
        if name == prefix or name.startswith(prefix + "_"):
            return text
    return str(error)


def error_of(error: sqlite3.Error) -> type[StoreError]:
    """Which error of ours an SQLite error becomes: damage, something that may pass, or any other."""
    name = getattr(error, "sqlite_errorname", "")
    if name.startswith(("SQLITE_CORRUPT", "SQLITE_NOTADB")):
        return DamagedFileError
    if name.startswith(("SQLITE_BUSY", "SQLITE_READONLY", "SQLITE_FULL", "SQLITE_IOERR", "SQLITE_CANTOPEN")):
        return UnavailableFileError
    return StoreError


def is_disowned(connection: sqlite3.Connection) -> bool:
    """Whether a file holds our table of reads, and its header does not say that it is ours: the header is damaged."""
    if _is_owned(connection):
        return False
    statement = connection.execute("SELECT sql FROM sqlite_schema WHERE type = 'table' AND name = 'reads'").fetchone()
    return statement is not None and str(statement[0]).startswith(READS_TABLE)


def _is_owned(connection: sqlite3.Connection) -> bool:
    (application,) = connection.execute("PRAGMA application_id").fetchone()
    (objects,) = connection.execute("SELECT count(*) FROM sqlite_schema").fetchone()
    return application == APPLICATION_ID or (application == 0 and not objects)


def _check_owner(connection: sqlite3.Connection, path: Path) -> None:
    if is_disowned(connection):
        raise DamagedFileError(f"the reads file {path} is damaged: its header does not say any more that it is one")
    if not _is_owned(connection):
        raise StoreError(f"{path} is a database of another program; name another file for the reads: --reads FILE")
    version = _version(connection)
    if version > SCHEMA_VERSION:
        raise StoreError(
            f"the reads file {path} was written by a newer dashcam (tables of version {version}, this one "
            f"knows {SCHEMA_VERSION}); update this program or name another file: --reads FILE"
        )


def _version(connection: sqlite3.Connection) -> int:
    return int(connection.execute("PRAGMA user_version").fetchone()[0])
