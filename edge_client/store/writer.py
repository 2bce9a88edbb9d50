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
    """The store of a drive. A read that cannot be written is kept and tried again with the next and at the
    end.
    """

    def __init__(self, path: Path, *, busy_timeout_s: float = 5.0) -> None:
        """Opens the file, making it if need be.

        Raises:
            StoreError: the file cannot be used; the message says why.
        """
        self._path = path
        self._connection = open_for_writing(path, busy_timeout_s=busy_timeout_s)
        self._lock = threading.Lock()
        self._unsaved: dict[str, TrackRead] = {}
        self._closed = False

    @property
    def unsaved(self) -> int:
        """How many reads wait to be written because the last attempt failed."""
        with self._lock:
            return len(self._unsaved)

    def save(self, read: TrackRead) -> None:
        """Writes the read with its single reads, replacing what stood there under its `uid`.

        When this returns, the read survives a power cut.

        Raises:
            StoreError: it could not be written now (disk full, locked); it is tried again with the next read.
        """
        with self._lock:
            self._unsaved[read.uid] = read
            self._write()

    def close(self) -> None:
        """Writes what could not be written before and closes the file. Calling it again does nothing.

        Raises:
            StoreError: reads could still not be written; the message says how many are lost.
        """
        with self._lock:
            if self._closed:
                return
            self._closed = True
            try:
                if self._unsaved:
                    self._write()
            except StoreError as e:
                texts = ", ".join(sorted({r.text for r in self._unsaved.values()})[:20])
                raise StoreError(f"{len(self._unsaved)} reads are lost ({texts}): {e}") from e
            finally:
                self._connection.close()

    def _write(self) -> None:
        try:
            self._connection.execute("BEGIN IMMEDIATE")
            for read in self._unsaved.values():
                self._upsert(read)
            self._connection.execute("COMMIT")
        except sqlite3.Error as e:
            if self._connection.in_transaction:
                self._connection.execute("ROLLBACK")
            raise StoreError(f"cannot write to the reads file {self._path}: {explain(e)}") from e
        self._unsaved.clear()

    def _upsert(self, read: TrackRead) -> None:
        (read_id,) = self._connection.execute(_UPSERT, read_values(read)).fetchone()
        sharpest = sorted(read.singles, key=lambda s: s.sharpness, reverse=True)[:MAX_SINGLES]
        self._connection.executemany(
            _INSERT_SINGLE, [single_values(single) | {"read_id": read_id} for single in sharpest]
        )
        kept = [single.frame_number for single in sharpest]
        marks = ",".join("?" * len(kept))
        self._connection.execute(
            f"DELETE FROM single_reads WHERE read_id = ? AND frame_number NOT IN ({marks})",  # noqa: S608
            [read_id, *kept],
        )
