"""Writes reads as they happen, each in one durable transaction."""

from __future__ import annotations

import sqlite3
import threading
from pathlib import Path

from edge_client.errors import StoreError
from edge_client.store.rows import read_values, single_values
from edge_client.store.schema import explain, open_for_writing
from edge_client.types import TrackRead

MAX_SINGLES = 32
"""Most single reads kept behind one read: the sharpest."""

_UPSERT = """
INSERT INTO reads (uid, text, confidence, character_confidences, first_seen, last_seen,
                   latitude, longitude, fix_age_s, crop)
VALUES (:uid, :text, :confidence, :character_confidences, :first_seen, :last_seen,
        :latitude, :longitude, :fix_age_s, :crop)
ON CONFLICT (uid) DO UPDATE SET
    text = excluded.text, confidence = excluded.confidence,
    character_confidences = excluded.character_confidences,
    first_seen = excluded.first_seen, last_seen = excluded.last_seen,
    latitude = excluded.latitude, longitude = excluded.longitude, fix_age_s = excluded.fix_age_s,
    crop = excluded.crop
RETURNING id
"""
_INSERT_SINGLE = """
INSERT OR IGNORE INTO single_reads (read_id, frame_number, seen, text, character_confidences, words, box,
                                    sharpness, latitude, longitude, fix_age_s, crop)
VALUES (:read_id, :frame_number, :seen, :text, :character_confidences, :words, :box,
        :sharpness, :latitude, :longitude, :fix_age_s, :crop)
"""


class SqliteReads:
    """The store of a drive."""

    def __init__(self, path: Path, *, busy_timeout_s: float = 5.0) -> None:
        """Opens the file, making it if need be.

        Raises:
            StoreError: the file cannot be used; the message says why.
        """
        self._path = path
        self._connection: sqlite3.Connection | None = open_for_writing(path, busy_timeout_s=busy_timeout_s)
        self._lock = threading.Lock()

    def save(self, read: TrackRead) -> None:
        """Writes the read with its single reads, in place of what stood there under its `uid` and of the
        reads that it supersedes.

        When this returns, the read survives a power cut.

        Raises:
            StoreError: it could not be written now (disk full, locked); the file is as it was before.
        """
        with self._lock:
            if self._connection is None:
                raise StoreError(f"the reads file {self._path} is closed already")
            try:
                self._connection.execute("BEGIN IMMEDIATE")
                _upsert(self._connection, read)
                self._connection.execute("COMMIT")
            except sqlite3.Error as e:
                if self._connection.in_transaction:
                    self._connection.execute("ROLLBACK")
                raise StoreError(f"cannot write to the reads file {self._path}: {explain(e)}") from e

    def close(self) -> None:
        """Closes the file. Calling it again does nothing."""
        with self._lock:
            if self._connection is not None:
                self._connection.close()
                self._connection = None


def _upsert(connection: sqlite3.Connection, read: TrackRead) -> None:
    connection.executemany("DELETE FROM reads WHERE uid = ?", [(uid,) for uid in read.supersedes])
    (read_id,) = connection.execute(_UPSERT, read_values(read)).fetchone()
    sharpest = sorted(read.singles, key=lambda s: s.sharpness, reverse=True)[:MAX_SINGLES]
    connection.executemany(_INSERT_SINGLE, [single_values(single) | {"read_id": read_id} for single in sharpest])
    kept = [single.frame_number for single in sharpest]
    marks = ",".join("?" * len(kept))
    connection.execute(
        f"DELETE FROM single_reads WHERE read_id = ? AND frame_number NOT IN ({marks})",  # noqa: S608
        [read_id, *kept],
    )
