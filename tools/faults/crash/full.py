"""The disk is full at any write: of reads, and of recordings."""

from __future__ import annotations

import contextlib
import random
import threading
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

from edge_client.config import EdgeSettings
from edge_client.errors import DashcamError, StoreError
from edge_client.recording.disk import Disk, Segment
from edge_client.recording.stock import Limits
from edge_client.recording.track import End, Head
from edge_client.store.drive_store import open_drive_store
from edge_client.store.drives import DriveStart
from edge_client.types import UtcSource
from tools.crash.device import look_at_reads
from tools.crash.saving import START, read_of
from tools.faults.crash.disks import fill, small_disk
from tools.faults.crash.drive import drive_on, row_of_drive
from tools.faults.row import Row
from tools.faults.trial import Effort

_DISK_BYTES = 24 * 2**20
_PAGE_BYTES = 4096
_MOST_PAGES = 120
_READS = 60
_PIECE = b"v" * 20_000
_WAIT_S = 20.0
_SAID = ("No space left", "make room there")


def full_disk(effort: Effort) -> Iterator[Row]:
    """So little room is left that it ends at a write of chance; then there is room again."""
    chance = random.Random(effort.seed)
    times = effort.count(100, 6)
    pages = [chance.randrange(_MOST_PAGES) for _ in range(times)]
    problems: list[str] = []
    confirmed = 0
    for left in pages:
        with small_disk(effort.folder / "disk", _DISK_BYTES) as disk:
            confirmed += _reads(disk, left * _PAGE_BYTES, problems)
    promised = "file intact, each confirmed read there once, “disk is full” said, goes on when there is room"
    measured = f"at {times} places: {confirmed} reads confirmed; " + _told(problems)
    yield Row("disk full while reads are saved", promised, measured, not problems and confirmed > 0)
    problems = []
    for left in pages:
        with small_disk(effort.folder / "disk", _DISK_BYTES) as disk:
            _recording(disk, left * _PAGE_BYTES, problems)
    promised = "the segment fails with a message, holds whole pieces only, the next one is written"
    yield Row("disk full while recording", promised, f"at {times} places: " + _told(problems), not problems)


def full_in_drive(effort: Effort) -> Iterator[Row]:
    """The whole device: the disk is full for some seconds."""
    with small_disk(effort.folder / "disk", 64 * 2**20) as disk:
        ballast: list[Path] = []
        drive = drive_on(
            effort.folder, disk, lambda: ballast.append(fill(disk, 0)), lambda: ballast[0].unlink(missing_ok=True)
        )
        yield row_of_drive("disk full during a drive", drive, disk, recovers=True)


def _reads(disk: Path, left_bytes: int, problems: list[str]) -> int:
    """Reads until the disk is full, and after it; gives how many were confirmed."""
    file = disk / "reads.db"
    confirmed: dict[str, str] = {}
    refused = ""
    ballast = fill(disk, left_bytes)
    try:
        store = open_drive_store(EdgeSettings(), file)
    except DashcamError as error:
        problems.append(f"cannot begin: {error}")
        return 0
    with contextlib.suppress(StoreError):
        store.begin_drive(DriveStart("drive", START))
    for number in range(1, _READS):
        read = read_of("drive", number)
        try:
            store.save(read)
        except StoreError as error:
            refused = str(error)
            ballast.unlink(missing_ok=True)
            try:
                store.save(read)
            except StoreError as again:
                problems.append(f"with room again: {again}")
                break
        confirmed[read.uid] = read.text
    store.close()
    if not refused:
        problems.append("the disk was never full: the trial proves nothing")
    elif "disk is full" not in refused:
        problems.append(f"says “{refused}”")
    missing, doubled, sound = look_at_reads(file, confirmed)
    if missing or doubled or not sound:
        problems.append(f"{len(missing)} missing, {len(doubled)} twice, {'intact' if sound else 'damaged'}")
    return len(confirmed)


def _recording(disk: Path, left_bytes: int, problems: list[str]) -> None:
    folder = disk / "recordings"
    ballast = fill(disk, left_bytes)
    writer = Disk(folder, Limits(10**9, 0), 0.001)
    failed = writer.begin(_head())
    for _ in range(left_bytes // len(_PIECE) + 2):
        writer.append(failed, _PIECE, 1, "")
    writer.end(failed, End(1.0, 1, "end"))
    _wait_for(writer, problems)
    if failed.failure is None:
        problems.append("the disk was never full: the trial proves nothing")
    elif not any(words in failed.failure for words in _SAID):
        problems.append(f"says “{failed.failure}”")
    sizes = [path.stat().st_size for path in folder.glob("*.mp4")] if folder.is_dir() else []
    if any(size % len(_PIECE) for size in sizes):
        problems.append(f"a torn segment of {sizes} bytes")
    ballast.unlink(missing_ok=True)
    good: Segment = writer.begin(_head())
    writer.append(good, _PIECE, 1, "")
    writer.end(good, End(1.0, 1, "end"))
    if not writer.close(_WAIT_S) or good.failure is not None or not good.durable:
        problems.append(f"with room again: {good.failure or 'not written'}")


def _wait_for(writer: Disk, problems: list[str]) -> None:
    """Until all that was handed over has been tried."""
    tried = threading.Event()
    writer._work.put(tried.set)  # (it does one thing after the other)
    if not tried.wait(_WAIT_S):
        problems.append("the recording hangs")


def _head() -> Head:
    return Head("drive", datetime(2026, 1, 1, tzinfo=UTC) + timedelta(0), UtcSource.SYSTEM, 0.0, 640, 360, 30.0, "h264")


def _told(problems: list[str]) -> str:
    return "all as promised" if not problems else f"{len(problems)} problems, such as {problems[0]}"
