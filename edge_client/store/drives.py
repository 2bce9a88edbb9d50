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
from edge_client.types import Alert, StoreStatus, UtcSource


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
    """A store that keeps drives too. What is written is durable when a call returns, and raises `StoreError` else."""

    def begin_drive(self, drive: DriveStart) -> None:
        """Note that a drive has begun; again for the same one does nothing."""

    def end_drive(self, uid: str, ended: datetime) -> None:
        """Note that a drive has ended."""

    def add_positions(self, drive: str, positions: Sequence[Position]) -> None:
        """Lengthen a drive's track; a point at a time that is there already takes its place."""

    def tend(self) -> None:
        """Called about once a minute; raises nothing."""

    def status(self) -> StoreStatus:
        """What is to be said of the store besides what waits for it; may be called from any thread."""

    def alerts(self) -> tuple[Alert, ...]:
        """The latest plates of the owner's list that were seen, newest last; may be called from any thread."""

    def hides(self, text: str) -> bool:
        """Whether the owner wants a plate not to be shown; may be called from any thread, often."""

    def named(self, text: str) -> str:
        """What is shown of a plate that was read: itself, or a hash; may be called from any thread, often."""


def put_drive(connection: sqlite3.Connection, drive: DriveStart) -> None:
    """Adds a drive; one that is there stays as it is."""
    connection.execute(
        "INSERT OR IGNORE INTO drives (uid, started, utc_source, source, holder) VALUES (?, ?, ?, ?, ?)",
        (drive.uid, time_text(drive.started), drive.utc_source.value, drive.source, _holder(os.getpid())),
    )


def put_end(connection: sqlite3.Connection, uid: str, ended: datetime) -> None:
    """Ends a drive."""
    connection.execute("UPDATE drives SET ended = ? WHERE uid = ?", (time_text(ended), uid))


def put_positions(connection: sqlite3.Connection, drive: str, positions: Sequence[Position]) -> None:
    """Adds points to a drive's track."""
    connection.executemany(
        "INSERT OR REPLACE INTO positions (drive, seen, latitude, longitude, speed_mps, course_deg, utc_source) "
        "VALUES (?, ?, ?, ?, ?, ?, ?)",
        [
            (drive, time_text(p.utc), p.latitude_deg, p.longitude_deg, p.speed_mps, p.course_deg, p.utc_source.value)
            for p in positions
        ],
    )


def time_shift(connection: sqlite3.Connection, drive: str) -> tuple[float, str]:
    """Seconds by which the times of a drive were moved so far, and who told the time at last; 0 and "" if never."""
    row = connection.execute("SELECT time_shift_s, shift_source FROM drives WHERE uid = ?", (drive,)).fetchone()
    return (float(row[0]), str(row[1])) if row is not None else (0.0, "")


def note_shift(connection: sqlite3.Connection, drive: str, shift_s: float, source: UtcSource) -> None:
    """Notes that everything of a drive is to be moved; once this is durable, `finish_shifts` may come much later."""
    connection.execute(
        "INSERT INTO corrections (drive, shift_s, source) VALUES (?, ?, ?)", (drive, shift_s, source.value)
    )


def finish_shifts(connection: sqlite3.Connection) -> None:
    """Moves what was noted and not moved yet: by this process, or by one that was killed meanwhile."""
    noted = connection.execute("SELECT drive, shift_s, source FROM corrections ORDER BY id").fetchall()
    for drive, shift_s, source in noted:
        shift_drive(connection, drive, shift_s, UtcSource(source))
    connection.execute("DELETE FROM corrections")


def shift_drive(connection: sqlite3.Connection, drive: str, shift_s: float, source: UtcSource) -> None:
    """Moves everything of a drive in time but what a recording told; notes by how much, for what comes much later."""
    connection.create_function("shifted", 2, shifted, deterministic=True)
    values = {"shift": shift_s, "source": source.value, "drive": drive, "holder": _holder(os.getpid())}
    moved = "utc_source = :source, time_shift_s = time_shift_s + :shift"
    connection.execute(
        "INSERT OR IGNORE INTO drives (uid, started, utc_source, source, holder) SELECT :drive, min(first_seen), "
        "'system', '', :holder FROM reads WHERE drive = :drive HAVING count(*) > 0",
        values,
    )
    connection.execute(
        f"UPDATE single_reads SET seen = shifted(seen, :shift), {moved} WHERE utc_source <> 'recording' "  # noqa: S608
        "AND read_id IN (SELECT id FROM reads WHERE drive = :drive)",
        values,
    )
    connection.execute(
        f"UPDATE reads SET first_seen = shifted(first_seen, :shift), last_seen = shifted(last_seen, :shift), {moved} "  # noqa: S608
        "WHERE utc_source <> 'recording' AND drive = :drive",
        values,
    )
    # Point by point in the order in which they move: else one would stand for a moment where the next one is.
    order = "DESC" if shift_s > 0 else "ASC"
    points = connection.execute(
        f"SELECT seen FROM positions WHERE drive = :drive AND utc_source <> 'recording' ORDER BY seen {order}",  # noqa: S608
        values,
    ).fetchall()
    connection.executemany(
        f"UPDATE OR REPLACE positions SET seen = shifted(seen, :shift), {moved} WHERE drive = :drive AND seen = :seen",  # noqa: S608
        [{**values, "seen": seen} for (seen,) in points],
    )
    connection.execute(
        "UPDATE drives SET shift_source = :source, time_shift_s = time_shift_s + :shift, started = CASE utc_source "
        "WHEN 'recording' THEN started ELSE shifted(started, :shift) END WHERE uid = :drive",
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
