"""Takes the events of one receiver out of the outbox, on a thread of its own.

An event is deleted only after its receiver has it: after a crash in between it is delivered again, under the same
key. Of several processes on one file one delivers at a time, so that the order holds.
"""

from __future__ import annotations

import fcntl
import logging
import math
import os
import random
import sqlite3
import threading
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

from edge_client.outbox import box
from edge_client.outbox.receiver import DeliveryError, Receiver, RefusedEventError
from edge_client.store.schema import APPLICATION_ID

_LOG = logging.getLogger(__name__)
_FIRST_PAUSE_S = 1.0
_BUSY_S = 5.0
_OTHERS_S = 5.0
"""How often it is looked whether another process on the same file has left its events behind."""


class Courier:
    """Delivers to one receiver; failures make growing pauses, and hold nobody up."""

    def __init__(self, path: Path, receiver: Receiver, *, max_pause_s: float) -> None:
        """`path` is the reads file, which need not be there yet. Delivery begins with `start`."""
        self._path = path
        self._receiver = receiver
        self._max_pause_s = max_pause_s
        self._condition = threading.Condition()
        self._woken = True  # events of before a restart
        self._closing = False
        self._until_s = math.inf
        self._pause_s = 0.0
        self._failing = False
        self._thread = threading.Thread(target=self._run, name=f"courier-{receiver.name}", daemon=True)

    @property
    def name(self) -> str:
        """The receiver's."""
        return self._receiver.name

    def start(self) -> None:
        """Begins to deliver."""
        self._thread.start()

    def wake(self) -> None:
        """There are new events; returns at once."""
        with self._condition:
            self._woken = True
            self._condition.notify_all()

    def finish(self, until_s: float) -> None:
        """Deliver what waits until that monotonic time, unless the receiver fails, and end; returns at once."""
        with self._condition:
            self._closing = True
            self._until_s = until_s
            self._condition.notify_all()

    def close(self, timeout_s: float) -> None:
        """Ends within that time; what waits then is delivered after the next start."""
        self.finish(time.monotonic() + timeout_s)
        if self._thread.is_alive():
            self._thread.join(timeout_s)
        self._receiver.close()

    def _run(self) -> None:
        while self._wait():
            try:
                with _alone(self._path, self._receiver.name) as alone:
                    if alone:
                        self._deliver_all()
                    else:
                        self._pause_s = _OTHERS_S
            except (sqlite3.Error, OSError) as error:
                self._fail(f"the outbox in {self._path} cannot be read: {error}", None)
        self._receiver.close()

    def _wait(self) -> bool:
        """Until there is something to do; false at the end."""
        with self._condition:
            if self._pause_s > 0:
                until_s = time.monotonic() + self._pause_s
                while not self._closing and (left_s := until_s - time.monotonic()) > 0:
                    self._condition.wait(left_s)
            else:
                self._condition.wait_for(lambda: self._woken or self._closing)
            more = not self._closing or (self._woken and not self._failing and time.monotonic() < self._until_s)
            self._woken = False
            return more

    def _deliver_all(self) -> None:
        if not self._path.is_file():
            self._pause_s = 0.0
            return
        with closing(sqlite3.connect(self._path, timeout=_BUSY_S, isolation_level=None)) as connection:
            if connection.execute("PRAGMA application_id").fetchone() != (APPLICATION_ID,):
                return
            # That something was delivered may be forgotten in a power cut: then it is delivered again.
            connection.execute("PRAGMA synchronous = NORMAL")
            connection.execute("PRAGMA secure_delete = ON")
            while time.monotonic() < self._until_s:
                events = box.next_events(connection, self._receiver.name, self._receiver.batch)
                if not events:
                    self._succeed()
                    return
                try:
                    count = self._receiver.deliver(events)
                except RefusedEventError as error:
                    _LOG.warning("%s will not take an event: %s", self._receiver.shown_name, error)
                    with _transaction(connection):
                        box.give_up(connection, self._receiver.name, events[:1])
                    continue
                except DeliveryError as error:
                    self._fail(str(error), error.retry_after_s)
                    return
                with _transaction(connection):
                    box.delivered(connection, events[:count])
                self._succeed()

    def _succeed(self) -> None:
        if self._pause_s > 0 and self._failing:
            _LOG.warning("%s takes events again", self._receiver.shown_name)
        self._failing = False
        self._pause_s = 0.0

    def _fail(self, message: str, retry_after_s: float | None) -> None:
        if not self._failing and not self._closing:
            _LOG.warning("events for %s wait: %s", self._receiver.shown_name, message)
        self._failing = True
        grown_s = min(max(2 * self._pause_s, _FIRST_PAUSE_S), self._max_pause_s)
        # Many devices must not come back at the same moment.
        self._pause_s = min(max(grown_s, retry_after_s or 0.0), self._max_pause_s) * random.uniform(0.8, 1.0)


@contextmanager
def _transaction(connection: sqlite3.Connection) -> Iterator[None]:
    connection.execute("BEGIN IMMEDIATE")
    try:
        yield
    except BaseException:
        connection.execute("ROLLBACK")
        raise
    connection.execute("COMMIT")


@contextmanager
def _alone(path: Path, receiver: str) -> Iterator[bool]:
    """Whether no other process delivers to this receiver from this file."""
    descriptor = os.open(path.with_name(f"{path.name}.{receiver}.lock"), os.O_CREAT | os.O_RDWR | os.O_CLOEXEC, 0o600)
    try:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            yield False
        else:
            yield True
    finally:
        os.close(descriptor)
