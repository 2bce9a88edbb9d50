from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from edge_client.spool.sampling import COVER_S, GAP_S, HOLD_S, Glance, Sampler, glance
from edge_client.types import Image


def look(value: int) -> Glance:
    return np.full((90, 160), value % 256, np.uint8)


def miss(sampler: Sampler[int], number: int, sharpness: float = 1.0, value: int | None = None) -> None:
    """A frame of a camera with 10 frames a second."""
    sampler.unanswered(number / 10, number, look(60 * number if value is None else value), sharpness)


def numbers(sampler: Sampler[int], now_s: float, *, lost: bool = False, ended: bool = False) -> list[int]:
    return [sample.item for sample in sampler.ripe(now_s, lost=lost, ended=ended)]


def test_of_each_short_while_the_sharpest_is_kept() -> None:
    sampler: Sampler[int] = Sampler(rate_hz=2.0)
    for number in range(20):
        miss(sampler, number, sharpness=float(number % 5 == 3))
    assert numbers(sampler, 2.0, lost=True) == [3, 8, 13, 18]


def test_what_waits_for_a_late_answer_is_not_kept_before() -> None:
    sampler: Sampler[int] = Sampler(rate_hz=10.0)
    sampler.answered(0.0)
    for number in range(5, 40):
        miss(sampler, number)
    assert numbers(sampler, 0.5 + HOLD_S) == []
    assert numbers(sampler, 0.6 + HOLD_S + 0.01) == [5, 6]


def test_frames_near_an_answered_one_are_not_kept() -> None:
    sampler: Sampler[int] = Sampler(rate_hz=10.0)
    sampler.answered(0.0)
    for number in range(1, 50):
        miss(sampler, number)
    sampler.answered(2.5)  # late
    kept = numbers(sampler, 100.0, lost=True)
    assert kept
    assert all(n / 10 > COVER_S and abs(n / 10 - 2.5) > COVER_S for n in kept)


def test_gaps_that_tracking_bridges_are_not_kept() -> None:
    sampler: Sampler[int] = Sampler(rate_hz=10.0)
    for number in range(200):
        if number % int(8 * GAP_S) == 0:
            sampler.answered(number / 10)
        else:
            miss(sampler, number)
        assert numbers(sampler, number / 10) == []
    assert numbers(sampler, 19.9, ended=True) == []
    assert GAP_S > 1.5


def test_a_picture_that_stands_still_is_kept_seldom() -> None:
    sampler: Sampler[int] = Sampler(rate_hz=10.0)
    for number in range(120):
        miss(sampler, number, value=7)
    assert numbers(sampler, 12.0, lost=True) == [0, 51, 102]


def test_a_car_far_away_is_something_new() -> None:
    still = np.full((360, 640, 3), 90, np.uint8)
    passing = still.copy()
    passing[150:180, 300:345] = 30
    sampler: Sampler[int] = Sampler(rate_hz=10.0)
    pictures: list[Image] = [still, still, passing]
    for number, image in enumerate(pictures):
        sampler.unanswered(number / 10, number, *glance(image))
    assert numbers(sampler, 100.0, lost=True) == [0, 2]


def test_the_end_of_a_drive_is_no_gap() -> None:
    sampler: Sampler[int] = Sampler(rate_hz=10.0)
    sampler.answered(0.0)
    for number in range(5, 12):
        miss(sampler, number)
    assert numbers(sampler, 1.1, ended=True) == []
    for number in range(12, 30):
        miss(sampler, number)
    assert numbers(sampler, 2.9, ended=True) != []


@given(
    st.lists(st.tuples(st.booleans(), st.booleans(), st.floats(0, 100)), max_size=300),
    st.floats(0.5, 30.0),
)
def test_kept_frames_are_unanswered_ascending_and_no_more_than_wanted(
    frames: list[tuple[bool, bool, float]], rate_hz: float
) -> None:
    sampler: Sampler[int] = Sampler(rate_hz)
    kept: list[int] = []
    answered = set()
    for number, (answer, lost, sharpness) in enumerate(frames):
        if answer:
            answered.add(number)
            sampler.answered(number / 10)
        else:
            miss(sampler, number, sharpness)
        kept += numbers(sampler, number / 10, lost=lost)
    kept += numbers(sampler, len(frames) / 10, lost=True)
    assert kept == sorted(set(kept))
    assert not answered & set(kept)
    assert len(kept) <= len({int(n / 10 * rate_hz + 1e-6) for n in range(len(frames))})
