"""Drives in the reads file: when they were, where they led, and whether their clock was right.

Functions on an open connection, within the caller's transaction.
"""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Protocol, runtime_checkable

from edge_client.store.rows import shifted, time_text
from edge_client.types import UtcSource

_STRADDLES_S = 60.0


@dataclass(frozen=True, slots=True)
class DriveStart:
    """A drive that begins: `uid` is that of its reads, `source` what the user called the source of pictures."""

    uid: str
    started: datetime
    utc_source: UtcSource = UtcSource.SYSTEM
    source: str = ""


@dataclass(frozen=True, slots=True)
class Position:
    """One point of a drive's track: WGS 84 degrees, metres per second, degrees clockwise from true north."""

    utc: datetime
    latitude_deg: float
    longitude_deg: float
    speed_mps: float | None = None
    course_deg: float | None = None
    utc_source: UtcSource = UtcSource.SYSTEM


@runtime_checkable
class DriveLog(Protocol):
    """A store that keeps drives too. Each call is durable when it returns, and raises `StoreError` else."""

    def begin_drive(self, drive: DriveStart) -> None:
        """Note that a drive has begun; again for the same one does nothing."""

    def end_drive(self, uid: str, ended: datetime, utc_source: UtcSource) -> None:
        """Note that a drive has ended."""

    def add_positions(self, drive: str, positions: Sequence[Position]) -> None:
        """Lengthen a drive's track; a point at a time that is there already takes its place."""

    def correct_times(self, drive: str, shift_s: float, source: UtcSource) -> None:
        """What the system's clock told in a drive was wrong by so many seconds, which are added to it.

        Holds for what is stored and for what is saved of this drive later. Stating the same shift again changes
        nothing; another one takes its place.
        """

    def tend(self) -> None:
        """Called now and then while nothing happens."""


def put_drive(connection: sqlite3.Connection, drive: DriveStart) -> None:
    """Adds a drive; one that is there stays as it is."""
    connection.execute(
        "INSERT OR IGNORE INTO drives (uid, started, utc_source, source, holder) VALUES (?, ?, ?, ?, ?)",
        (drive.uid, time_text(drive.started), drive.utc_source.value, drive.source, _holder(os.getpid())),
    )


def put_end(connection: sqlite3.Connection, uid: str, ended: datetime, utc_source: UtcSource) -> None:
    """Ends a drive."""
    shift_s, _ = time_shift(connection, uid)
    text = time_text(ended)
    if utc_source is UtcSource.SYSTEM:
        text = shifted(text, shift_s)
    connection.execute("UPDATE drives SET ended = ? WHERE uid = ?", (text, uid))


def put_positions(connection: sqlite3.Connection, drive: str, positions: Sequence[Position]) -> None:
    """Adds points to a drive's track, with the drive's time shift if they need it."""
    shift_s, source = time_shift(connection, drive)
    rows = []
    for position in positions:
        text, told, by_s = time_text(position.utc), position.utc_source.value, 0.0
        if shift_s and position.utc_source is UtcSource.SYSTEM:
            text, told, by_s = shifted(text, shift_s), source, shift_s
        degrees = (position.latitude_deg, position.longitude_deg)
        rows.append((drive, text, *degrees, position.speed_mps, position.course_deg, told, by_s))
    connection.executemany("INSERT OR REPLACE INTO positions VALUES (?, ?, ?, ?, ?, ?, ?, ?)", rows)


def time_shift(connection: sqlite3.Connection, drive: str) -> tuple[float, str]:
    """Seconds to add to what the system's clock told in a drive, and who knew better; 0 and "" if it was right."""
    row = connection.execute("SELECT time_shift_s, shift_source FROM drives WHERE uid = ?", (drive,)).fetchone()
    return (float(row[0]), str(row[1])) if row is not None else (0.0, "")


def shift_span(first: str, last: str, shift_s: float) -> tuple[str, str]:
    """First and last sight of a read whose first was told by the wrong clock.

    Where the clock was set in between, the last one is right already: then the two lie about the shift apart.
    """
    first_new, last_new = shifted(first, shift_s), shifted(last, shift_s)
    gap_s = (datetime.fromisoformat(last) - datetime.fromisoformat(first)).total_seconds()
    if abs(shift_s) > _STRADDLES_S and abs(gap_s) > abs(shift_s) / 2:
        last_new = last
    return first_new, max(first_new, last_new)


def shift_drive(connection: sqlite3.Connection, drive: str, shift_s: float, source: UtcSource) -> None:
    """Corrects everything of a drive that the system's clock told, and remembers that for what comes later."""
    connection.create_function("shifted", 2, shifted, deterministic=True)
    connection.execute(
        "INSERT OR IGNORE INTO drives (uid, started, utc_source, source, holder) "
        "VALUES (?1, coalesce((SELECT min(first_seen) FROM reads WHERE drive = ?1), '1970-01-01T00:00:00.000Z'), "
        "'system', '', ?2)",
        (drive, _holder(os.getpid())),
    )
    before_s, _ = time_shift(connection, drive)
    if before_s == shift_s:
        return
    of_clock = "(utc_source = 'system' OR time_shift_s <> 0)"
    reads = connection.execute(
        f"SELECT id, first_seen, last_seen, time_shift_s FROM reads WHERE drive = ? AND {of_clock}",  # noqa: S608
        (drive,),
    ).fetchall()
    for read_id, first, last, so_far_s in reads:
        first_new, last_new = shift_span(first, last, shift_s - so_far_s)
        connection.execute(
            "UPDATE reads SET first_seen = ?, last_seen = ?, utc_source = ?, time_shift_s = ? WHERE id = ?",
            (first_new, last_new, source.value, shift_s, read_id),
        )
    values = {"shift": shift_s, "source": source.value, "drive": drive}
    connection.execute(
        "UPDATE single_reads SET seen = shifted(seen, :shift - time_shift_s), utc_source = :source, "  # noqa: S608
        f"time_shift_s = :shift WHERE read_id IN (SELECT id FROM reads WHERE drive = :drive) AND {of_clock}",
        values,
    )
    connection.execute(
        "UPDATE OR REPLACE positions SET seen = shifted(seen, :shift - time_shift_s), utc_source = :source, "  # noqa: S608
        f"time_shift_s = :shift WHERE drive = :drive AND {of_clock}",
        values,
    )
    connection.execute(
        "UPDATE drives SET shift_source = :source, time_shift_s = :shift, "
        "started = CASE utc_source WHEN 'system' THEN shifted(started, :shift - time_shift_s) ELSE started END "
        "WHERE uid = :drive",
        values,
    )


def cut_drives(connection: sqlite3.Connection) -> list[str]:
    """Ends the drives whose process is gone without a word, at their last sign of life; gives their uids."""
    open_drives = connection.execute("SELECT uid, holder, started FROM drives WHERE ended IS NULL").fetchall()
    cut = [(uid, started) for uid, holder, started in open_drives if not _is_alive(holder)]
    for uid, started in cut:
        (last,) = connection.execute(
            "SELECT max(seen) FROM (SELECT max(last_seen) AS seen FROM reads WHERE drive = ?1 "
            "UNION ALL SELECT max(seen) FROM positions WHERE drive = ?1)",
            (uid,),
        ).fetchone()
        connection.execute("UPDATE drives SET ended = ? WHERE uid = ?", (max(last or started, started), uid))
    return [uid for uid, _ in cut]


def _holder(pid: int) -> str:
    """What tells a process from all others, before and after a restart: boot, number and start time (proc(5))."""
    try:
        boot = Path("/proc/sys/kernel/random/boot_id").read_text(encoding="ascii").strip()
        stat = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8", errors="replace")
    except OSError:
        return ""
    return f"{boot}:{pid}:{stat.rpartition(')')[2].split()[19]}"


def _is_alive(holder: str) -> bool:
    parts = holder.split(":")
    return len(parts) == 3 and parts[1].isdecimal() and _holder(int(parts[1])) == holder
