"""The tables of the reads file, version by version.

A new file goes through all versions, an old one through those that it lacks, in one transaction: both end alike.
Times are UTC in ISO 8601 with milliseconds, so that they sort as texts; degrees are WGS 84 and NULL without a fix.
"""

from __future__ import annotations

import sqlite3
from typing import Final

from edge_client.store.plate_text import plain_plate

_VERSION_1: Final = """
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

# plate: the text without separators, in capitals, or its keyed hash; what searches compare.
# time_shift_s: what was added to the times of a row, or of a drive's rows, once the true time was known.
# holder: the process that writes the drive, so that one that was cut off can be told from one that runs.
_VERSION_2: Final = """
ALTER TABLE reads ADD COLUMN plate TEXT NOT NULL DEFAULT '';
ALTER TABLE reads ADD COLUMN hashed INTEGER NOT NULL DEFAULT 0;
ALTER TABLE reads ADD COLUMN drive TEXT NOT NULL DEFAULT '';
ALTER TABLE reads ADD COLUMN utc_source TEXT NOT NULL DEFAULT 'system';
ALTER TABLE reads ADD COLUMN time_shift_s REAL NOT NULL DEFAULT 0;
ALTER TABLE reads ADD COLUMN speed_mps REAL;
ALTER TABLE reads ADD COLUMN course_deg REAL;
ALTER TABLE reads ADD COLUMN satellites INTEGER;
ALTER TABLE reads ADD COLUMN hdop REAL;
ALTER TABLE reads ADD COLUMN ended INTEGER NOT NULL DEFAULT 1;
ALTER TABLE reads ADD COLUMN known TEXT NOT NULL DEFAULT '';
ALTER TABLE reads ADD COLUMN alerted INTEGER NOT NULL DEFAULT 0;
ALTER TABLE reads ADD COLUMN note TEXT NOT NULL DEFAULT '';
ALTER TABLE reads ADD COLUMN revision INTEGER NOT NULL DEFAULT 1;
UPDATE reads SET plate = plain_plate(text);
CREATE INDEX reads_plate ON reads (plate);
CREATE INDEX reads_drive ON reads (drive);
ALTER TABLE single_reads ADD COLUMN utc_source TEXT NOT NULL DEFAULT 'system';
ALTER TABLE single_reads ADD COLUMN time_shift_s REAL NOT NULL DEFAULT 0;
CREATE TABLE drives (
    uid TEXT PRIMARY KEY,
    started TEXT NOT NULL,
    ended TEXT,
    utc_source TEXT NOT NULL,
    time_shift_s REAL NOT NULL DEFAULT 0,
    shift_source TEXT NOT NULL DEFAULT '',
    source TEXT NOT NULL,
    holder TEXT NOT NULL
) STRICT, WITHOUT ROWID;
CREATE TABLE positions (
    drive TEXT NOT NULL,
    seen TEXT NOT NULL,
    latitude REAL NOT NULL CHECK (latitude BETWEEN -90 AND 90),
    longitude REAL NOT NULL CHECK (longitude BETWEEN -180 AND 180),
    speed_mps REAL,
    course_deg REAL,
    utc_source TEXT NOT NULL,
    time_shift_s REAL NOT NULL DEFAULT 0,
    PRIMARY KEY (drive, seen)
) STRICT, WITHOUT ROWID;
CREATE TABLE outbox (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    receiver TEXT NOT NULL,
    key TEXT NOT NULL,
    kind TEXT NOT NULL,
    queued TEXT NOT NULL,
    payload TEXT NOT NULL CHECK (json_valid(payload))
) STRICT;
CREATE INDEX outbox_receiver ON outbox (receiver, id);
CREATE TABLE receivers (name TEXT PRIMARY KEY, dropped INTEGER NOT NULL) STRICT, WITHOUT ROWID;
"""

# corrections: clocks that turned out wrong, noted before the rows of their drives move, and deleted with that.
_VERSION_3: Final = """
CREATE TABLE corrections (
    id INTEGER PRIMARY KEY,
    drive TEXT NOT NULL,
    shift_s REAL NOT NULL,
    source TEXT NOT NULL
) STRICT;
"""

# What the car looks like, by the names of the API that told it, empty where it is not known. Reads without a text are
# of cars whose plate could not be read.
_VERSION_4: Final = """
ALTER TABLE reads ADD COLUMN vehicle_kind TEXT NOT NULL DEFAULT '';
ALTER TABLE reads ADD COLUMN vehicle_type TEXT NOT NULL DEFAULT '';
ALTER TABLE reads ADD COLUMN colour TEXT NOT NULL DEFAULT '';
ALTER TABLE reads ADD COLUMN make TEXT NOT NULL DEFAULT '';
ALTER TABLE reads ADD COLUMN model TEXT NOT NULL DEFAULT '';
ALTER TABLE reads ADD COLUMN vehicle_type_confidence REAL;
ALTER TABLE reads ADD COLUMN colour_confidence REAL;
ALTER TABLE reads ADD COLUMN make_confidence REAL;
ALTER TABLE reads ADD COLUMN model_confidence REAL;
"""

READS_TABLE: Final = ",\n".join(_VERSION_1.strip().split(",\n")[:2])
"""How the statement of our table begins, as each of our files holds it."""

_VERSIONS: Final = (_VERSION_1, _VERSION_2, _VERSION_3, _VERSION_4)
SCHEMA_VERSION: Final = len(_VERSIONS)


def bring_up_to_date(connection: sqlite3.Connection, version: int) -> None:
    """Adds what a file of that version lacks (0: an empty one); within the caller's transaction."""
    connection.create_function("plain_plate", 1, plain_plate, deterministic=True)
    for statements in _VERSIONS[version:]:
        for statement in statements.split(";\n"):
            if statement.strip():
                connection.execute(statement)
    connection.execute(f"PRAGMA user_version = {SCHEMA_VERSION}")
