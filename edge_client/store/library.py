"""Searches the stored reads."""

from __future__ import annotations

import math
import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path

from edge_client.errors import StoreError
from edge_client.geodesy import EARTH_RADIUS_M, haversine_m
from edge_client.store.plate_text import is_pattern, plain_pattern, within_edits
from edge_client.store.rows import (
    READ_COLUMNS,
    SINGLE_COLUMNS,
    StoredRead,
    StoredSingle,
    parse_time,
    stored_read,
    stored_single,
    time_text,
)
from edge_client.store.schema import explain, open_for_reading
from edge_client.store.secrecy import PlateSecret
from edge_client.store.vehicle_columns import plain_name, plain_name_pattern


@dataclass(frozen=True, slots=True)
class Circle:
    """A place in degrees, and how far from it in metres."""

    latitude_deg: float
    longitude_deg: float
    radius_m: float


@dataclass(frozen=True, slots=True)
class ReadFilter:
    """Which reads are wanted; None leaves a condition out.

    Attributes:
        since: seen at this time or later.
        until: first seen before this time.
        text: a plate, with `?` for one character and `*` for any number; case and separators do not count.
        min_confidence: at least this confidence, 0..1.
        limit: at most so many, the newest.
        like: a plate, and reads within `distance` edits of it, where O and 0, I and 1 are alike.
        near: seen within this circle.
        drive: of drives whose uid begins like this.
        known: whether it is on the owner's list.
        with_plate: whether its plate was read.
        vehicle_type: type of the car, with `?` and `*`; case, separators and accents do not count.
        colour: its colour, likewise.
        make: its make, likewise.
        model: its model, likewise.
    """

    since: datetime | None = None
    until: datetime | None = None
    text: str | None = None
    min_confidence: float | None = None
    limit: int | None = None
    like: str | None = None
    distance: int = 1
    near: Circle | None = None
    drive: str | None = None
    known: bool | None = None
    with_plate: bool | None = None
    vehicle_type: str | None = None
    colour: str | None = None
    make: str | None = None
    model: str | None = None

    def is_empty(self) -> bool:
        """Whether it lets everything through, but for the limit."""
        return replace(self, limit=None, distance=1) == ReadFilter()


@dataclass(frozen=True, slots=True)
class StoredDrive:
    """A drive: `ended` is None while it runs, `reads` counts its plates."""

    uid: str
    started: datetime
    ended: datetime | None
    source: str
    utc_source: str
    time_shift_s: float
    reads: int


@dataclass(frozen=True, slots=True)
class TrackPoint:
    """One point of a drive's track."""

    seen: datetime
    latitude_deg: float
    longitude_deg: float
    speed_mps: float | None
    course_deg: float | None


class ReadLibrary:
    """A reads file opened for searching; a drive may be writing to it meanwhile."""

    def __init__(self, path: Path, secret: PlateSecret | None = None) -> None:
        """Opens the file; `secret` finds plates that are stored as keyed hashes.

        Raises:
            StoreError: there is no such file, or it cannot be used; the message says why.
        """
        self._path = path
        self._secret = secret
        self._connection = open_for_reading(path)
        self._connection.row_factory = sqlite3.Row
        self._connection.create_function("haversine_m", 4, haversine_m, deterministic=True)
        self._connection.create_function("plain_name", 1, plain_name, deterministic=True)

    def __enter__(self) -> ReadLibrary:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Closes the file."""
        self._connection.close()

    def find(self, wanted: ReadFilter) -> list[StoredRead]:
        """The reads that meet the filter, newest first."""
        conditions, values = conditions_of(wanted, self._secret)
        if wanted.like is not None:
            self._connection.create_function("is_like", 1, within_edits(wanted.like, wanted.distance))
        where = f" WHERE {' AND '.join(conditions)}" if conditions else ""
        limit = -1 if wanted.limit is None else wanted.limit
        query = f"SELECT {READ_COLUMNS} FROM reads{where} ORDER BY first_seen DESC, id DESC LIMIT ?"  # noqa: S608
        with self._explained():
            return [stored_read(row) for row in self._connection.execute(query, [*values, limit])]

    def count(self) -> int:
        """How many reads there are."""
        with self._explained():
            return int(self._connection.execute("SELECT count(*) FROM reads").fetchone()[0])

    def count_hashed(self) -> int:
        """How many reads are keyed hashes."""
        with self._explained():
            return int(self._connection.execute("SELECT count(*) FROM reads WHERE hashed").fetchone()[0])

    def drives(self, uids: Sequence[str] | None = None) -> list[StoredDrive]:
        """The drives, all or those of these uids, oldest first."""
        query = (
            "SELECT uid, started, ended, source, utc_source, time_shift_s, "
            "(SELECT count(*) FROM reads WHERE reads.drive = drives.uid AND text <> '') AS reads "
            "FROM drives ORDER BY started, uid"
        )
        with self._explained():
            rows = self._connection.execute(query).fetchall()
        return [
            StoredDrive(
                row["uid"],
                parse_time(row["started"]),
                parse_time(row["ended"]) if row["ended"] is not None else None,
                row["source"],
                row["utc_source"],
                row["time_shift_s"],
                row["reads"],
            )
            for row in rows
            if uids is None or row["uid"] in uids
        ]

    def track(self, drive: str, since: datetime | None = None, until: datetime | None = None) -> list[TrackPoint]:
        """The way of a drive, about a point a second, in the order of time."""
        bounds = (time_text(since) if since else "", time_text(until) if until else "~")
        query = (
            "SELECT seen, latitude, longitude, speed_mps, course_deg FROM positions "
            "WHERE drive = ? AND seen >= ? AND seen < ? ORDER BY seen"
        )
        with self._explained():
            rows = self._connection.execute(query, (drive, *bounds)).fetchall()
        return [TrackPoint(parse_time(row[0]), *row[1:]) for row in rows]

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


def conditions_of(wanted: ReadFilter, secret: PlateSecret | None) -> tuple[list[str], list[object]]:
    """A filter as SQL conditions and their values."""
    conditions: list[str] = []
    values: list[object] = []

    def add(condition: str, *given: object) -> None:
        conditions.append(condition)
        values.extend(given)

    if wanted.since is not None:
        add("last_seen >= ?", time_text(wanted.since))
    if wanted.until is not None:
        add("first_seen < ?", time_text(wanted.until))
    if wanted.text is not None:
        pattern = plain_pattern(wanted.text)
        if secret is None or is_pattern(pattern):
            add("NOT hashed AND plate <> '' AND plate GLOB ?", pattern)
        else:
            add("plate IN (?, ?)", pattern, secret.digest(pattern))
    if wanted.like is not None:
        add("NOT hashed AND plate <> '' AND is_like(plate)")
    if wanted.min_confidence is not None:
        add("confidence >= ?", wanted.min_confidence)
    if wanted.near is not None:
        near = wanted.near
        reach_deg = math.degrees(near.radius_m / EARTH_RADIUS_M)
        add("latitude BETWEEN ? AND ?", near.latitude_deg - reach_deg, near.latitude_deg + reach_deg)
        add("haversine_m(latitude, longitude, ?, ?) <= ?", near.latitude_deg, near.longitude_deg, near.radius_m)
    if wanted.drive is not None:
        add("substr(drive, 1, ?) = ?", len(wanted.drive), wanted.drive)
    if wanted.known is not None:
        add("known <> ''" if wanted.known else "known = ''")
    if wanted.with_plate is not None:
        add("text <> ''" if wanted.with_plate else "text = ''")
    for column in ("vehicle_type", "colour", "make", "model"):
        name: str | None = getattr(wanted, column)
        if name is not None:
            add(f"{column} <> '' AND plain_name({column}) GLOB ?", plain_name_pattern(name))
    return conditions, values
