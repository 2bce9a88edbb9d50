"""A thousand random schedules of completions, time-outs and failures through pool, tracker and reassembly."""

from __future__ import annotations

import dataclasses
from collections import Counter

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from edge_client.pipeline.coordinator import Coordinator
from edge_client.reassembly import Reassembly
from edge_client.requests.pool import RequestPool
from tests.edge_client.pipeline.simulated import Kind, Schedule, simulate
from tests.edge_client.pipeline.simulated_parts import TEXTS

KINDS: tuple[Kind, ...] = ("found", "found", "found", "nothing", "unreachable", "overloaded", "timeout")
seconds = st.sampled_from([0.0, 0.004, 0.03, 0.08, 0.2, 0.45, 1.1, 3.0, 10.0])
schedules = st.builds(
    Schedule,
    frames=st.integers(1, 40),
    full=st.booleans(),
    max_in_flight=st.integers(1, 4),
    deadline_s=st.sampled_from([0.1, 0.5, 1.0]),
    outcomes=st.lists(st.tuples(seconds, st.sampled_from(KINDS)), min_size=1, max_size=8).map(tuple),
    displays_s=st.lists(st.sampled_from([0.0, 0.01, 0.03, 0.1]), min_size=1, max_size=4).map(tuple),
    stop_at_step=st.one_of(st.none(), st.integers(0, 160)),
    source_hangs=st.booleans(),
    cars=st.booleans(),
    lost=st.booleans(),
)
FRAMES_OF_A_PASSING = 20
USUAL = Schedule(40, False, 2, 0.5, ((0.08, "found"),), (0.01,), None, False)
SLOW = dataclasses.replace(USUAL, outcomes=((3.0, "found"), (0.08, "found")))


@settings(max_examples=1000, suppress_health_check=list(HealthCheck))
@given(schedules)
def test_whatever_becomes_of_requests_all_that_must_hold_does(schedule: Schedule) -> None:
    with pytest.MonkeyPatch.context() as patch:
        ended = simulate(schedule, patch)
    if schedule.stop_at_step is None:
        assert ended.captured == schedule.frames
    if schedule.frames < FRAMES_OF_A_PASSING:  # too few for a car to pass and come back
        assert ended.colours.count("green") <= 1
    assert schedule.cars or not ended.colours


def test_schedules_go_where_they_should() -> None:
    """The simulation shows, reads, drops and leaves: it is not that nothing ever happens in it."""
    with pytest.MonkeyPatch.context() as patch:
        usual = simulate(USUAL, patch)
        assert (usual.captured, usual.shown, usual.stopped) == (40, 40, False)
        assert usual.annotated > 5
        assert usual.read == set(TEXTS)
        full = simulate(dataclasses.replace(USUAL, full=True, deadline_s=40.0), patch)
        assert full.annotated == full.shown == 40
        cars = simulate(dataclasses.replace(USUAL, cars=True, full=True, deadline_s=40.0), patch)
        assert cars.read == set(TEXTS)
        assert cars.colours == ("green",)
        live = simulate(dataclasses.replace(USUAL, cars=True, max_in_flight=4), patch)
        assert live.read == set(TEXTS)
        assert live.colours.count("green") == 1
        stopped = simulate(dataclasses.replace(USUAL, stop_at_step=40), patch)
        assert stopped.stopped and 0 < stopped.captured < 40
        unread = simulate(dataclasses.replace(USUAL, outcomes=((0.03, "found"), (0.03, "unreachable"))), patch)
        assert unread.left | unread.read == set(TEXTS)
        crowded = simulate(dataclasses.replace(USUAL, displays_s=(0.1,)), patch)
        assert crowded.shown < crowded.captured


def _broken(schedule: Schedule, patch: pytest.MonkeyPatch) -> bool:
    try:
        simulate(schedule, patch)
    except (AssertionError, ValueError):  # the reassembly itself refuses numbers that do not ascend
        return True
    return False


def test_a_reassembly_that_forgets_deadlines_or_the_order_would_be_found(monkeypatch: pytest.MonkeyPatch) -> None:
    real = Reassembly.release
    monkeypatch.setattr(Reassembly, "next_deadline_s", lambda _self: None)
    monkeypatch.setattr(Reassembly, "release", lambda self, _now_s, places=None: real(self, 0.0, places))
    assert _broken(dataclasses.replace(SLOW, full=False), monkeypatch)
    monkeypatch.undo()
    monkeypatch.setattr(Reassembly, "release", lambda self, now_s, places=None: real(self, now_s, places)[::-1])
    assert _broken(SLOW, monkeypatch)


def test_frames_that_wait_for_apis_that_are_gone_would_be_found(monkeypatch: pytest.MonkeyPatch) -> None:
    gone = dataclasses.replace(SLOW, outcomes=((2.5, "unreachable"),), lost=True)
    assert simulate(gone, monkeypatch).captured == 40
    monkeypatch.setattr(Coordinator, "_patience_s", lambda self: self._deadline_s)
    assert _broken(gone, monkeypatch)


def test_a_pool_without_a_bound_or_a_drive_that_loses_reads_would_be_found(monkeypatch: pytest.MonkeyPatch) -> None:
    real = RequestPool.take
    with monkeypatch.context() as patch:
        patch.setattr(RequestPool, "take", lambda self: _unbounded(self, real))
        assert _broken(SLOW, patch)
    with monkeypatch.context() as patch:
        patch.setattr(Coordinator, "_save", lambda _self, _reads: None)
        assert _broken(USUAL, patch)
    assert not _broken(USUAL, monkeypatch)


def _unbounded(pool: RequestPool, take: object) -> object:
    pool._limit = 99
    return take(pool)  # type: ignore[operator]


def test_the_schedules_are_not_all_alike() -> None:
    seen: Counter[bool] = Counter()

    @settings(max_examples=60, database=None, derandomize=True, suppress_health_check=list(HealthCheck))
    @given(schedules)
    def look(schedule: Schedule) -> None:
        with pytest.MonkeyPatch.context() as patch:
            ended = simulate(schedule, patch)
        seen[bool(ended.read)] += 1
        seen[ended.stopped] += 1

    look()
    assert min(seen.values()) > 5
