"""The life of a live source, moment by moment on a clock of its own."""

from __future__ import annotations

import math
from dataclasses import dataclass

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge_client.sources.state import Lifecycle, Patience, Step
from edge_client.types import SourceState

PATIENCE = Patience(open_s=10.0, silence_s=5.0, give_up_s=None, first_pause_s=0.2, longest_pause_s=10.0)
FOR_A_WHILE = Patience(give_up_s=30.0)
WAITING = Patience(wait_at_start=True)


def running(patience: Patience = PATIENCE, at_s: float = 1.0) -> Lifecycle:
    return Lifecycle.begin(patience, at_s - 1.0).opened(at_s - 0.5).pictured(at_s)


def test_it_starts_opens_and_runs() -> None:
    life = Lifecycle.begin(PATIENCE, 100.0)
    assert (life.state, life.step, life.deadline_s) == (SourceState.STARTING, Step.OPEN, 110.0)
    life = life.opened(102.0)
    assert (life.state, life.step, life.deadline_s) == (SourceState.STARTING, Step.READ, 107.0)
    life = life.pictured(103.0)
    assert (life.state, life.step, life.deadline_s, life.restarts) == (SourceState.RUNNING, Step.READ, 108.0, 0)


def test_five_seconds_without_a_picture_start_it_again() -> None:
    life = running(at_s=1.0)
    assert life.due(5.9) is life
    life = life.due(6.0)
    assert (life.state, life.step, life.reason) == (SourceState.STALLED, Step.PAUSE, "no picture for 5 s")
    life = life.due(life.deadline_s)
    assert (life.state, life.step, life.restarts) == (SourceState.STALLED, Step.OPEN, 1)
    life = life.opened(7.0).pictured(8.0)
    assert (life.state, life.restarts, life.reason) == (SourceState.RUNNING, 1, "")


def test_one_that_breaks_off_reconnects_with_growing_pauses() -> None:
    life = running().failed(2.0, "it ended")
    pauses: list[float] = []
    while len(pauses) < 9:
        assert (life.state, life.step) == (SourceState.RECONNECTING, Step.PAUSE)
        now_s = life.deadline_s
        life = life.due(now_s).failed(now_s, "not there")
        pauses.append(life.deadline_s - now_s)
    assert pauses == pytest.approx([0.4, 0.8, 1.6, 3.2, 6.4, 10.0, 10.0, 10.0, 10.0])
    assert (life.restarts, life.reason) == (9, "not there")


def test_a_picture_now_and_then_does_not_make_the_pauses_short_again_but_a_steady_run_does() -> None:
    life = running(at_s=0.0).failed(0.1, "gone")
    for _ in range(8):
        now_s = life.deadline_s
        life = life.due(now_s).opened(now_s).pictured(now_s).failed(now_s + 0.1, "gone")
    assert life.deadline_s - now_s == pytest.approx(10.1)
    now_s = life.deadline_s
    life = life.due(now_s).opened(now_s).pictured(now_s).pictured(now_s + 4.0).pictured(now_s + 9.0)
    life = life.failed(now_s + 12.0, "gone")
    assert life.deadline_s == pytest.approx(now_s + 12.2)


def test_one_that_hangs_in_opening_is_started_again() -> None:
    life = running().failed(2.0, "gone")
    life = life.due(life.deadline_s)
    opening_s = life.deadline_s - 10.0
    life = life.due(opening_s + 10.0)
    assert (life.state, life.step) == (SourceState.RECONNECTING, Step.PAUSE)
    assert life.reason == "did not open within 10 s"


def test_one_that_never_ran_ends_at_its_first_failure_unless_it_is_waited_for() -> None:
    life = Lifecycle.begin(PATIENCE, 0.0).failed(1.0, "not there")
    assert (life.state, life.step, life.reason) == (SourceState.ENDED, Step.REST, "not there")
    assert Lifecycle.begin(PATIENCE, 0.0).opened(1.0).due(6.0).state is SourceState.ENDED
    life = Lifecycle.begin(WAITING, 0.0).failed(1.0, "not there")
    assert (life.state, life.step) == (SourceState.RECONNECTING, Step.PAUSE)
    limited = Patience(give_up_s=1.0, wait_at_start=True)
    life = Lifecycle.begin(limited, 0.0)
    for _ in range(20):
        life = life.failed(life.deadline_s, "not there").due(life.deadline_s + 11.0)
    assert life.step is Step.OPEN


def test_the_time_to_give_up_is_used_to_its_end() -> None:
    life = running(FOR_A_WHILE, at_s=0.0).failed(1.0, "gone")
    tried_s = []
    while life.step is not Step.REST:
        now_s = life.deadline_s
        tried_s.append(now_s)
        life = life.due(now_s).failed(now_s, "gone")
    assert life.state is SourceState.ENDED
    assert tried_s[-1] == pytest.approx(31.0)
    at_once = running(Patience(give_up_s=0.0)).failed(2.0, "gone")
    assert at_once.state is SourceState.ENDED


@dataclass(frozen=True)
class Happening:
    kind: str
    after_s: float


HAPPENINGS = st.lists(
    st.builds(
        Happening,
        st.sampled_from(["opened", "pictured", "pictured", "failed", "due", "deadline", "ended"]),
        st.floats(0.0, 20.0),
    ),
    max_size=60,
)
PATIENCES = st.builds(
    Patience,
    open_s=st.floats(0.1, 20.0),
    silence_s=st.floats(0.1, 20.0),
    give_up_s=st.none() | st.floats(0.0, 60.0),
    wait_at_start=st.booleans(),
    first_pause_s=st.floats(0.01, 1.0),
    longest_pause_s=st.floats(1.0, 20.0),
)


def happen(life: Lifecycle, kind: str, now_s: float) -> Lifecycle:
    match kind:
        case "opened":
            return life.opened(now_s)
        case "pictured":
            return life.pictured(now_s)
        case "failed":
            return life.failed(now_s, "failed")
        case "ended":
            return life.ended()
        case _:
            return life.due(now_s)


@given(patience=PATIENCES, happenings=HAPPENINGS)
def test_whatever_happens_the_state_tells_the_truth(patience: Patience, happenings: list[Happening]) -> None:
    now_s, opens, pictures_since_open = 0.0, 1, 0
    life = Lifecycle.begin(patience, now_s)
    for happening in happenings:
        now_s += happening.after_s
        if happening.kind == "deadline" and life.step is not Step.REST:
            now_s = max(now_s, life.deadline_s)
        old, life = life, happen(life, happening.kind, now_s)

        if old.step is Step.PAUSE and life.step is Step.OPEN:
            opens, pictures_since_open = opens + 1, 0
        if happening.kind == "pictured" and old.step is Step.READ:
            pictures_since_open += 1
        assert life.restarts == opens - 1
        assert (life.state is SourceState.RUNNING) == (life.step is Step.READ and pictures_since_open > 0)
        assert (life.state is SourceState.ENDED) == (life.step is Step.REST)
        assert life.state is not SourceState.STARTING or not life.has_run
        assert life.failures == 0 or life.lost_s is not None or life.state is SourceState.RUNNING
        # Every step but the last has an end, and reaching it leads on.
        assert math.isinf(life.deadline_s) == (life.step is Step.REST)
        if life.step is not Step.REST:
            assert life.due(life.deadline_s).step is not life.step
        if old.state is SourceState.ENDED:
            assert life is old
        if life.step is Step.PAUSE and old.step is not Step.PAUSE:
            assert life.reason
            assert 0.0 <= life.deadline_s - now_s <= patience.longest_pause_s * (1 + 1e-9)
        # Who has run and is to be tried for ever only ends when told to.
        if life.state is SourceState.ENDED and old.state is not SourceState.ENDED and happening.kind != "ended":
            assert patience.give_up_s is not None or not life.has_run


@given(patience=PATIENCES, first=HAPPENINGS)
def test_a_source_that_is_there_again_runs_again(patience: Patience, first: list[Happening]) -> None:
    now_s, life = 0.0, Lifecycle.begin(patience, 0.0)
    for happening in first:
        now_s += happening.after_s
        life = happen(life, happening.kind, now_s)
    for _ in range(3):  # at most: the end of the silence, the end of the pause, the opening
        if life.state in (SourceState.ENDED, SourceState.RUNNING):
            break
        if life.step is Step.OPEN:
            life = life.opened(now_s).pictured(now_s)
        elif life.step is Step.READ:
            life = life.pictured(now_s)
        else:
            now_s = max(now_s, life.deadline_s)
            life = life.due(now_s)
    assert life.state in (SourceState.ENDED, SourceState.RUNNING)
