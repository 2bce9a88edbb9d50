from __future__ import annotations

import threading

from edge_client.config import PoolSettings
from edge_client.requests.breaker import Breaker


class Clock:
    def __init__(self) -> None:
        self.now_s = 100.0

    def __call__(self) -> float:
        return self.now_s


def breaker(clock: Clock) -> Breaker:
    return Breaker(PoolSettings(failures_to_pause=3, pause_s=1.0, max_pause_s=3.0), clock)


def test_shuts_after_failures_in_a_row_and_probes_with_one_request() -> None:
    clock = Clock()
    b = breaker(clock)
    for _ in range(2):
        b.failed("down")
    b.succeeded()
    for _ in range(3):
        assert b.enter()
        b.failed("refused")
    assert (b.shut, b.reason) == (True, "refused")
    assert not b.enter()
    clock.now_s += 1.0
    assert b.enter()
    assert not b.enter()  # one probe at a time
    b.succeeded()
    assert (b.shut, b.reason, b.enter()) == (False, "", True)


def test_pauses_double_up_to_the_longest() -> None:
    clock = Clock()
    b = breaker(clock)
    for _ in range(3):
        b.failed("down")
    pauses = []
    for _ in range(4):
        start_s = clock.now_s
        while not b.enter():
            clock.now_s += 0.5
        pauses.append(clock.now_s - start_s)
        b.failed("down")
    assert pauses == [1.0, 2.0, 3.0, 3.0]


def test_an_outage_may_pass_for_a_while_garbage_does_not() -> None:
    clock = Clock()
    b = breaker(clock)
    assert b.may_pass(10.0)
    b.failed("refused", passing=True)
    assert b.may_pass(10.0)
    assert not b.may_pass(0.0)
    clock.now_s += 11.0
    assert not b.may_pass(10.0)
    b.succeeded()
    b.failed("garbage", passing=False)
    assert not b.may_pass(10.0)


def test_closing_wakes_who_waits() -> None:
    b = Breaker(PoolSettings(failures_to_pause=1, pause_s=60.0))
    b.failed("down")
    answers: list[bool] = []
    thread = threading.Thread(target=lambda: answers.append(b.wait()))
    thread.start()
    b.close()
    thread.join(10)
    assert answers == [False]
    assert not b.may_pass(10.0)


def test_a_changed_network_is_probed_at_once() -> None:
    clock = Clock()
    b = breaker(clock)
    for _ in range(3):
        b.failed("down")
    clock.now_s += 1.0
    assert b.enter()
    b.failed("down")
    assert (b.failed_probes, b.enter()) == (1, False)
    b.retry_now()
    assert b.enter()
    b.failed("down")
    clock.now_s += 2.0  # pauses are short again
    assert b.enter()
    b.succeeded()
    b.retry_now()
    assert (b.failed_probes, b.shut, b.enter()) == (0, False, True)


def test_a_pause_lasts_as_long_as_the_server_wishes_up_to_the_longest() -> None:
    for wish_s, paused_s in ((None, 1.0), (0.0, 1.0), (2.0, 2.0), (3600.0, 3.0)):
        clock = Clock()
        b = breaker(clock)
        for _ in range(3):
            b.failed("overloaded", wish_s=wish_s)
        clock.now_s += paused_s - 0.01
        assert not b.enter()
        clock.now_s += 0.02
        assert b.enter()
