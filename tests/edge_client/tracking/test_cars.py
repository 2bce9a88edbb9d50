from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cloud_apis.contract import PlateBox
from edge_client.config import VehicleSettings
from edge_client.tracking.budget import TokenBucket
from edge_client.tracking.cars import CarChoice, car_quality


def choice(**settings: object) -> CarChoice[str]:
    return CarChoice(VehicleSettings.model_validate(settings))


def always() -> bool:
    return True


def offer(cars: CarChoice[str], number: int, quality: float, now_s: float) -> None:
    cars.offer(number, quality, now_s, lambda: f"{number}@{now_s}")


def test_large_cars_wholly_in_the_frame_are_the_best() -> None:
    def quality(x: float, y: float, width: float) -> float:
        box = PlateBox(x - width / 2, y - width / 8, x + width / 2, y + width / 8, 0.9, (0.9,))
        return car_quality(box, 1280, 720)

    assert quality(640, 400, 72) == pytest.approx(1.0)
    assert quality(640, 400, 100) == pytest.approx(1.0)
    assert quality(640, 400, 36) == pytest.approx(0.5)
    assert quality(1270, 400, 72) < 0.4  # half of it is out of the frame
    assert quality(640, 700, 72) < quality(640, 600, 72)


def test_a_good_picture_goes_at_once_and_no_second_one() -> None:
    cars = choice()
    offer(cars, 1, 1.0, 0.0)
    assert cars.due(0.0, always) == (1, "1@0.0")
    assert cars.due(0.1, always) is None  # it is on its way
    assert cars.needs(1)
    cars.answered(1, told=True)
    offer(cars, 1, 1.0, 5.0)
    cars.lost(1, 6.0)
    assert cars.due(6.0, always, last=True) is None
    assert not cars.needs(1)
    assert not cars.forget(1)


def test_a_better_picture_is_waited_for_and_the_best_one_sent() -> None:
    cars = choice(wait_s=1.0)
    for n, quality in enumerate((0.3, 0.7, 0.6, 0.2)):
        offer(cars, 1, quality, n / 10)
        assert cars.due(n / 10, always) is None
    assert cars.due(1.0, always) == (1, "1@0.1")


def test_a_small_car_is_asked_for_when_it_is_out_of_sight_or_does_not_come_nearer() -> None:
    cars = choice(wait_s=1.0)
    offer(cars, 1, 0.3, 0.0)
    offer(cars, 2, 0.3, 0.0)
    assert cars.due(2.0, always) is None
    cars.lost(2, 2.0)
    assert cars.due(2.0, always) == (2, "2@0.0")
    assert cars.due(2.0, always) is None
    assert cars.due(3.0, always) == (1, "1@0.0")


@pytest.mark.parametrize(("told", "later", "again"), [(True, 0.5, False), (True, 0.7, True), (False, 0.4, True)])
def test_a_second_request_only_after_a_poor_first_one(told: bool, later: float, again: bool) -> None:
    cars = choice()
    offer(cars, 1, 0.3, 0.0)
    assert cars.due(0.0, always, last=True) is not None
    cars.answered(1, told=told)
    offer(cars, 1, later, 1.0)
    assert (cars.due(9.0, always) is not None) is again
    cars.answered(1, told=False)
    offer(cars, 1, 1.0, 10.0)
    if again:
        assert cars.due(19.0, always, last=True) is None  # two at most


def test_what_failed_is_sent_again_but_not_for_ever() -> None:
    cars = choice()
    offer(cars, 1, 1.0, 0.0)
    for _ in range(3):
        sent = cars.due(0.0, always)
        assert sent == (1, "1@0.0")
        cars.failed(1, "1@0.0", passing=False)
    assert cars.due(1.0, always, last=True) is None
    assert not cars.needs(1)
    assert cars.forget(1)  # given up


def test_a_network_that_is_gone_is_waited_out() -> None:
    cars = choice()
    offer(cars, 1, 1.0, 0.0)
    for n in range(20):
        assert cars.due(float(n), always) is not None
        cars.failed(1, "1@0.0", passing=True)
    cars.lost(1, 20.0)
    assert cars.needs(1)
    assert cars.due(60.0, always) is not None
    cars.failed(1, "1@0.0", passing=True)
    assert cars.due(1000.0, always) is None  # nobody waits for it any more
    assert not cars.needs(1)
    assert cars.forget(1)


def test_nothing_is_sent_beyond_the_budget_and_plates_keep_their_part() -> None:
    cars, bucket = choice(), TokenBucket(1.0, 7.0)
    for number in range(6):
        offer(cars, number, 1.0, 0.0)
    sent = 0
    while cars.due(0.0, lambda: bucket.take(0.0, 1 / 3)) is not None:
        sent += 1
    assert sent == 5
    assert bucket.take(0.0)  # of seven, two are left for plates
    assert bucket.take(0.0)
    assert not bucket.take(0.0)
    assert cars.due(5.0, lambda: bucket.take(5.0, 1 / 3)) is not None


def test_a_small_bucket_serves_cars_too() -> None:
    bucket = TokenBucket(1.0, 1.0)
    assert bucket.take(0.0, 1 / 3)
    assert not bucket.take(0.0, 1 / 3)


def test_another_car_in_the_track_is_asked_for_again() -> None:
    cars = choice()
    offer(cars, 1, 1.0, 0.0)
    assert cars.due(0.0, always) is not None
    cars.answered(1, told=True)
    cars.again(1)
    offer(cars, 1, 1.0, 9.0)
    assert cars.due(9.0, always) == (1, "1@9.0")


@given(
    st.lists(
        st.tuples(
            st.integers(0, 3),
            st.sampled_from(["offer", "due", "lost", "told", "nothing", "passing", "refused", "forget"]),
            st.floats(0, 1),
        ),
        max_size=80,
    ),
    st.integers(1, 3),
)
def test_whatever_happens_requests_per_track_are_bounded(steps: list[tuple[int, str, float]], most: int) -> None:
    cars = choice(max_requests=most)
    pending: dict[int, str] = {}
    answered: dict[int, int] = {}
    refused: dict[int, int] = {}
    for n, (number, what, quality) in enumerate(steps):
        now_s = n / 2
        if what == "offer":
            offer(cars, number, quality, now_s)
        elif what == "due" and (sent := cars.due(now_s, always)) is not None:
            assert sent[0] not in pending
            pending[sent[0]] = sent[1]
        elif what == "lost":
            cars.lost(number, now_s)
        elif what == "forget" and number not in pending:
            cars.forget(number)
            answered.pop(number, None)
            refused.pop(number, None)
        elif number in pending:
            picture = pending.pop(number)
            if what in ("passing", "refused"):
                cars.failed(number, picture, passing=what == "passing")
                refused[number] = refused.get(number, 0) + (what == "refused")
            else:
                cars.answered(number, told=what == "told")
                answered[number] = answered.get(number, 0) + 1
        assert all(count <= most for count in answered.values())
        assert all(count <= 3 for count in refused.values())
        assert all(cars.needs(number) for number in pending)
