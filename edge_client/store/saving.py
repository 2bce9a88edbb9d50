"""One read into the tables, and what happened to its track thereby.

Functions on an open connection, within the caller's transaction.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from edge_client.outbox.box import Event
from edge_client.store.drives import time_shift
from edge_client.store.known import KnownPlate
from edge_client.store.retention import PLAUSIBLE_SINCE
from edge_client.store.rows import read_values, shifted, single_values
from edge_client.store.secrecy import PlateSecret
from edge_client.store.vehicle_columns import VEHICLE_COLUMNS, stored_vehicle, vehicle_object
from edge_client.types import SingleRead, TrackRead, UtcSource

MAX_SINGLES = 32
"""Most single reads kept behind one read: the sharpest."""

_COLUMNS = (
    "text", "plate", "hashed", "confidence", "character_confidences", "first_seen", "last_seen", "latitude",
    "longitude", "fix_age_s", "speed_mps", "course_deg", "satellites", "hdop", "drive", "utc_source", "time_shift_s",
    "ended", "known", "alerted", "note", "revision", "crop", *VEHICLE_COLUMNS,
)  # fmt: skip
_UPSERT = (
    f"INSERT INTO reads (uid, {', '.join(_COLUMNS)}) VALUES (:uid, {', '.join(f':{c}' for c in _COLUMNS)}) "  # noqa: S608
    f"ON CONFLICT (uid) DO UPDATE SET {', '.join(f'{c} = excluded.{c}' for c in _COLUMNS)} RETURNING id"
)
_INSERT_SINGLE = """
INSERT OR IGNORE INTO single_reads (read_id, frame_number, seen, text, character_confidences, words, box,
                                    sharpness, latitude, longitude, fix_age_s, crop, utc_source, time_shift_s)
VALUES (:read_id, :frame_number, :seen, :text, :character_confidences, :words, :box,
        :sharpness, :latitude, :longitude, :fix_age_s, :crop, :utc_source, :time_shift_s)
"""
# A change of these is an update.
_SAID = ("text", "confidence", "latitude", "longitude", "vehicle_type", "colour", "make", "model")
_ABOUT = (
    "text", "hashed", "confidence", "drive", "first_seen", "last_seen", "utc_source", "latitude", "longitude",
    "fix_age_s", "speed_mps", "course_deg",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class _Before:
    """What stood in the tables under a uid."""

    uid: str
    revision: int
    ended: bool
    alerted: bool
    note: str
    said: tuple[object, ...]


def put_read(
    connection: sqlite3.Connection,
    read: TrackRead,
    known: KnownPlate | None = None,
    secret: PlateSecret | None = None,
    *,
    own: bool = True,
) -> list[Event]:
    """Writes a read with its single reads, in place of those that it supersedes; gives what is to be told of it.

    Args:
        connection: with a transaction begun.
        read: what is written.
        known: the plate of the owner's list that it is.
        secret: hashes the text; then no pictures and single reads are kept.
        own: whether the drive is this process's; what comes late for an earlier one is moved in time as that was.
    """
    superseded = [row for uid in read.supersedes if (row := _remove(connection, uid)) is not None]
    before = _stored(connection, read.uid)
    alerting = known is not None and known.action == "alert"
    alerted = any(row.alerted for row in (*superseded, before) if row is not None)
    # The owner's words outlive the read that they were written to.
    notes = dict.fromkeys(row.note for row in (before, *superseded) if row is not None and row.note)
    shift_s, source = (0.0, "") if own else time_shift(connection, read.drive)
    values = read_values(read, secret) | {
        "time_shift_s": 0.0,
        "known": known.name if known is not None else "",
        "alerted": int(alerting or alerted),
        "note": "; ".join(notes),
        "revision": before.revision + 1 if before is not None else 1,
    }
    values |= _moved(values, ("first_seen", "last_seen"), shift_s, source)
    (read_id,) = connection.execute(_UPSERT, values).fetchone()
    _put_singles(connection, read_id, read.singles if secret is None else (), shift_s, source)
    kinds = _kinds(before, values, alert=alerting and not alerted)
    about = _about(values, known) | {"vehicle": vehicle_object(read.vehicle)}
    replaced = [
        Event("end", f"{row.uid}:{row.revision + 1}:end", about | {"track": row.uid, "superseded_by": read.uid})
        for row in superseded
        if not row.ended
    ]
    return replaced + [Event(kind, f"{read.uid}:{values['revision']}:{kind}", about) for kind in kinds]


def remove_read(connection: sqlite3.Connection, uid: str) -> list[Event]:
    """Deletes a read that is not to be kept after all; gives what is to be told of it: its end, without a plate."""
    row = _remove(connection, uid)
    if row is None or row.ended:
        return []
    return [Event("end", f"{uid}:{row.revision + 1}:end", {"track": uid, "removed": True})]


def end_reads(connection: sqlite3.Connection, drives: Sequence[str]) -> list[Event]:
    """Ends the tracks of drives that were cut off; gives what is to be told of them."""
    events = []
    for drive in drives:
        rows = connection.execute(
            f"UPDATE reads SET ended = 1, revision = revision + 1 WHERE drive = ? AND NOT ended "  # noqa: S608
            f"RETURNING uid, revision, known, {', '.join((*_ABOUT, *VEHICLE_COLUMNS))}",
            (drive,),
        ).fetchall()
        for uid, revision, name, *told in sorted(rows):
            values = dict(zip((*_ABOUT, *VEHICLE_COLUMNS), told, strict=True)) | {"uid": uid}
            about = _about(values, None) | ({"known": {"name": name}} if name else {})
            about["vehicle"] = vehicle_object(stored_vehicle(values))
            events.append(Event("end", f"{uid}:{revision}:end", about))
    return events


def _stored(connection: sqlite3.Connection, uid: str) -> _Before | None:
    row = connection.execute(
        f"SELECT revision, ended, alerted, note, {', '.join(_SAID)} FROM reads WHERE uid = ?",  # noqa: S608
        (uid,),
    ).fetchone()
    return None if row is None else _Before(uid, row[0], bool(row[1]), bool(row[2]), row[3], tuple(row[4:]))


def _remove(connection: sqlite3.Connection, uid: str) -> _Before | None:
    row = _stored(connection, uid)
    if row is not None:
        connection.execute("DELETE FROM reads WHERE uid = ?", (uid,))
    return row


def _put_singles(
    connection: sqlite3.Connection, read_id: int, singles: Sequence[SingleRead], shift_s: float, source: str
) -> None:
    kept = sorted(singles, key=lambda s: s.sharpness, reverse=True)[:MAX_SINGLES]
    rows = []
    for single in kept:
        values = single_values(single) | {"read_id": read_id, "time_shift_s": 0.0}
        rows.append(values | _moved(values, ("seen",), shift_s, source))
    connection.executemany(_INSERT_SINGLE, rows)
    marks = ",".join("?" * len(kept))
    connection.execute(
        f"DELETE FROM single_reads WHERE read_id = ? AND frame_number NOT IN ({marks})",  # noqa: S608
        [read_id, *(single.frame_number for single in kept)],
    )


def _moved(values: Mapping[str, object], times: Sequence[str], shift_s: float, source: str) -> dict[str, object]:
    """The times of a clock that turned out wrong, put right: the GPS knew better, or the clock had not been set."""
    if not shift_s or values["utc_source"] != UtcSource.SYSTEM.value:
        return {}
    if source != UtcSource.GPS.value and str(values[times[0]]) >= PLAUSIBLE_SINCE:
        return {}
    moved: dict[str, object] = {name: shifted(str(values[name]), shift_s) for name in times}
    return moved | {"utc_source": source, "time_shift_s": shift_s}


def _kinds(before: _Before | None, values: Mapping[str, object], *, alert: bool) -> list[str]:
    kinds = []
    if before is None:
        kinds.append("new")
    if values["ended"] and not (before is not None and before.ended):
        kinds.append("end")
    elif before is not None and before.said != tuple(values[name] for name in _SAID):
        kinds.append("update")
    if alert:
        kinds.append("alert")
    return kinds


def _about(values: Mapping[str, object], known: KnownPlate | None) -> dict[str, object]:
    """What an event tells of a read."""
    about: dict[str, object] = {"track": values["uid"]}
    for name in _ABOUT:
        about["plate" if name == "text" else name] = bool(values[name]) if name == "hashed" else values[name]
    if known is not None:
        about["known"] = {"name": known.name, "note": known.note, "action": known.action}
    return about
