"""A bounded pool of threads: never more than N requests in flight, the most urgent waiting one first."""

from __future__ import annotations

import heapq
import itertools
import threading
import time
from collections.abc import Callable


class Job:
    """A piece of work that waits in the pool until a thread takes it, or until it is cancelled."""

    __slots__ = ("begun", "work")

    def __init__(self, work: Callable[[], None]) -> None:
        self.work = work
        self.begun = False


class RequestPool:
    """Runs jobs on ``max_in_flight`` threads, lowest ``urgency`` first, then in order of submission.

    ``set_limit`` has fewer of them work at once.

    A job must handle its own errors. Threads are daemons: one that is stuck in a request never keeps the
    process alive. With no threads at all, whoever has the pool runs its jobs: `take`, and `done`.
    """

    def __init__(self, max_in_flight: int) -> None:
        self._condition = threading.Condition()
        self._waiting: list[tuple[float, int, Job]] = []
        self._sequence = itertools.count()
        self._running = 0
        self._closed = False
        self.max_in_flight = max_in_flight
        self._limit = max_in_flight
        self._threads = [
            threading.Thread(target=self._serve, name=f"request-{n}", daemon=True) for n in range(max_in_flight)
        ]
        for thread in self._threads:
            thread.start()

    @property
    def in_flight(self) -> int:
        """Jobs that a thread is at work on."""
        return self._running

    @property
    def limit(self) -> int:
        """Jobs that may run at once now."""
        return self._limit

    def set_limit(self, limit: int) -> None:
        """Have at most so many jobs run at once from now on; those that run already go on."""
        with self._condition:
            self._limit = min(max(limit, 1), self.max_in_flight)
            self._condition.notify_all()

    def submit(self, job: Job, urgency: float) -> None:
        """Let a job wait for a thread."""
        with self._condition:
            heapq.heappush(self._waiting, (urgency, next(self._sequence), job))
            self._condition.notify()

    def cancel(self, job: Job) -> bool:
        """Take back a job that has not begun; False when it has begun or is over."""
        with self._condition:
            for entry in self._waiting:
                if entry[2] is job:
                    self._waiting.remove(entry)
                    heapq.heapify(self._waiting)
                    return True
            return False

    def close(self, timeout_s: float) -> bool:
        """Cancel what waits and let what runs end; False when something still runs after the timeout."""
        with self._condition:
            self._waiting.clear()
            self._closed = True
            self._condition.notify_all()
        end_s = time.monotonic() + timeout_s
        for thread in self._threads:
            thread.join(max(end_s - time.monotonic(), 0.0))
        return not any(thread.is_alive() for thread in self._threads)

    def take(self) -> Job | None:
        """The most urgent job that waits, if another one may run now; it is in flight from here on, until `done`."""
        with self._condition:
            if not self._waiting or self._running >= self._limit:
                return None
            job = heapq.heappop(self._waiting)[2]
            job.begun = True
            self._running += 1
            return job

    def done(self) -> None:
        """A job that was taken has ended."""
        with self._condition:
            self._running -= 1
            self._condition.notify()

    def _serve(self) -> None:
        while (job := self._next()) is not None:
            try:
                job.work()
            finally:
                del job  # what it holds, a frame maybe, need not stay until the next one
                self.done()

    def _next(self) -> Job | None:
        """Waits for a job; None when the pool is closed."""
        with self._condition:
            while not self._closed:
                if (job := self.take()) is not None:
                    return job
                self._condition.wait()
            return None
