"""A bounded queue of jobs before a few worker threads: what does not fit is refused at once.

Inference and decoding release the interpreter's lock, so threads are enough and share one model in memory.
"""

from __future__ import annotations

import asyncio
import contextlib
import math
import os
import sys
import threading
import time
from collections import deque
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from dataclasses import dataclass
from typing import Generic, TypeVar

from cloud_apis.errors import busy

T = TypeVar("T")
R = TypeVar("R")

_LONGEST_RETRY_AFTER_S = 30
_NICENESS = 5


@dataclass(frozen=True, slots=True, eq=False)
class _Job(Generic[T, R]):
    item: T
    future: Future[R]


class WorkerPool(Generic[T, R]):
    """Workers that turn items into results, with at most `queue` items waiting.

    `handle` gets one to `batch` items that waited together (greedily: it never waits for more) and returns as
    many results in the same order; an exception in the place of a result goes to that item's caller alone,
    one that is raised goes to all of them.
    """

    def __init__(
        self,
        name: str,
        handle: Callable[[Sequence[T]], Sequence[R | Exception]],
        *,
        workers: int = 1,
        queue: int = 16,
        batch: int = 1,
    ) -> None:
        self._handle = handle
        self._limit = queue
        self._batch = batch
        self._jobs: deque[_Job[T, R]] = deque()
        self._changed = threading.Condition()
        self._closed = False
        self._idle = workers
        self._running = 0
        self._mean_s = 0.0
        self._threads = [threading.Thread(target=self._work, name=f"{name}-{i}", daemon=True) for i in range(workers)]
        for thread in self._threads:
            thread.start()

    @property
    def waiting(self) -> int:
        """Items in the queue."""
        return len(self._jobs)

    @property
    def running(self) -> int:
        """Items in the hands of a worker."""
        return self._running

    def submit(self, item: T) -> Future[R]:
        """Queue an item. Raises `ApiError` 503 with Retry-After when the queue is full or closed."""
        job = _Job(item, Future[R]())
        with self._changed:
            # Items that an idle worker is about to take do not wait.
            if self._closed or len(self._jobs) >= self._limit + self._idle:
                raise busy(self._retry_after_s())
            self._jobs.append(job)
            self._changed.notify()
        return job.future

    async def run(self, item: T) -> R:
        """Queue an item and await its result; given up before its turn, it is not worked on."""
        return await asyncio.wrap_future(self.submit(item))

    def close(self, timeout_s: float = 0.3) -> None:
        """Refuse further items, cancel those that wait, and let the workers end what they have begun."""
        with self._changed:
            self._closed = True
            abandoned = list(self._jobs)
            self._jobs.clear()
            self._changed.notify_all()
        for job in abandoned:
            job.future.cancel()
        deadline = time.monotonic() + timeout_s
        for thread in self._threads:
            thread.join(max(0.0, deadline - time.monotonic()))

    def _retry_after_s(self) -> int:
        drain_s = len(self._jobs) * self._mean_s / len(self._threads)
        return min(_LONGEST_RETRY_AFTER_S, max(1, math.ceil(drain_s)))

    def _work(self) -> None:
        _step_back()
        while jobs := self._take():
            live = [j for j in jobs if j.future.set_running_or_notify_cancel()]
            begun = time.monotonic()
            results = self._results(live)
            took_s = time.monotonic() - begun
            with self._changed:
                self._idle += 1
                self._running -= len(jobs)
                if live:
                    self._mean_s += 0.1 * (took_s / len(live) - self._mean_s)
            for job, result in zip(live, results, strict=True):
                if isinstance(result, Exception):
                    job.future.set_exception(result)
                else:
                    job.future.set_result(result)

    def _take(self) -> list[_Job[T, R]]:
        """The next jobs, as soon as there is one; none when the pool is closed."""
        with self._changed:
            self._changed.wait_for(lambda: self._jobs or self._closed)
            jobs = [self._jobs.popleft() for _ in range(min(self._batch, len(self._jobs)))]
            self._idle -= 1
            self._running += len(jobs)
            return jobs

    def _results(self, jobs: Sequence[_Job[T, R]]) -> Sequence[R | Exception]:
        if not jobs:
            return []
        try:
            results = self._handle([j.item for j in jobs])
        except Exception as error:  # noqa: BLE001 - handed to the callers, who raise it
            return [error] * len(jobs)
        return results


def _step_back() -> None:
    """Let this thread's work come after that of the thread that takes requests and refuses those that are too many.

    Otherwise, where all processors are busy, requests wait before the queue, where nothing bounds them. On Linux
    alone: elsewhere niceness is that of the whole process.
    """
    if sys.platform == "linux":
        thread = threading.get_native_id()
        with contextlib.suppress(OSError):
            os.setpriority(os.PRIO_PROCESS, thread, min(os.getpriority(os.PRIO_PROCESS, thread) + _NICENESS, 19))
