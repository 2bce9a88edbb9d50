from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge_client.reassembly import Reassembly

DEADLINE_S = 1.0


def test_waits_for_the_oldest() -> None:
    frames: Reassembly[str] = Reassembly()
    for number, item in enumerate("abc"):
        frames.add(number, item, 10.0)
    frames.complete(1)
    frames.complete(2)
    assert frames.release(0.0) == []
    frames.complete(0)
    assert frames.release(0.0) == ["a", "b", "c"]
    assert len(frames) == 0


def test_an_overdue_frame_takes_all_before_it_along() -> None:
    frames: Reassembly[str] = Reassembly()
    frames.add(0, "a", 3.0)
    frames.add(1, "b", 2.0)
    frames.add(2, "c", 3.0)
    assert frames.next_deadline_s() == 2.0
    assert frames.release(2.0) == ["a", "b"]
    assert not frames.complete(0)
    assert frames.get(2) == "c"
    assert frames.get(0) is None


def test_the_oldest_leave_when_there_are_more_than_places() -> None:
    frames: Reassembly[int] = Reassembly()
    for number in range(5):
        frames.add(number, number, 10.0)
    assert frames.release(0.0, places=3) == [0, 1]
    assert frames.oldest() == 2


def test_refuses_numbers_that_do_not_ascend() -> None:
    frames: Reassembly[str] = Reassembly()
    frames.add(3, "a", 1.0)
    with pytest.raises(ValueError, match="frame 3 came after frame 3"):
        frames.add(3, "b", 1.0)


@st.composite
def histories(draw: st.DrawFn) -> list[tuple[float, str, int]]:
    """Captures with falling gaps, and completions at any time after them, many never."""
    events: list[tuple[float, str, int]] = []
    now_s = 0.0
    for number in range(draw(st.integers(0, 40))):
        now_s += draw(st.floats(0.0, 0.5))
        events.append((now_s, "capture", number))
        delay_s = draw(st.one_of(st.none(), st.floats(0.0, 3.0)))
        if delay_s is not None:
            events.append((now_s + delay_s, "complete", number))
    return sorted(events, key=lambda e: e[0])


@given(histories())
def test_order_conservation_and_deadlines(events: list[tuple[float, str, int]]) -> None:
    frames: Reassembly[int] = Reassembly()
    captured_s: dict[int, float] = {}
    completed: set[int] = set()
    released: list[int] = []

    def release(now_s: float) -> None:
        for number in frames.release(now_s):
            released.append(number)
            assert now_s <= captured_s[number] + DEADLINE_S + 1e-9
            late = any(captured_s[n] + DEADLINE_S <= now_s for n in captured_s if n >= number)
            assert number in completed or late

    for at_s, kind, number in events:
        while (due_s := frames.next_deadline_s()) is not None and due_s <= at_s:
            release(due_s)
        if kind == "capture":
            captured_s[number] = at_s
            frames.add(number, number, at_s + DEADLINE_S)
        elif frames.complete(number):
            completed.add(number)
        release(at_s)
        assert len(captured_s) == len(released) + len(frames)
    while (due_s := frames.next_deadline_s()) is not None:
        release(due_s)
    assert released == sorted(captured_s)
