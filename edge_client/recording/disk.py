"""The thread that writes segments to the disk, so that a slow disk never holds up a frame.

Written bytes are made durable at once, but no more often than every ``sync_s`` seconds. What is yet to be written
waits in memory, up to a limit at which `Disk.has_room` says no.
"""

from __future__ import annotations

import logging
import queue
import shutil
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

from edge_client.recording.files import Home, SegmentFiles, open_segment, prepare_folder
from edge_client.recording.locks import lock_reason, lock_segment
from edge_client.recording.names import SegmentName
from edge_client.recording.stock import Limits, NoRoomError, make_room, remove_expired
from edge_client.recording.track import End, Head, line_of

_LOG = logging.getLogger(__name__)
_BACKLOG_BYTES = 16 * 2**20


@dataclass(slots=True, eq=False)
class Segment:
    """A segment on its way to the disk: written to by the disk's thread only, read by others."""

    name: SegmentName | None = None
    failure: str | None = None
    locked: bool = False
    durable: bool = False
    """Whether something of it has reached the disk."""
    files: SegmentFiles | None = field(default=None, repr=False)


class Disk:
    """Takes work and does it in order; nothing here waits for the disk but `close`.

    ``kept_bytes`` is the size of all segments, ``lost_frames`` were handed over and could not be written.
    """

    def __init__(self, folder: Path, limits: Limits, sync_s: float) -> None:
        self._folder = folder
        self._limits = limits
        self._sync_s = sync_s
        self._slack_bytes = limits.margin_bytes // 2
        self._work: queue.SimpleQueue[Callable[[], None] | None] = queue.SimpleQueue()
        self._waiting_bytes = 0
        self._counting = threading.Lock()
        self._unsynced: Segment | None = None
        self._sync_due_s = 0.0
        self._home: Home | None = None
        self.crash = ""
        self.kept_bytes = 0
        self.lost_frames = 0
        self._thread = threading.Thread(target=self._run, name="recording-disk", daemon=True)
        self._thread.start()

    def has_room(self) -> bool:
        """Whether more may be handed over: the disk is not too far behind."""
        return self._waiting_bytes < _BACKLOG_BYTES and not self.crash

    def begin(self, head: Head) -> Segment:
        """A new segment; whether it could be begun shows later, in its ``failure``."""
        segment = Segment()
        self._work.put(lambda: self._begin(segment, head))
        return segment

    def append(self, segment: Segment, data: bytes, frames: int, lines: str) -> None:
        """Whole fragments with their number of frames, and lines of the track."""
        with self._counting:
            self._waiting_bytes += len(data)
        self._work.put(lambda: self._append(segment, data, frames, lines))

    def end(self, segment: Segment, end: End) -> None:
        """The end of a segment, also of one that failed; nothing is appended afterwards."""
        self._work.put(lambda: self._end(segment, end))

    def lock(self, segment: Segment, reason: str) -> None:
        """Locks a segment that has been begun, ended or not."""
        self._work.put(lambda: self._lock(segment, reason))

    def close(self, timeout_s: float) -> bool:
        """Let all that was handed over reach the disk; False when it did not in time."""
        self._work.put(None)
        self._thread.join(timeout_s)
        return not self._thread.is_alive()

    def _run(self) -> None:
        try:
            self._do_all()
        except BaseException as error:
            self.crash = f"the recording crashed: {error}"
            raise

    def _do_all(self) -> None:
        while True:
            wait_s = None if self._unsynced is None else max(self._sync_due_s - time.monotonic(), 0.0)
            try:
                work = self._work.get(timeout=wait_s)
            except queue.Empty:
                self._sync()
                continue
            if work is None:
                self._sync()
                return
            work()
            if self._unsynced is not None and time.monotonic() >= self._sync_due_s:
                self._sync()

    def _begin(self, segment: Segment, head: Head) -> None:
        try:
            self._home = prepare_folder(self._folder, self._home)
            remove_expired(self._folder, self._limits, datetime.now(UTC))
            self.kept_bytes = make_room(self._folder, self._limits)
            segment.files = open_segment(self._folder, head)
            segment.name = segment.files.name
        except OSError as error:
            self._fail(segment, error)

    def _append(self, segment: Segment, data: bytes, frames: int, lines: str) -> None:
        try:
            if segment.files is None or segment.failure is not None:
                self.lost_frames += frames
                return
            try:
                if self.kept_bytes + len(data) + self._slack_bytes > self._limits.max_bytes:
                    self.kept_bytes = make_room(self._folder, self._limits)
                segment.files.write(data, lines)
            except OSError as error:
                self.lost_frames += frames
                self._fail(segment, error)
                return
            self.kept_bytes += len(data) + len(lines)
            self._unsynced = segment
        finally:
            with self._counting:
                self._waiting_bytes -= len(data)

    def _sync(self) -> None:
        """Makes the segment durable, and looks after room and locks, once in a while as it is."""
        segment, self._unsynced = self._unsynced, None
        self._sync_due_s = time.monotonic() + self._sync_s
        if segment is None or segment.files is None or segment.name is None:
            return
        try:
            segment.files.sync()
            segment.durable = True
            segment.locked = lock_reason(self._folder, segment.name) is not None
            if shutil.disk_usage(self._folder).free < self._limits.reserve_bytes + self._slack_bytes:
                self.kept_bytes = make_room(self._folder, self._limits)
        except OSError as error:
            self._fail(segment, error)

    def _end(self, segment: Segment, end: End) -> None:
        files, segment.files = segment.files, None
        if files is None:
            return
        if self._unsynced is segment:
            self._unsynced = None
        try:
            files.finish(line_of(end))
            segment.durable = True
        except OSError as error:
            segment.failure = segment.failure or self._text(error)

    def _lock(self, segment: Segment, reason: str) -> None:
        if segment.name is None:
            return
        try:
            lock_segment(self._folder, segment.name, reason)
            segment.locked = True
        except OSError as error:
            _LOG.warning("the recording %s is not locked: %s", segment.name.stem, self._text(error))

    def _fail(self, segment: Segment, error: OSError) -> None:
        segment.failure = self._text(error)
        if self._unsynced is segment:
            self._unsynced = None

    def _text(self, error: OSError) -> str:
        why = error.strerror or str(error)
        return why if isinstance(error, NoRoomError) else f"cannot write to {self._folder}: {why}"
