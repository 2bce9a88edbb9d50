"""What lies in the folder, and making room in it: the oldest go, locked ones and those in use stay."""

from __future__ import annotations

import errno
import fcntl
import os
import shutil
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from edge_client.recording.names import LOCK, TRACK, VIDEO, SegmentName

GB = 10**9
UNSET = datetime(2020, 1, 1, tzinfo=UTC)
"""No clock that has been set shows an earlier time."""
_MARGIN_BYTES = 8 * 2**20


class NoRoomError(OSError):
    """There is no room, and nothing that may be removed."""

    def __init__(self, reason: str) -> None:
        super().__init__(errno.ENOSPC, reason)


@dataclass(frozen=True, slots=True)
class Item:
    """A segment on the disk: the bytes of all its files, and whether it is locked."""

    name: SegmentName
    size_bytes: int
    locked: bool
    has_video: bool


@dataclass(frozen=True, slots=True)
class Limits:
    """Size of all segments at most, what stays free on the disk, and the age at which segments go; None for any."""

    max_bytes: int
    reserve_bytes: int
    keep_days: float | None = None

    @property
    def margin_bytes(self) -> int:
        """Room that is made beyond the limits: enough for the time until room is made again."""
        return min(_MARGIN_BYTES, self.max_bytes // 16)


def stock_of(folder: Path) -> list[Item]:
    """The segments in a folder, oldest first; files of others are left out.

    Raises:
        OSError: the folder cannot be read.
    """
    sizes: dict[SegmentName, int] = {}
    kinds: dict[SegmentName, set[str]] = {}
    with os.scandir(folder) as entries:
        for entry in entries:
            name = SegmentName.parse(entry.name)
            kind = Path(entry.name).suffix
            if name is None or kind not in {VIDEO, TRACK, LOCK}:
                continue
            try:
                size = entry.stat(follow_symlinks=False).st_size
            except FileNotFoundError:
                continue  # removed meanwhile
            sizes[name] = sizes.get(name, 0) + size
            kinds.setdefault(name, set()).add(kind)
    return [Item(name, sizes[name], LOCK in kinds[name], VIDEO in kinds[name]) for name in sorted(sizes)]


def too_many(items: Iterable[Item], free_bytes: int, limits: Limits) -> int:
    """How many bytes have to go before more can be written; 0 or less when there is room."""
    used = sum(item.size_bytes for item in items)
    beyond = max(used - limits.max_bytes, limits.reserve_bytes - free_bytes)
    return beyond + limits.margin_bytes


def make_room(folder: Path, limits: Limits) -> int:
    """Removes the oldest segments until there is room within the limits.

    Returns:
        The bytes of all segments that are left.

    Raises:
        NoRoomError: only locked segments are left, or none at all.
        OSError: the folder cannot be read, or a segment cannot be removed.
    """
    items = stock_of(folder)
    free = shutil.disk_usage(folder).free
    beyond = too_many(items, free, limits)
    for item in list(items):
        if beyond <= 0:
            break
        if item.locked or in_use(item.name.video(folder)):
            continue
        remove(folder, item.name)
        items.remove(item)
        beyond = too_many(items, shutil.disk_usage(folder).free, limits)
    if beyond > 0:
        raise NoRoomError(_why(items, shutil.disk_usage(folder).free, limits))
    return sum(item.size_bytes for item in items)


def remove_expired(folder: Path, limits: Limits, now: datetime) -> None:
    """Removes segments beyond their age, except for locked ones and those in use.

    Raises:
        OSError: the folder cannot be read, or a segment cannot be removed.
    """
    if limits.keep_days is None:
        return
    for item in expired(stock_of(folder), now, limits.keep_days):
        if not item.locked and not in_use(item.name.video(folder)):
            remove(folder, item.name)


def expired(items: Sequence[Item], now: datetime, keep_days: float) -> list[Item]:
    """Those of the items, oldest first, that began more than so many days before now.

    A segment whose name tells a time before `UNSET`, from a clock that was not set, is as old as the next one that
    tells a time; while the clock of now is not set, nothing is too old.
    """
    found: list[Item] = []
    began = now
    for item in reversed(items):
        if item.name.utc >= UNSET:
            began = min(began, item.name.utc)
        if now >= UNSET and now - began > timedelta(days=keep_days):
            found.insert(0, item)
    return found


def remove(folder: Path, name: SegmentName) -> None:
    """Removes the files of a segment, the video first.

    Raises:
        OSError: one cannot be removed.
    """
    for path in (name.video(folder), name.track(folder), name.lock(folder)):
        path.unlink(missing_ok=True)


def in_use(video: Path) -> bool:
    """Whether a segment is being written, by this process or another."""
    try:
        handle = os.open(video, os.O_RDONLY)
    except OSError:
        return False
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    except OSError:  # a file system without locks
        return False
    finally:
        os.close(handle)
    return False


def _why(items: list[Item], free_bytes: int, limits: Limits) -> str:
    locked = sum(item.size_bytes for item in items if item.locked)
    if free_bytes < limits.reserve_bytes + limits.margin_bytes and locked < limits.max_bytes:
        what = f"only {free_bytes / GB:.1f} GB are free on its disk, {limits.reserve_bytes / GB:.1f} GB stay so"
    else:
        what = f"the limit of {limits.max_bytes / GB:.1f} GB is reached"
    if not locked:
        return f"{what}; make room there"
    return f"{what}; only locked recordings are left ({locked / GB:.1f} GB): unlock or copy some away"
