from __future__ import annotations

import asyncio
import os
import sys
import threading
from collections.abc import Sequence
from concurrent.futures import CancelledError

import pytest

from cloud_apis.errors import ApiError
from cloud_apis.pool import WorkerPool


class Gate:
    """A handler that holds every batch until it is opened, and tells what it was given."""

    def __init__(self) -> None:
        self.open = threading.Event()
        self.entered = threading.Semaphore(0)
        self.batches: list[list[int]] = []

    def __call__(self, items: Sequence[int]) -> list[int | Exception]:
        self.batches.append(list(items))
        self.entered.release()
        assert self.open.wait(30)
        return [ValueError("odd") if i % 2 else i * 10 for i in items]


def test_results_and_errors_go_to_their_own_callers() -> None:
    gate = Gate()
    gate.open.set()
    pool = WorkerPool("test", gate, workers=2, queue=100, batch=3)
    futures = [pool.submit(i) for i in range(20)]
    for i, future in enumerate(futures):
        if i % 2:
            with pytest.raises(ValueError, match="odd"):
                future.result(30)
        else:
            assert future.result(30) == i * 10
    pool.close()


def test_what_does_not_fit_is_refused_with_a_time_to_come_back() -> None:
    gate = Gate()
    pool = WorkerPool("test", gate, workers=1, queue=2)
    taken = pool.submit(0)
    assert gate.entered.acquire(timeout=30)
    waiting = [pool.submit(2), pool.submit(4)]
    assert (pool.waiting, pool.running) == (2, 1)
    with pytest.raises(ApiError) as caught:
        pool.submit(6)
    assert (caught.value.status, caught.value.code) == (503, "busy")
    assert int(caught.value.headers["Retry-After"]) >= 1
    gate.open.set()
    assert [f.result(30) for f in (taken, *waiting)] == [0, 20, 40]
    assert pool.submit(8).result(30) == 80
    pool.close()


def test_items_that_wait_together_are_taken_together() -> None:
    gate = Gate()
    pool = WorkerPool("test", gate, workers=1, queue=10, batch=4)
    first = pool.submit(0)
    assert gate.entered.acquire(timeout=30)
    rest = [pool.submit(i) for i in (2, 4, 6, 8, 10)]
    gate.open.set()
    assert [f.result(30) for f in (first, *rest)] == [0, 20, 40, 60, 80, 100]
    assert gate.batches == [[0], [2, 4, 6, 8], [10]]
    pool.close()


def test_an_item_whose_caller_gave_up_is_not_worked_on() -> None:
    gate = Gate()
    pool = WorkerPool("test", gate, workers=1, queue=10)
    pool.submit(0)
    assert gate.entered.acquire(timeout=30)
    abandoned, wanted = pool.submit(2), pool.submit(4)
    assert abandoned.cancel()
    gate.open.set()
    assert wanted.result(30) == 40
    assert gate.batches == [[0], [4]]
    pool.close()


def test_an_error_of_the_handler_reaches_every_caller_and_ends_no_worker() -> None:
    def handle(items: Sequence[int]) -> list[int]:
        if 0 in items:
            raise RuntimeError("broken model")
        return list(items)

    pool = WorkerPool("test", handle, workers=1)
    with pytest.raises(RuntimeError, match="broken model"):
        asyncio.run(pool.run(0))
    assert asyncio.run(pool.run(1)) == 1
    pool.close()


def test_closing_cancels_what_waits_and_refuses_what_comes() -> None:
    gate = Gate()
    pool = WorkerPool("test", gate, workers=1, queue=10)
    begun = pool.submit(0)
    assert gate.entered.acquire(timeout=30)
    waiting = pool.submit(2)
    closer = threading.Thread(target=pool.close, args=(30,))
    closer.start()
    with pytest.raises(CancelledError):
        waiting.result(30)
    assert waiting.cancelled()
    with pytest.raises(ApiError):
        pool.submit(4)
    gate.open.set()
    closer.join(30)
    assert not closer.is_alive()
    assert begun.result(0) == 0


@pytest.mark.skipif(sys.platform != "linux", reason="niceness of a thread is Linux's")
def test_workers_step_back_behind_the_thread_that_takes_requests() -> None:
    def niceness(items: Sequence[int]) -> list[int | Exception]:
        return [os.getpriority(os.PRIO_PROCESS, threading.get_native_id()) for _ in items]

    pool = WorkerPool[int, int]("test", niceness)
    ours = os.getpriority(os.PRIO_PROCESS, threading.get_native_id())
    assert pool.submit(1).result(20) == min(ours + 5, 19)
    assert os.getpriority(os.PRIO_PROCESS, threading.get_native_id()) == ours
    pool.close()
