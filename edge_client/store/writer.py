"""Writes reads as they happen, each in one durable transaction."""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

from edge_client.errors import StoreError
from edge_client.outbox import box
from edge_client.store.drives import (
    DriveStart,
    Position,
    cut_drives,
    finish_shifts,
    note_shift,
    put_drive,
    put_end,
    put_positions,
)
from edge_client.store.known import KnownPlate
from edge_client.store.retention import prune, shrink
from edge_client.store.rows import time_text
from edge_client.store.saving import MAX_SINGLES, end_reads, put_read, remove_read
from edge_client.store.schema import error_of, explain, open_for_writing
from edge_client.store.secrecy import PlateSecret
from edge_client.types import Alert, StoreStatus, TrackRead, UtcSource

__all__ = ["MAX_SINGLES", "SqliteReads"]


class SqliteReads:
    """The store of a drive. Any number of processes may write to one file, and search it meanwhile."""

    def __init__(
        self,
        path: Path,
        *,
        busy_timeout_s: float = 5.0,
        secret: PlateSecret | None = None,
        mailing: box.Mailing | None = None,
        on_events: Callable[[], None] = lambda: None,
    ) -> None:
        """Opens the file, making it if need be.

        Args:
            path: the SQLite file.
            busy_timeout_s: how long another writer is waited for.
            secret: stores keyed hashes instead of texts.
            mailing: who gets events.
            on_events: called after events were queued; must not block.

        Raises:
            StoreError: the file cannot be used; the message says why.
        """
        self._path = path
        self._secret = secret
        self._mailing = mailing
        self._on_events = on_events
        self._connection: sqlite3.Connection | None = open_for_writing(path, busy_timeout_s=busy_timeout_s)
        self._lock = threading.Lock()
        self._own_drives: set[str] = set()
        self._noted: tuple[str, float, UtcSource] | None = None

    def save(self, read: TrackRead, known: KnownPlate | None = None, *, quietly: bool = False) -> None:
        """Writes the read with its single reads, in place of what stood there under its `uid` and of the
        reads that it supersedes, and queues the events of its track.

        When this returns, the read survives a power cut. `known` is the plate of the owner's list that it is;
        `quietly` queues no events.

        Raises:
            StoreError: it could not be written now (disk full, locked); the file is as it was before.
        """
        with self._transaction() as connection:
            own = not read.drive or read.drive in self._own_drives
            events = put_read(connection, read, known, self._secret, own=own)
            queued = 0 if quietly else self._enqueue(connection, events)
        self._tell(queued)

    def remove(self, uids: Sequence[str]) -> None:
        """Deletes reads that are not to be kept after all."""
        with self._transaction() as connection:
            queued = sum(self._enqueue(connection, remove_read(connection, uid)) for uid in uids)
        self._tell(queued)

    def begin_drive(self, drive: DriveStart) -> None:
        """As `DriveLog` has it; also ends drives that a power cut ended, and forgets receivers that are gone.

        A correction of times that was noted and not carried out, as the power was cut, is carried out first.
        """
        self._own_drives.add(drive.uid)
        with self._transaction() as connection:
            finish_shifts(connection)
            put_drive(connection, drive)
            queued = self._enqueue(connection, end_reads(connection, cut_drives(connection)))
            box.forget_others(connection, self._mailing.receivers if self._mailing is not None else ())
        self._tell(queued)

    def end_drive(self, uid: str, ended: datetime) -> None:
        """As `DriveLog` has it; tracks that nobody ended end here."""
        with self._transaction() as connection:
            put_end(connection, uid, ended)
            queued = self._enqueue(connection, end_reads(connection, [uid]))
        self._tell(queued)

    def add_positions(self, drive: str, positions: Sequence[Position]) -> None:
        """As `DriveLog` has it."""
        with self._transaction() as connection:
            put_positions(connection, drive, positions)

    def correct_times(self, drive: str, shift: timedelta, source: UtcSource) -> None:
        """As `ReadStore` has it. It is noted durably first: what a power cut interrupts, the next drive finishes."""
        self._own_drives.add(drive)
        wanted = (drive, shift.total_seconds(), source)
        if self._noted != wanted:  # not so where it is tried again
            with self._transaction() as connection:
                note_shift(connection, *wanted)
            self._noted = wanted
        with self._transaction() as connection:
            finish_shifts(connection)
        self._noted = None

    def annotate(self, read_id: int, note: str) -> bool:
        """Keeps the owner's own words with a read; false when there is none of that number."""
        with self._transaction() as connection:
            return connection.execute("UPDATE reads SET note = ? WHERE id = ?", (note, read_id)).rowcount > 0

    def tend(self) -> None:
        """As `DriveLog` has it: there is nothing to do."""

    def status(self) -> StoreStatus:
        """As `DriveLog` has it: there is nothing to be said."""
        return StoreStatus()

    def alerts(self) -> tuple[Alert, ...]:
        """As `DriveLog` has it: this store knows no list of plates."""
        return ()

    def hides(self, text: str) -> bool:
        """As `DriveLog` has it: this store knows no list of plates."""
        return False

    def named(self, text: str) -> str:
        """As `DriveLog` has it: what is shown is not its business."""
        return text

    def prune(self, before: datetime) -> int:
        """Deletes what is older; gives how many reads went."""
        with self._transaction() as connection:
            reads = prune(connection, before)
        with self._explained() as connection:
            shrink(connection)
        return reads

    def events(self) -> tuple[int, int]:
        """Events that wait, and those that were dropped."""
        with self._explained() as connection:
            return box.waiting(connection)

    def close(self) -> None:
        """Closes the file. Calling it again does nothing."""
        with self._lock:
            if self._connection is not None:
                self._connection.close()
                self._connection = None

    def _enqueue(self, connection: sqlite3.Connection, events: Sequence[box.Event]) -> int:
        if self._mailing is None:
            return 0
        return box.enqueue(connection, self._mailing, events, time_text(datetime.now(UTC)))

    def _tell(self, queued: int) -> None:
        if queued:
            self._on_events()

    @contextmanager
    def _transaction(self) -> Iterator[sqlite3.Connection]:
        with self._explained() as connection:
            try:
                connection.execute("BEGIN IMMEDIATE")
                yield connection
                connection.execute("COMMIT")
            except BaseException:
                if connection.in_transaction:
                    connection.execute("ROLLBACK")
                raise

    @contextmanager
    def _explained(self) -> Iterator[sqlite3.Connection]:
        with self._lock:
            if self._connection is None:
                raise StoreError(f"the reads file {self._path} is closed already")
            try:
                yield self._connection
            except sqlite3.Error as e:
                raise error_of(e)(f"cannot write to the reads file {self._path}: {explain(e)}") from e
