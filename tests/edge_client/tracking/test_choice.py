from __future__ import annotations

import itertools

from hypothesis import given
from hypothesis import strategies as st

from edge_client.config import ReadingSettings
from edge_client.tracking.choice import CropChoice, Look, chance, promise_px, well_read
from edge_client.tracking.vote import EMPTY, Vote

SETTINGS = ReadingSettings()
GOOD = Vote("AB123", (0.95,) * 5, 2)
DOUBTFUL = Vote("AB123", (0.6,) * 5, 1)
FRAME_S = 1 / 30


def look(width_px: float = 100.0, *, steady: bool = True, whole: bool = True, sharpness: float = 500.0) -> Look:
    return Look(width_px, width_px / 4, sharpness, steady, whole)


class Device:
    """A choice whose crops are strings, with the votes that tests set."""

    def __init__(self, **settings: object) -> None:
        self.votes: dict[int, Vote] = {}
        self.settings = SETTINGS.model_copy(update=settings)
        self.choice: CropChoice[str] = CropChoice(self.settings, lambda track: self.votes.get(track, EMPTY))
        self.encoded = 0

    def see(self, now_s: float, seen: Look, crop: str = "crop", track: int = 1) -> None:
        def encode() -> str:
            self.encoded += 1
            return crop

        self.choice.offer(track, seen, now_s, encode)

    def due(self, now_s: float, *, last: bool = False) -> list[str]:
        return self.choice.due(now_s, 8, last=last)

    def read(self, vote: Vote, *, agrees: bool = True, track: int = 1) -> None:
        self.votes[track] = vote
        self.choice.answered(track, agrees=agrees)


def test_a_large_plate_is_sent_at_once() -> None:
    device = Device()
    device.see(0.0, look(SETTINGS.at_once_px))
    assert device.due(0.0) == ["crop"]
    assert device.choice.needs(1)


def test_of_a_small_plate_the_best_crop_of_a_while_is_sent() -> None:
    device = Device()
    sent: list[tuple[float, str]] = []
    for n in range(30):
        width_px = 80.0 + (10 - abs(n - 8))
        device.see(n * FRAME_S, look(width_px), f"frame {n}")
        sent += [(n * FRAME_S, crop) for crop in device.due(n * FRAME_S)]
    assert [crop for _, crop in sent] == ["frame 8"]
    assert SETTINGS.wait_s <= sent[0][0] < SETTINGS.wait_s + 2 * FRAME_S
    assert device.encoded < 20  # those that are not better are not even encoded


def test_where_frames_lie_far_apart_several_are_waited_for() -> None:
    device = Device()
    for second, width_px in enumerate((80.0, 95.0, 90.0)):
        assert device.due(float(second)) == []
        device.see(float(second), look(width_px), f"second {second}")
    assert device.due(2.0) == ["second 1"]


def test_what_was_held_before_a_jump_counts_for_the_track_too() -> None:
    device = Device(max_requests=1)
    device.see(0.0, look(60.0), "first")
    assert device.due(0.0) == []  # a better one is waited for
    device.see(0.2, look(90.0, steady=False), "another plate perhaps")
    device.choice.lost(1)
    assert device.due(0.2) == ["first"]
    device.read(DOUBTFUL)
    device.see(0.3, look(60.0), "found again")
    assert [device.due(float(second), last=second > 10) for second in range(1, 20)] == [[]] * 19
    assert not device.choice.needs(1)


def test_a_lost_plate_is_sent_without_waiting() -> None:
    device = Device()
    device.see(0.0, look(80.0))
    assert device.due(0.0) == []
    device.choice.lost(1)
    assert device.due(0.1) == ["crop"]


def test_a_sharp_crop_goes_before_a_larger_blurred_one() -> None:
    device = Device()
    device.see(0.0, look(80.0, sharpness=900.0), "sharp")
    device.see(0.5, look(85.0, sharpness=60.0), "blurred")
    device.choice.lost(1)
    assert device.due(0.6) == ["sharp"]


def test_tiny_and_hopeless_plates_are_not_sent() -> None:
    device = Device()
    device.see(0.0, look(8.0))
    device.see(0.0, Look(100.0, 3.0, 500.0), track=2)
    device.see(0.0, look(50.0, sharpness=20.0), track=3)
    assert device.due(9.0, last=True) == []
    assert not device.choice.needs(1)


def test_a_plate_that_the_edge_may_cut_is_the_last_resort() -> None:
    device = Device()
    device.see(0.0, look(140.0, whole=False), "cut")
    assert device.due(5.0) == []
    device.choice.lost(1)
    assert device.due(5.0) == ["cut"]
    device = Device()
    device.see(0.0, look(140.0, whole=False), "cut")
    device.see(0.1, look(90.0), "whole")
    device.choice.lost(1)
    assert device.due(5.0) == ["whole"]
    device.read(GOOD)
    assert not device.choice.needs(1)
    device = Device()
    device.see(0.0, Look(100.0, 50.0, 500.0, whole=False), "half of it")
    device.choice.lost(1)
    assert device.due(5.0, last=True) == []


def test_one_at_a_time_and_a_well_read_plate_is_left_alone() -> None:
    device = Device()
    device.see(0.0, look(130.0))
    assert device.due(0.0) == ["crop"]
    device.see(0.1, look(300.0))
    assert device.due(0.1) == []
    device.read(GOOD)
    for n in range(10):
        device.see(1.0 + n, look(300.0))
        assert device.due(1.0 + n) == []
    device.choice.lost(1)
    assert not device.choice.needs(1)


def test_one_all_but_certain_read_is_enough() -> None:
    certain = Vote("AB123", (0.96,) * 5, 1, plate_confidence=0.96)
    assert well_read(certain, SETTINGS)
    assert not well_read(Vote("AB123", (0.96,) * 5, 1, plate_confidence=0.8), SETTINGS)
    assert not well_read(Vote("AB123", (0.6,) * 5, 3, plate_confidence=0.96), SETTINGS)  # others disagree


def test_a_badly_read_plate_is_sent_again_less_and_less_often() -> None:
    device = Device()
    sent = []
    for n in range(400):
        now_s = n * FRAME_S
        device.see(now_s, look(130.0 + n / 100))
        for _ in device.due(now_s):
            sent.append(now_s)
            device.read(DOUBTFUL)
    gaps = [b - a for a, b in itertools.pairwise(sent)]
    assert len(sent) == 4
    assert all(b > 1.8 * a for a, b in itertools.pairwise(gaps))


def test_a_badly_read_plate_is_sent_again_soon_when_it_is_much_larger() -> None:
    device = Device()
    device.see(0.0, look(130.0))
    device.due(0.0)
    device.read(DOUBTFUL)
    device.see(0.2, look(130.0 * SETTINGS.larger_crop), "larger")
    assert device.due(0.2) == ["larger"]


def test_the_next_best_crop_is_sent_when_the_best_one_read_badly() -> None:
    device = Device()
    for n, width_px in enumerate((80.0, 100.0, 90.0)):
        device.see(float(n), look(width_px), f"{width_px:.0f}")
    device.choice.lost(1)
    sent = []
    while crops := device.due(3.0):
        sent += crops
        device.read(DOUBTFUL)
    assert sent == ["100", "90"], "after two, a smaller one is hardly read right"


def test_after_a_jump_the_plate_is_read_anew_and_what_was_not_read_is_not_lost() -> None:
    device = Device()
    device.see(0.0, look(80.0), "one car")
    device.see(0.2, look(90.0, steady=False), "another car")
    assert device.due(0.2) == ["one car"]
    device.read(GOOD)
    device.choice.lost(1)
    assert device.due(9.0) == ["another car"]


def test_jumps_that_were_the_same_plate_are_looked_at_less_often() -> None:
    device = Device(max_requests=100)
    sent = 0
    for n in range(40):
        device.see(float(n), look(130.0, steady=False))
        for _ in device.due(float(n)):
            sent += 1
            device.read(GOOD)
    assert 3 <= sent <= 6
    device.see(100.0, look(130.0, steady=False))
    assert device.due(100.0)
    device.read(DOUBTFUL, agrees=False)
    device.see(103.0, look(130.0))
    assert device.due(103.0), "after another plate was read the track is not sure any more"


def test_a_plate_that_stays_in_sight_is_verified_now_and_then() -> None:
    device = Device()
    sent = []
    for n in range(2000):
        now_s = n * 0.1
        device.see(now_s, look(130.0))
        for _ in device.due(now_s):
            sent.append(now_s)
            device.read(GOOD)
    assert len(sent) <= 4
    assert sent[1] - sent[0] >= SETTINGS.verify_s


def test_a_failed_request_does_not_count_as_tried() -> None:
    device = Device(requests_burst=1, requests_per_s=0.001)
    device.see(0.0, look(130.0), "first")
    assert device.due(0.0) == ["first"]
    device.choice.failed(1, look(130.0), 0.1, "first")
    assert device.due(0.2) == ["first"]


def test_requests_per_track_are_bounded() -> None:
    device = Device(again_s=0.01, max_requests=5)
    sent = 0
    for n in range(1000):
        device.see(n * 1.0, look(130.0 + n, steady=n % 7 > 0))
        for _ in device.due(n * 1.0):
            sent += 1
            device.read(DOUBTFUL, agrees=n % 3 > 0)
    assert sent == 5
    assert not device.choice.needs(1)
    device.choice.forget(1)
    device.see(2000.0, look(130.0))
    assert device.due(2000.0)


def test_the_budget_goes_to_the_best_crops_of_plates_that_nobody_has_read() -> None:
    device = Device(requests_per_s=1.0, requests_burst=2)
    device.see(0.0, look(150.0), "read before", track=9)
    assert device.due(0.0) == ["read before"]
    device.read(DOUBTFUL, track=9)
    device.see(1.0, look(300.0), "again", track=9)
    for track, width_px in ((1, 130.0), (2, 200.0), (3, 160.0)):
        device.see(1.0, look(width_px), f"{width_px:.0f}", track=track)
    assert device.due(1.0) == ["200", "160"]
    assert device.due(2.0) == ["130"]
    assert device.due(3.0) == ["again"]


def test_what_waits_for_the_budget_is_bounded() -> None:
    device = Device(requests_per_s=0.001, requests_burst=1)
    for track in range(200):
        device.see(0.0, look(80.0 + track), str(track), track=track)
        device.choice.lost(track)
    device.due(1.0)
    waiting = [track for track in range(200) if device.choice.needs(track)]
    assert len(waiting) <= 66
    assert min(waiting) > 100  # the least promising were given up


@given(
    st.lists(
        st.tuples(st.integers(0, 3), st.floats(20, 300), st.booleans(), st.booleans(), st.sampled_from(["", "A", "B"])),
        max_size=80,
    ),
    st.integers(1, 6),
)
def test_budgets_hold_whatever_is_seen(events: list[tuple[int, float, bool, bool, str]], most: int) -> None:
    device = Device(max_requests=most, requests_per_s=2.0, requests_burst=3)
    requests: dict[int, int] = {}
    times = []
    for n, (track, width_px, steady, lost, answer) in enumerate(events):
        now_s = n * 0.1
        device.see(now_s, look(width_px, steady=steady), str(track), track=track)
        if lost:
            device.choice.lost(track)
        for crop in device.due(now_s):
            times.append(now_s)
            requests[int(crop)] = requests.get(int(crop), 0) + 1
            vote = Vote(answer, (0.99,) * len(answer), 2) if answer else DOUBTFUL
            device.read(vote, agrees=answer != "B", track=int(crop))
    assert all(count <= most for count in requests.values())
    for first in range(len(times)):
        for last in range(first, len(times)):
            assert last - first + 1 <= 3 + 2.0 * (times[last] - times[first]) + 1e-6


@given(st.lists(st.tuples(st.integers(0, 5), st.floats(20, 300), st.floats(5, 2000)), min_size=1, max_size=40))
def test_what_gains_most_goes_first_and_what_gains_little_not_at_all(seen: list[tuple[int, float, float]]) -> None:
    device = Device()
    best: dict[int, float] = {}
    for n, (track, width_px, sharpness) in enumerate(seen):
        shown = look(width_px, sharpness=sharpness)
        device.see(n * 0.2, shown, f"{track} {shown.promise_px}", track=track)
        best[track] = max(best.get(track, 0.0), shown.promise_px)
    for track in best:
        device.choice.lost(track)
    worth = [t for t in best if chance(best[t]) >= SETTINGS.min_gain]
    expected = sorted(worth, key=lambda t: -best[t])
    sent = device.due(99.0)
    assert [float(crop.split()[1]) for crop in sent] == [best[t] for t in expected]
    assert not device.choice.needs(99)
    assert {t for t in best if device.choice.needs(t)} == set(worth)  # on their way


@given(st.floats(1, 1000), st.floats(1, 1000))
def test_the_chance_of_a_read_grows_with_what_a_crop_promises(one: float, other: float) -> None:
    low, high = sorted((one, other))
    assert 0.0 <= chance(low) <= chance(high) <= 1.0
    assert chance(40.0) < 0.1
    assert chance(SETTINGS.at_once_px) > 0.9


def test_a_sure_read_of_another_plate_needs_no_second_one() -> None:
    device = Device()
    device.see(0.0, look(130.0))
    device.due(0.0)
    device.read(GOOD)
    device.see(5.0, look(150.0, steady=False))
    assert device.due(5.0)
    device.read(Vote("XY987", (0.97,) * 5, 1, plate_confidence=0.97), agrees=False)
    device.see(9.0, look(150.0))
    assert device.due(9.0) == []


def test_a_failed_look_is_not_repeated_with_the_like_of_it() -> None:
    device = Device()
    sent = []
    for n in range(40):
        device.see(n * 1.0, look(72.0), f"{n}")
        for crop in device.due(n * 1.0):
            sent.append(crop)
            device.read(DOUBTFUL)
    assert 1 <= len(sent) <= 3
    device.see(41.0, look(110.0), "nearer")
    assert device.due(41.0) == ["nearer"]


def test_the_promise_grows_with_width_sharpness_and_score() -> None:
    assert promise_px(100.0, 500.0, 0.8) == 100.0
    assert promise_px(100.0, 900.0, 0.8) > promise_px(100.0, 500.0, 0.8) > promise_px(100.0, 100.0, 0.8)
    assert promise_px(100.0, 500.0, 0.95) > promise_px(100.0, 500.0, 0.5)
    assert promise_px(100.0, 0.0, 0.8) == 50.0
    assert promise_px(100.0, 1e9, 0.8) == 150.0
