"""Searches the stored reads."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from edge_client.errors import StoreError
from edge_client.store.rows import (
    READ_COLUMNS,
    SINGLE_COLUMNS,
    StoredRead,
    StoredSingle,
    stored_read,
    stored_single,
    time_text,
)
from edge_client.store.schema import explain, open_for_reading


@dataclass(frozen=True, slots=True)
class ReadFilter:
    """Which reads are wanted; None leaves a condition out.

    Attributes:
        since: seen at this time or later.
        until: first seen before this time.
        text: a pattern as the shell has them (`B*123?`), upper and lower case alike.
        min_confidence: at least this confidence, 0..1.
        limit: at most so many, the newest.
    """

    since: datetime | None = None
    until: datetime | None = None
    text: str | None = None
    min_confidence: float | None = None
    limit: int | None = None


class ReadLibrary:
    """A reads file opened for searching; a drive may be writing to it meanwhile."""

    def __init__(self, path: Path) -> None:
        """Opens the file.

        Raises:
            StoreError: there is no such file, or it cannot be used; the message says why.
        """
        self._path = path
        self._connection = open_for_reading(path)
        self._connection.row_factory = sqlite3.Row

    def __enter__(self) -> ReadLibrary:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Closes the file."""
        self._connection.close()

    def find(self, wanted: ReadFilter) -> list[StoredRead]:
        """The reads that meet the filter, newest first."""
        conditions: list[str] = []
        values: list[object] = []
        if wanted.since is not None:
            conditions.append("last_seen >= ?")
            values.append(time_text(wanted.since))
        if wanted.until is not None:
            conditions.append("first_seen < ?")
            values.append(time_text(wanted.until))
        if wanted.text is not None:
            conditions.append("upper(text) GLOB ?")
            values.append(wanted.text.upper())
        if wanted.min_confidence is not None:
            conditions.append("confidence >= ?")
            values.append(wanted.min_confidence)
        where = f" WHERE {' AND '.join(conditions)}" if conditions else ""
        limit = -1 if wanted.limit is None else wanted.limit
        query = f"SELECT {READ_COLUMNS} FROM reads{where} ORDER BY first_seen DESC, id DESC LIMIT ?"  # noqa: S608
        with self._explained():
            return [stored_read(row) for row in self._connection.execute(query, [*values, limit])]

    def count(self) -> int:
        """How many reads there are."""
        with self._explained():
            return int(self._connection.execute("SELECT count(*) FROM reads").fetchone()[0])

    def get(self, read_id: int) -> StoredRead | None:
        """The read of this number."""
        query = f"SELECT {READ_COLUMNS} FROM reads WHERE id = ?"  # noqa: S608
        with self._explained():
            row = self._connection.execute(query, [read_id]).fetchone()
        return None if row is None else stored_read(row)

    def crop(self, read_id: int) -> bytes | None:
        """The picture of the plate, JPEG."""
        with self._explained():
            row = self._connection.execute("SELECT crop FROM reads WHERE id = ?", [read_id]).fetchone()
        return None if row is None else bytes(row["crop"])

    def singles(self, read_id: int) -> list[StoredSingle]:
        """The single reads behind a read, in the order of their frames."""
        query = f"SELECT {SINGLE_COLUMNS} FROM single_reads WHERE read_id = ? ORDER BY frame_number"  # noqa: S608
        with self._explained():
            return [stored_single(row) for row in self._connection.execute(query, [read_id])]

    def is_sound(self) -> bool:
        """SQLite's own check of the file's structure; takes long on large files."""
        with self._explained():
            return [tuple(row) for row in self._connection.execute("PRAGMA quick_check(1)")] == [("ok",)]

    @contextmanager
    def _explained(self) -> Iterator[None]:
        try:
            yield
        except sqlite3.Error as e:
            raise StoreError(f"cannot read the reads file {self._path}: {explain(e)}") from e
