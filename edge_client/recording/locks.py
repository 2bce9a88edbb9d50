"""Locks: a file beside a segment says that it is kept, since when and why."""

from __future__ import annotations

import json
import os
from datetime import UTC, datetime
from pathlib import Path

from edge_client.recording.names import SegmentName

_LONGEST_REASON = 200


def lock_segment(folder: Path, name: SegmentName, reason: str) -> None:
    """Marks a segment as locked, durably. One that is locked keeps its first reason.

    Raises:
        OSError: the mark cannot be written.
    """
    text = json.dumps({"reason": reason[:_LONGEST_REASON], "utc": datetime.now(UTC).isoformat(timespec="seconds")})
    try:
        mark = os.open(name.lock(folder), os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o644)
    except FileExistsError:
        return
    # An empty mark, as a power cut may leave it, is a mark too.
    try:
        os.write(mark, text.encode())
        os.fsync(mark)
    finally:
        os.close(mark)
    sync_folder(folder)


def unlock_segment(folder: Path, name: SegmentName) -> bool:
    """Takes the mark away; False when there was none.

    Raises:
        OSError: it cannot be removed.
    """
    try:
        name.lock(folder).unlink()
    except FileNotFoundError:
        return False
    sync_folder(folder)
    return True


def lock_reason(folder: Path, name: SegmentName) -> str | None:
    """Why a segment is locked; None when it is not, "" when the mark does not say."""
    try:
        return str(json.loads(name.lock(folder).read_text(encoding="utf-8"))["reason"])
    except FileNotFoundError:
        return None
    except (OSError, ValueError, KeyError, TypeError):
        return ""


def sync_folder(folder: Path) -> None:
    """Makes new and removed names in a folder durable.

    Raises:
        OSError: the disk does not take it.
    """
    handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
