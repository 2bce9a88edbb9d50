"""Work on many pictures at once on this machine: some processes, a bounded number of pictures on the way."""

from __future__ import annotations

import multiprocessing
import os
from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from functools import lru_cache
from typing import Protocol

from tools.dataset.manifest import File
from tools.dataset.outcomes import Job, Outcome, Worker

CHUNK = 64
AHEAD = 4
"""Chunks on the way for each process: enough to keep it busy, few enough to keep memory flat."""

Outcomes = list[tuple[int, Outcome]]


class Runner(Protocol):
    """Does a job with pages of files; outcomes come in groups, in any order."""

    def run(self, job: Job, pages: Iterable[Sequence[File]]) -> Iterator[Outcomes]: ...


@lru_cache(maxsize=2)
def worker_of(job: Job) -> Worker:
    """The worker of a job, made once in each process: models are loaded once."""
    return job.worker()


def work_on(job: Job, files: Sequence[File]) -> Outcomes:
    """One chunk of files, one after the other."""
    worker = worker_of(job)
    return [(file.id, worker(file.id, file.path)) for file in files]


def chunks(pages: Iterable[Sequence[File]], size: int = CHUNK) -> Iterator[Sequence[File]]:
    """Pages cut into chunks."""
    for page in pages:
        for start in range(0, len(page), size):
            yield page[start : start + size]


class LocalRunner:
    """Processes of this machine; with one, the work is done in this process itself."""

    def __init__(self, processes: int = 0) -> None:
        """``processes``: 0 means one for each core."""
        self.processes = processes or len(os.sched_getaffinity(0))

    def run(self, job: Job, pages: Iterable[Sequence[File]]) -> Iterator[Outcomes]:
        if self.processes == 1:
            for chunk in chunks(pages):
                yield work_on(job, chunk)
            return
        pool = self._pool()
        waiting: deque[tuple[Sequence[File], Future[Outcomes]]] = deque()
        try:
            for chunk in chunks(pages):
                waiting.append((chunk, _submit(pool, job, chunk)))
                if len(waiting) >= self.processes * AHEAD:
                    pool, outcomes = self._next(pool, job, waiting)
                    yield outcomes
            while waiting:
                pool, outcomes = self._next(pool, job, waiting)
                yield outcomes
        finally:
            pool.shutdown(wait=True, cancel_futures=True)

    def _pool(self, processes: int | None = None) -> ProcessPoolExecutor:
        # Spawned ones: forking while SQLite is open and progress threads run is not safe.
        return ProcessPoolExecutor(processes or self.processes, multiprocessing.get_context("spawn"))

    def _next(
        self, pool: ProcessPoolExecutor, job: Job, waiting: deque[tuple[Sequence[File], Future[Outcomes]]]
    ) -> tuple[ProcessPoolExecutor, Outcomes]:
        """The oldest chunk's outcomes, and the pool: a new one where a picture has ended one of its processes."""
        chunk, future = waiting[0]
        try:
            outcomes = future.result()
            waiting.popleft()
        except BrokenProcessPool:
            pool.shutdown(wait=True, cancel_futures=True)
            waiting.popleft()
            outcomes = self._carefully(job, chunk)
            pool = self._pool()
            for i, (files, old) in enumerate(waiting):
                if not old.done() or old.cancelled() or old.exception() is not None:
                    waiting[i] = (files, pool.submit(work_on, job, files))
        return pool, outcomes

    def _carefully(self, job: Job, files: Sequence[File]) -> Outcomes:
        """A chunk in a process of its own; where that ends, its halves, until the deadly picture is found."""
        with self._pool(1) as pool:
            try:
                return pool.submit(work_on, job, files).result()
            except BrokenProcessPool:
                if len(files) == 1:
                    return [(files[0].id, Outcome("out", "broken", "the process that read it ended"))]
        half = len(files) // 2
        return [*self._carefully(job, files[:half]), *self._carefully(job, files[half:])]


def _submit(pool: ProcessPoolExecutor, job: Job, chunk: Sequence[File]) -> Future[Outcomes]:
    try:
        return pool.submit(work_on, job, chunk)
    except BrokenProcessPool as error:
        failed: Future[Outcomes] = Future()
        failed.set_exception(error)
        return failed
