"""A reads file that a drive can rely on: a damaged one is moved aside, one that is not there yet is waited for.

A drive must not end because of its list. What cannot be written now raises at each save, and the caller keeps the
read; only what the user has to set right (another program's file, a missing folder) refuses to begin.
"""

from __future__ import annotations

import fcntl
import logging
import mmap
import os
import sqlite3
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import BinaryIO, TypeVar

from edge_client.paths import is_file
from edge_client.store.schema import APPLICATION_ID, DamagedFileError, UnavailableFileError, is_disowned
from edge_client.store.tables import READS_TABLE
from edge_client.store.writer import SqliteReads

_LOG = logging.getLogger(__name__)
_MAGIC = b"SQLite format 3\0"
_SUFFIXES = {".db", ".sqlite", ".sqlite3"}
_ID_AT = 68
"""Where the header has the application's id (https://www.sqlite.org/fileformat.html#application_id)."""
_CHECK_S = 1.0
_CHECK_STEPS = 20_000
_Given = TypeVar("_Given")


class SafeReads:
    """Opens the file again where that helps. Used from one thread at a time."""

    def __init__(self, path: Path, open_file: Callable[[Path], SqliteReads]) -> None:
        """Opens the file, or says in the log why it has to be opened later.

        Raises:
            StoreError: the user has to set something right first; the message says what.
        """
        self._path = path
        self._open_file = open_file
        self._reads: SqliteReads | None = None
        self._inode: tuple[int, int] | None = None
        self.notice = ""
        self.generation = 0
        """Grows with each new file that took the place of another."""
        try:
            self._open(check=True)
        except UnavailableFileError as error:
            _LOG.warning("%s; the drive goes on, and the file is tried again", error)

    @property
    def path(self) -> Path:
        """The file."""
        return self._path

    def call(self, action: Callable[[SqliteReads], _Given]) -> _Given:
        """Does something with the file; after a new one took the place of a damaged one, once again.

        Raises:
            StoreError: it cannot be done now.
        """
        if self._reads is not None and self._inode != _inode_of(self._path):
            self._say(f"the reads file {self._path} was taken away; a new one is begun")
            self._close_file()
        reads = self._reads or self._open(check=False)
        try:
            return action(reads)
        except DamagedFileError as error:
            self._close_file()
            self._replace(error)
            return action(self._open(check=False))

    def close(self) -> None:
        """Closes the file."""
        self._close_file()

    def _open(self, *, check: bool) -> SqliteReads:
        try:
            reads = self._open_file(self._path)
            if check and is_broken(self._path):
                reads.close()
                raise DamagedFileError(f"the reads file {self._path} is damaged")
        except DamagedFileError as error:
            self._replace(error)
            reads = self._open_file(self._path)
        self._reads = reads
        self._inode = _inode_of(self._path)
        return reads

    def _close_file(self) -> None:
        if self._reads is not None:
            self._reads.close()
            self._reads = None

    def _replace(self, error: DamagedFileError) -> None:
        """Moves the file aside, if it was one of ours and nobody else has done so meanwhile."""
        with _alone(self._path):
            if not _was_database(self._path):
                raise error
            if not is_broken(self._path):
                return
            aside = move_aside(self._path)
        self._say(
            f"the reads file {self._path} is damaged: it is kept as {aside.name}, and a new list is begun "
            f"(`sqlite3 {aside.name} .recover` may rescue reads)"
        )

    def _say(self, notice: str) -> None:
        self.notice = notice
        self.generation += 1
        _LOG.warning("%s", notice)


def is_broken(path: Path) -> bool:
    """SQLite's own check of the file's structure, as far as it comes within a second, and whether its header is that
    of one of ours where its tables are; false for a missing file.
    """
    if not is_file(path):
        return False
    connection = sqlite3.connect(path, timeout=_CHECK_S)
    try:
        until_s = time.monotonic() + _CHECK_S
        connection.set_progress_handler(lambda: time.monotonic() > until_s, _CHECK_STEPS)
        return is_disowned(connection) or connection.execute("PRAGMA quick_check(1)").fetchall() != [("ok",)]
    except sqlite3.DatabaseError as error:
        return getattr(error, "sqlite_errorname", "").startswith(("SQLITE_CORRUPT", "SQLITE_NOTADB"))
    finally:
        connection.close()


def move_aside(path: Path) -> Path:
    """Renames the file and what SQLite keeps beside it; gives the new name, `reads.db.damaged-20261121T180502Z`."""
    stem = f"{path.name}.damaged-{datetime.now(UTC):%Y%m%dT%H%M%SZ}"
    aside = path.with_name(stem)
    number = 1
    while aside.exists():
        number += 1
        aside = path.with_name(f"{stem}-{number}")
    for suffix in ("-wal", "-shm", ""):  # the file last: a log alone does no harm to a new file, nor is it lost
        part = path.with_name(path.name + suffix)
        if part.exists():
            part.rename(aside.with_name(aside.name + suffix))
    return aside


def _was_database(path: Path) -> bool:
    """Whether a damaged file was one of ours, by what is left of it.

    It is none where it is a database of another program, or a text that was named by mistake. What is no database
    under a name of one is taken for ours: nothing is lost by moving it.
    """
    try:
        with path.open("rb") as file:
            head = file.read(1024)
            if not head.startswith(_MAGIC):
                return path.suffix.lower() in _SUFFIXES or not head.strip(b"\0")
            return head[_ID_AT : _ID_AT + 4] == APPLICATION_ID.to_bytes(4, "big") or _holds_our_table(file)
    except OSError:
        return False


def _holds_our_table(file: BinaryIO) -> bool:
    with mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as content:
        return content.find(READS_TABLE.encode("ascii")) >= 0


def _inode_of(path: Path) -> tuple[int, int] | None:
    try:
        status = path.stat()
    except OSError:
        return None
    return status.st_dev, status.st_ino


@contextmanager
def _alone(path: Path) -> Iterator[None]:
    """Holds a lock beside the file, so that of two processes only one moves it aside."""
    try:
        descriptor = os.open(path.with_name(f"{path.name}.lock"), os.O_CREAT | os.O_RDWR | os.O_CLOEXEC, 0o600)
    except OSError as error:
        raise UnavailableFileError(f"cannot move the damaged reads file {path} aside: {error.strerror}") from error
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    except OSError as error:
        raise UnavailableFileError(f"cannot move the damaged reads file {path} aside: {error.strerror}") from error
    finally:
        os.close(descriptor)
