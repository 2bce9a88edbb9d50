"""Deletes what is older than the owner wants to keep."""

from __future__ import annotations

import sqlite3
from datetime import datetime

from edge_client.store.rows import time_text

PLAUSIBLE_SINCE = "2024-01-01"
"""Times before this come from a clock that was not set: such rows are as old as their neighbours."""
_WORTH_A_VACUUM = 0.25


def prune(connection: sqlite3.Connection, before: datetime) -> int:
    """Deletes reads, drives, positions and events of before that time; gives how many reads went.

    Within the caller's transaction; `shrink` afterwards gives the room back.
    """
    values = {"before": time_text(before), "plausible": PLAUSIBLE_SINCE}
    reads = connection.execute(
        "DELETE FROM reads WHERE (last_seen >= :plausible AND last_seen < :before) OR (last_seen < :plausible AND "
        "(SELECT later.last_seen FROM reads later WHERE later.id > reads.id AND later.last_seen >= :plausible "
        "ORDER BY later.id LIMIT 1) < :before)",
        values,
    ).rowcount
    connection.execute("DELETE FROM positions WHERE seen >= :plausible AND seen < :before", values)
    connection.execute(
        "DELETE FROM drives WHERE ended IS NOT NULL AND ended >= :plausible AND ended < :before "
        "AND NOT EXISTS (SELECT 1 FROM reads WHERE reads.drive = drives.uid)",
        values,
    )
    connection.execute(
        "DELETE FROM positions WHERE seen < :plausible AND NOT EXISTS "
        "(SELECT 1 FROM drives WHERE drives.uid = positions.drive)",
        values,
    )
    connection.execute("DELETE FROM outbox WHERE queued >= :plausible AND queued < :before", values)
    return reads


def shrink(connection: sqlite3.Connection) -> None:
    """Takes deleted rows out of the write-ahead log too, and gives room back to the disk where it is worth it.

    Outside of transactions. A reader or another writer may be in the way; then the next time does it.
    """
    try:
        (pages,) = connection.execute("PRAGMA page_count").fetchone()
        (free,) = connection.execute("PRAGMA freelist_count").fetchone()
        if free > _WORTH_A_VACUUM * pages:
            connection.execute("VACUUM")
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()
    except sqlite3.OperationalError:
        pass
