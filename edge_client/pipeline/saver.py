"""Brings reads to the store on a thread of its own, so that a slow disk holds up no frame."""

from __future__ import annotations

import logging
import threading
import time
from collections import deque
from collections.abc import Callable, Iterable
from dataclasses import replace
from datetime import datetime
from functools import partial

from edge_client.clock import Correction
from edge_client.errors import StoreError
from edge_client.pipeline.settling import Settling
from edge_client.pipeline.trail import Trail
from edge_client.positions.replay import NoPosition
from edge_client.store.drives import DriveLog, DriveStart, Position
from edge_client.types import Alert, Frame, ReadStore, StoreStatus, TrackRead, UtcSource

_LOG = logging.getLogger(__name__)
_FIRST_PAUSE_S = 0.25
_LONGEST_PAUSE_S = 5.0
_TEND_S = 60.0
_FLUSH_S = 5.0
"""A power cut costs at most this much of the drive's track; reads are written at once."""
_MOST_READS = 1000
_WITH_SINGLES = 100
_MOST_POSITIONS = 20_000

_Job = Callable[[], None]


class Saver:
    """Saves each read as it changes; only the newest version of a read that still waits is written.

    What the store refuses is kept and tried again, less and less often, and once more at the end. Memory is bounded:
    where many reads wait, the older ones lose their single reads, and then go. Each read is written with the time
    and place that ``settling`` knows by then. A store that keeps drives gets the drive and its track too.
    """

    def __init__(self, store: ReadStore, settling: Settling | None = None, *, drive: str = "") -> None:
        """``drive`` is the drive's uid; without one nothing but reads is kept."""
        self._on_saved: Callable[[str], None] | None = None
        self._store = store
        self._log: DriveLog | None = store if drive and isinstance(store, DriveLog) else None
        self._settling = settling if settling is not None else Settling(NoPosition())
        self._drive = drive
        self._trail = Trail()
        self._condition = threading.Condition()
        self._corrections: deque[Correction] = deque()
        self._waiting: dict[str, TrackRead] = {}
        self._positions: deque[Position] = deque(maxlen=_MOST_POSITIONS)
        self._flush_at_s = 0.0
        self._start: DriveStart | None = None  # until it is stored
        self._last: tuple[datetime, UtcSource] | None = None  # time of the last frame
        self._lost = 0
        self._closing = False
        self._error: StoreError | OSError | None = None
        self._refused = ""
        self._thread = threading.Thread(target=self._run, name="saver", daemon=True)
        self._thread.start()

    def put(self, reads: Iterable[TrackRead]) -> None:
        """Let reads be saved; returns at once."""
        with self._condition:
            for read in reads:
                for uid in read.supersedes:
                    self._waiting.pop(uid, None)
                self._waiting[read.uid] = read
            self._bound()
            self._condition.notify_all()

    def tell_saved(self, listener: Callable[[str], None]) -> None:
        """Have the uid of each read told that is on disk, from the saver's thread; the listener must not block."""
        self._on_saved = listener

    def captured(self, frame: Frame) -> None:
        """Let the drive's track go on with this frame's position; returns at once."""
        if self._log is None:
            return
        with self._condition:
            if self._last is None:
                self._start = DriveStart(self._drive, frame.captured_utc, frame.utc_source)
                self._condition.notify_all()
            self._last = frame.captured_utc, frame.utc_source
            position = self._trail.add(frame)
            if position is not None:
                if not self._positions:
                    self._flush_at_s = time.monotonic() + _FLUSH_S
                    self._condition.notify_all()
                self._positions.append(position)

    def correct(self, correction: Correction) -> None:
        """Let the times of the drive be corrected, of what is stored and of what waits; returns at once."""
        with self._condition:
            self._corrections.append(correction)
            # Reads are settled as they are written; these wait as they are.
            moved = [_moved(position, correction) for position in self._positions]
            self._positions.clear()
            self._positions.extend(moved)
            if self._start is not None and self._start.utc_source is not UtcSource.RECORDING:
                started = self._start.started + correction.shift
                self._start = replace(self._start, started=started, utc_source=correction.source)
            if self._last is not None and self._last[1] is not UtcSource.RECORDING:
                self._last = self._last[0] + correction.shift, correction.source
            self._trail.restart()
            self._condition.notify_all()

    def status(self) -> StoreStatus:
        """How many reads wait, and why if the store refused the last one; and what the store itself has to say."""
        told = self._log.status() if self._log is not None else StoreStatus()
        return replace(told, waiting=len(self._waiting), reason=self._refused, lost=self._lost)

    def alerts(self) -> tuple[Alert, ...]:
        """The latest plates of the owner's list that were seen in this drive."""
        return self._log.alerts() if self._log is not None else ()

    def hides(self, text: str) -> bool:
        """Whether the owner wants a plate not to be shown."""
        return self._log is not None and self._log.hides(text)

    def named(self, text: str) -> str:
        """What is shown of a plate that was read."""
        return self._log.named(text) if self._log is not None else text

    def close(self, timeout_s: float) -> None:
        """Save what waits and close the store; `StoreError` when reads could not be written."""
        with self._condition:
            self._closing = True
            self._condition.notify_all()
        self._thread.join(timeout_s)
        if self._thread.is_alive():
            raise StoreError(f"{len(self._waiting)} reads could not be written: the disk does not answer")
        if self._error is not None:
            raise StoreError(str(self._error)) from None

    def _run(self) -> None:
        pause_s = 0.0
        next_tend_s = time.monotonic() + _TEND_S
        while True:
            with self._condition:
                if pause_s > 0:
                    self._pause(pause_s)
                else:
                    self._wait(next_tend_s)
                closing, job = self._closing, self._next_job()
            if self._log is not None and time.monotonic() >= next_tend_s:
                next_tend_s = time.monotonic() + _TEND_S
                self._log.tend()
            if job is None:
                if closing:
                    break
                continue
            work, done = job
            try:
                work()
            except (StoreError, OSError) as error:
                if closing:
                    self._give_up(error)
                    break
                self._refused = str(error)
                if pause_s == 0.0:
                    _LOG.warning("%s; the reads are kept in memory and tried again", error)
                pause_s = min(max(2 * pause_s, _FIRST_PAUSE_S), _LONGEST_PAUSE_S)
                continue
            if pause_s > 0:
                _LOG.warning("reads can be written again")
            pause_s, self._refused = 0.0, ""
            with self._condition:
                done()
        self._end_drive()
        self._close_store()

    def _next_job(self) -> tuple[_Job, _Job] | None:
        """What is to be written next, and what to note when it is; a correction goes before what comes after it."""
        log, start = self._log, self._start
        if log is not None and start is not None and not self._corrections:
            return partial(log.begin_drive, start), partial(self._began, start)
        if self._corrections:
            correction = self._corrections[0]
            shift = (correction.drive, correction.shift, correction.source)
            return partial(self._store.correct_times, *shift), partial(self._corrected, correction)
        if self._waiting:
            read = next(iter(self._waiting.values()))
            return partial(self._save, read), partial(self._saved, read)
        if log is not None and self._positions and (self._closing or time.monotonic() >= self._flush_at_s):
            positions = tuple(self._positions)
            return partial(log.add_positions, self._drive, positions), partial(self._added, positions)
        return None

    def _save(self, read: TrackRead) -> None:
        self._store.save(self._settling.settle(read))

    def _saved(self, read: TrackRead) -> None:
        if self._waiting.get(read.uid) is read:
            del self._waiting[read.uid]
        if self._on_saved is not None:
            self._on_saved(read.uid)

    def _began(self, start: DriveStart) -> None:
        if self._start is start:
            self._start = None

    def _corrected(self, correction: Correction) -> None:
        self._corrections.popleft()
        self._settling.correct(correction)

    def _added(self, positions: tuple[Position, ...]) -> None:
        written = set(map(id, positions))
        while self._positions and id(self._positions[0]) in written:
            self._positions.popleft()
        self._flush_at_s = time.monotonic() + _FLUSH_S

    def _bound(self) -> None:
        over = len(self._waiting) - _WITH_SINGLES
        if over <= 0:
            return
        uids = list(self._waiting)
        for uid in uids[:over]:
            read = self._waiting[uid]
            if read.singles:
                self._waiting[uid] = replace(read, singles=())
        for uid in uids[: max(len(uids) - _MOST_READS, 0)]:
            del self._waiting[uid]
            self._lost += 1

    def _wait(self, until_s: float) -> None:
        """Until there is something to do."""
        while not self._closing and self._next_job() is None:
            wake_s = min(until_s, self._flush_at_s) if self._positions else until_s
            left_s = wake_s - time.monotonic()
            if left_s <= 0:
                return
            self._condition.wait(left_s)

    def _pause(self, pause_s: float) -> None:
        end_s = time.monotonic() + pause_s
        while not self._closing and (left_s := end_s - time.monotonic()) > 0:
            self._condition.wait(left_s)

    def _give_up(self, error: StoreError | OSError) -> None:
        with self._condition:
            count = len(self._waiting)
        if count:
            self._error = StoreError(f"{count} reads could not be written: {error}")
        else:
            _LOG.warning("the end of the drive could not be written: %s", error)

    def _end_drive(self) -> None:
        last = self._last
        if self._log is None or last is None or self._error is not None:
            return
        try:
            self._log.end_drive(self._drive, last[0])
        except (StoreError, OSError) as error:
            _LOG.warning("the end of the drive could not be written: %s", error)

    def _close_store(self) -> None:
        try:
            self._store.close()
        except (StoreError, OSError) as error:
            self._error = self._error or error


def _moved(position: Position, correction: Correction) -> Position:
    if position.utc_source is UtcSource.RECORDING:
        return position
    return replace(position, utc=position.utc + correction.shift, utc_source=correction.source)
