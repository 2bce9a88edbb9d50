"""Brings reads to the store on a thread of its own, so that a slow disk holds up no frame."""

from __future__ import annotations

import logging
import threading
import time
from collections import deque
from collections.abc import Iterable

from edge_client.clock import Correction
from edge_client.errors import StoreError
from edge_client.pipeline.settling import Settling
from edge_client.positions.replay import NoPosition
from edge_client.types import ReadStore, StoreStatus, TrackRead

_LOG = logging.getLogger(__name__)
_FIRST_PAUSE_S = 0.25
_LONGEST_PAUSE_S = 5.0


class Saver:
    """Saves each read as it changes; only the newest version of a read that still waits is written.

    What the store refuses is kept and tried again, less and less often, and once more at the end. Each read is
    written with the time and place that ``settling`` knows by then.
    """

    def __init__(self, store: ReadStore, settling: Settling | None = None) -> None:
        self._store = store
        self._settling = settling if settling is not None else Settling(NoPosition())
        self._corrections: deque[Correction] = deque()
        self._condition = threading.Condition()
        self._waiting: dict[str, TrackRead] = {}
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
            self._condition.notify_all()

    def correct(self, correction: Correction) -> None:
        """Let the times of the drive be corrected, of what is stored and of what waits; returns at once."""
        with self._condition:
            self._corrections.append(correction)
            self._condition.notify_all()

    def status(self) -> StoreStatus:
        """How many reads wait, and why if the store refused the last one."""
        return StoreStatus(len(self._waiting), self._refused)

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
        while True:
            with self._condition:
                if pause_s > 0:
                    self._pause(pause_s)
                else:
                    self._condition.wait_for(lambda: self._waiting or self._corrections or self._closing)
                closing, read = self._closing, next(iter(self._waiting.values()), None)
                correction = self._corrections[0] if self._corrections else None
            if read is None and correction is None:
                break
            try:
                if correction is not None:
                    self._store.correct_times(correction.drive, correction.shift, correction.source)
                elif read is not None:
                    self._store.save(self._settling.settle(read))
            except (StoreError, OSError) as error:
                if closing:
                    with self._condition:
                        count = len(self._waiting)
                    self._error = StoreError(f"{count} reads could not be written: {error}")
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
                if correction is not None:
                    self._settling.correct(self._corrections.popleft())
                elif read is not None and self._waiting.get(read.uid) is read:
                    del self._waiting[read.uid]
        self._close_store()

    def _pause(self, pause_s: float) -> None:
        end_s = time.monotonic() + pause_s
        while not self._closing and (left_s := end_s - time.monotonic()) > 0:
            self._condition.wait(left_s)

    def _close_store(self) -> None:
        try:
            self._store.close()
        except (StoreError, OSError) as error:
            self._error = self._error or error
