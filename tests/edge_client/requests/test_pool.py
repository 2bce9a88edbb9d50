from __future__ import annotations

import threading

from edge_client.requests.pool import Job, RequestPool


def test_never_more_in_flight_than_allowed() -> None:
    lock, done = threading.Lock(), threading.Semaphore(0)
    barrier = threading.Barrier(3)
    now, most = 0, 0

    def work() -> None:
        nonlocal now, most
        with lock:
            now += 1
            most = max(most, now)
        barrier.wait(10)  # passes only when three run at once
        with lock:
            now -= 1
        done.release()

    pool = RequestPool(3)
    for _ in range(9):
        pool.submit(Job(work), 0.0)
    for _ in range(9):
        assert done.acquire(timeout=10)
    assert most == 3
    assert pool.close(5.0)
    assert pool.in_flight == 0


def waiting(event: threading.Event) -> None:
    assert event.wait(10)


def test_urgent_jobs_go_first_then_in_order() -> None:
    pool = RequestPool(1)
    begin, done = threading.Event(), threading.Event()
    order: list[str] = []
    pool.submit(Job(lambda: waiting(begin)), 0.0)
    for name, urgency in (("a", 1.0), ("b", 1.0), ("c", 0.0)):
        pool.submit(Job(lambda name=name: order.append(name)), urgency)  # type: ignore[misc]
    pool.submit(Job(done.set), 2.0)
    begin.set()
    assert done.wait(10)
    assert order == ["c", "a", "b"]
    assert pool.close(5.0)


def test_a_waiting_job_can_be_cancelled_a_begun_one_not() -> None:
    pool = RequestPool(1)
    began, go_on = threading.Event(), threading.Event()

    def work() -> None:
        began.set()
        go_on.wait(10)

    first, second = Job(work), Job(lambda: None)
    pool.submit(first, 0.0)
    pool.submit(second, 0.0)
    assert began.wait(10)
    assert first.begun
    assert not pool.cancel(first)
    assert pool.cancel(second)
    assert not pool.cancel(second)
    go_on.set()
    assert pool.close(5.0)


def test_close_does_not_wait_for_ever() -> None:
    pool = RequestPool(1)
    began, go_on = threading.Event(), threading.Event()

    def work() -> None:
        began.set()
        go_on.wait(30)

    pool.submit(Job(work), 0.0)
    assert began.wait(10)
    assert not pool.close(0.05)
    go_on.set()


def test_fewer_jobs_run_while_the_limit_is_lower() -> None:
    pool = RequestPool(4)
    pool.set_limit(1)
    go, most, running = threading.Semaphore(0), [0], [0]
    lock, done = threading.Lock(), threading.Semaphore(0)

    def work() -> None:
        with lock:
            running[0] += 1
            most[0] = max(most[0], running[0])
        go.acquire()
        with lock:
            running[0] -= 1
        done.release()

    for _ in range(6):
        pool.submit(Job(work), 0.0)
    for _ in range(2):
        go.release()
        assert done.acquire(timeout=30)
    assert (most[0], pool.limit) == (1, 1)
    pool.set_limit(99)
    assert pool.limit == 4
    for _ in range(4):
        go.release()
    for _ in range(4):
        assert done.acquire(timeout=30)
    assert pool.close(10.0)
    pool.set_limit(0)
    assert pool.limit == 1
