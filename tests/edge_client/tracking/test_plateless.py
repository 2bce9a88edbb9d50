from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge_client.tracking.motion import Shape
from edge_client.tracking.plateless import MOST_OPEN, PlatelessCar, PlatelessCars, Sight
from edge_client.types import Stamp, Vehicle

START = datetime(2026, 1, 2, tzinfo=UTC)
EVERY_S = 5.0
HERE: Shape = (300.0, 200.0, 200.0, 150.0)
RED = Vehicle("car", "suv", "red", "", "", 0.9, 0.9)
BLUE = Vehicle("car", "suv", "blue", "", "", 0.9, 0.9)
RED_SUZUKI = Vehicle("car", "", "red", "suzuki", "swift", 0.0, 0.8, 0.9, 0.7)
SUZUKI = Vehicle("car", "", "", "suzuki", "", make_confidence=0.9)
FIAT = Vehicle("car", "", "", "fiat", "", make_confidence=0.9)
UNKNOWN = Vehicle("car")

Cars = PlatelessCars[str]


def stamp(time_s: float) -> Stamp:
    return Stamp(START + timedelta(seconds=time_s), 100.0 + time_s)


def moved(x: float = 0.0, y: float = 0.0, times: float = 1.0) -> Shape:
    return HERE[0] + x, HERE[1] + y, HERE[2] * times, HERE[3] * times


def sight(
    vehicle: Vehicle = RED, shape: Shape = HERE, quality: float = 1.0, *, plated: bool = False, name: str = ""
) -> Sight[str]:
    return Sight(shape, vehicle, quality, lambda: name, plated)


def look(cars: Cars, time_s: float, *sights: Sight[str]) -> list[PlatelessCar[str]]:
    cars.asked(time_s)
    cars.found(time_s, stamp(time_s), sights)
    return cars.passed(time_s)


def test_a_car_in_many_looks_is_one_with_all_that_was_told_and_its_best_picture() -> None:
    cars = Cars(EVERY_S)
    assert look(cars, 0.0, sight(RED, quality=1.0, name="first")) == []
    assert look(cars, 5.0, sight(SUZUKI, moved(60), quality=3.0, name="best")) == []
    assert look(cars, 10.0, sight(RED, moved(120), quality=2.0, name="last")) == []
    assert cars.passed(22.5) == []
    (car,) = cars.passed(22.6)
    assert (car.number, car.vehicle.colour, car.vehicle.make, car.picture) == (1, "red", "suzuki", "best")
    assert (car.first, car.last) == (stamp(0.0), stamp(10.0))
    assert cars.passed(99.0) == cars.end() == []


@pytest.mark.parametrize(
    ("vehicle", "shape", "same"),
    [
        (RED, moved(100), True),  # a third in common
        (RED, moved(190), True),  # beside it, within its width
        (RED, moved(210), False),
        (RED, moved(150, times=0.4), True),
        (RED, moved(150, times=0.3), False),  # another one far behind
        (BLUE, HERE, False),
        (SUZUKI, HERE, True),  # nothing that is known of both is different
        (RED_SUZUKI, HERE, True),
    ],
)
def test_a_car_is_known_again_by_its_place_unless_its_looks_contradict(
    vehicle: Vehicle, shape: Shape, same: bool
) -> None:
    cars = Cars(EVERY_S)
    look(cars, 0.0, sight(RED))
    look(cars, 5.0, sight(vehicle, shape))
    assert len(cars.end()) == (1 if same else 2)


def test_looks_that_were_told_once_contradict_later_ones() -> None:
    cars = Cars(EVERY_S)
    look(cars, 0.0, sight(RED_SUZUKI))
    look(cars, 5.0, sight(RED))
    look(cars, 10.0, sight(FIAT))
    assert [car.vehicle.make for car in cars.end()] == ["suzuki", "fiat"]


def test_cars_side_by_side_keep_their_places() -> None:
    cars = Cars(EVERY_S)
    look(cars, 0.0, sight(name="left"), sight(shape=moved(190), name="right"))
    look(cars, 5.0, sight(SUZUKI, moved(195)), sight(FIAT, moved(5)))
    assert {car.picture: car.vehicle.make for car in cars.end()} == {"left": "fiat", "right": "suzuki"}


def test_a_car_that_two_looks_in_a_row_do_not_show_has_passed() -> None:
    cars = Cars(EVERY_S)
    look(cars, 0.0, sight())
    assert look(cars, 1.0) == []
    assert look(cars, 2.0, sight()) == []  # one look missed it, and the count begins anew
    assert look(cars, 3.0) == []
    (car,) = look(cars, 4.0)
    assert car.last == stamp(2.0)


def test_an_answer_that_is_still_to_come_is_waited_for() -> None:
    cars = Cars(EVERY_S)
    look(cars, 0.0, sight())
    cars.asked(12.0)
    assert cars.passed(40.0) == []
    cars.found(12.0, stamp(12.0), [sight()])
    cars.asked(20.0)
    cars.failed()
    (car,) = cars.passed(40.0)
    assert (car.first, car.last) == (stamp(0.0), stamp(12.0))


def test_a_car_whose_plate_appears_is_that_plates_and_stays_so() -> None:
    cars = Cars(EVERY_S)
    look(cars, 0.0, sight())
    cars.plates([(900.0, 260.0)])
    assert cars.dropped == 0
    cars.plates([(900.0, 260.0), (310.0, 280.0)])  # just below its box
    assert cars.dropped == 1
    look(cars, 5.0, sight())  # the plate is missed again
    cars.plates([(310.0, 260.0)])
    assert cars.dropped == 1
    assert cars.end() == []


def test_a_car_that_a_look_shows_with_a_plate_is_no_car_without_one() -> None:
    cars = Cars(EVERY_S)
    look(cars, 0.0, sight())
    look(cars, 5.0, sight(UNKNOWN, moved(150), plated=True))
    assert cars.dropped == 1
    look(cars, 10.0, sight(shape=moved(150)))
    assert cars.end() == []
    look(cars, 15.0, sight(plated=True))
    look(cars, 20.0, sight())
    assert (cars.end(), cars.dropped) == ([], 1)


def test_plates_that_come_while_an_answer_is_on_its_way_count() -> None:
    cars = Cars(EVERY_S)
    cars.plates([(310.0, 260.0)])  # of another car, before
    cars.asked(0.0)
    cars.plates([(310.0, 260.0)])
    cars.found(0.0, stamp(0.0), [sight(), sight(shape=moved(400))])
    assert cars.dropped == 1
    assert len(cars.end()) == 1


@pytest.mark.parametrize(
    ("vehicle", "time_s", "kept"),
    [
        (RED, 3.0, 0),
        (RED_SUZUKI, 3.0, 1),  # its type is not known
        (BLUE, 3.0, 1),
        (FIAT, 3.0, 1),  # it may be
        (Vehicle("car", "suv", type_confidence=0.9), 3.0, 1),  # many are
        (RED, 60.0, 0),
        (RED, 2.0 - 12.6, 1),  # seen long before this one came
    ],
)
def test_a_described_car_of_a_plate_takes_those_that_look_so(vehicle: Vehicle, time_s: float, kept: int) -> None:
    cars = Cars(EVERY_S)
    look(cars, 2.0, sight(RED))
    cars.described(vehicle, time_s)
    assert (len(cars.end()), cars.dropped) == (kept, 1 - kept)


def test_no_more_than_so_many_are_followed_and_the_others_are_kept_early() -> None:
    cars = Cars(EVERY_S)
    row = [(400.0 * n, 100.0, 100.0, 100.0) for n in range(2 * MOST_OPEN)]
    assert look(cars, 0.0, *(sight(shape=shape) for shape in row[:MOST_OPEN])) == []
    early = look(cars, 1.0, *(sight(shape=shape) for shape in row[MOST_OPEN:]))
    assert [car.first for car in early] == [stamp(0.0)] * MOST_OPEN
    assert cars.count == MOST_OPEN
    assert len(cars.end()) == MOST_OPEN


places = st.tuples(st.sampled_from([0.0, 90.0, 300.0, 700.0]), st.sampled_from([0.0, 40.0]))
seen = st.builds(
    lambda at, vehicle, quality, plated: sight(vehicle, moved(*at), quality, plated=plated, name=f"{quality}"),
    places,
    st.sampled_from([RED, BLUE, SUZUKI, FIAT, RED_SUZUKI]),
    st.floats(0.1, 9.0),
    st.booleans(),
)
steps = st.one_of(
    st.tuples(st.just("look"), st.lists(seen, max_size=5)),
    st.tuples(st.just("ask"), st.none()),
    st.tuples(st.just("fail"), st.none()),
    st.tuples(st.just("plates"), st.lists(places, max_size=3)),
    st.tuples(st.just("described"), st.sampled_from([RED, BLUE, SUZUKI])),
)


@given(st.lists(st.tuples(st.floats(0.0, 8.0), steps), max_size=40))
def test_whatever_is_seen_each_car_is_kept_once_or_dropped(events: list[tuple[float, tuple[str, object]]]) -> None:
    cars, now_s, kept, shown = Cars(EVERY_S), 0.0, list[PlatelessCar[str]](), 0
    for wait_s, (what, given_) in events:
        now_s += wait_s
        match what, given_:
            case "look", list(sights):
                cars.asked(now_s)
                cars.found(now_s, stamp(now_s), sights)
                shown += sum(not s.plated for s in sights)
            case "ask", _:
                cars.asked(now_s)
            case "fail", _:
                cars.failed()
            case "plates", list(at):
                cars.plates([(HERE[0] + x, HERE[1] + y) for x, y in at])
            case "described", Vehicle() as vehicle:
                cars.described(vehicle, now_s)
        kept += cars.passed(now_s)
        assert cars.count <= MOST_OPEN
        assert len(kept) + cars.dropped <= shown
    kept += cars.end()
    assert cars.count == 0
    assert [car.number for car in kept] == list(range(1, len(kept) + 1))
    for car in kept:
        assert car.vehicle.known
        assert not car.last.before(car.first)
        assert stamp(0.0).utc <= car.first.utc <= car.last.utc <= stamp(now_s).utc


@given(st.lists(st.tuples(st.floats(0.1, 12.4), st.floats(-60.0, 60.0), st.floats(0.1, 9.0)), min_size=1, max_size=20))
def test_a_car_that_stays_in_sight_is_one_however_often_it_is_looked_at(
    looks: list[tuple[float, float, float]],
) -> None:
    cars, now_s, x = Cars(EVERY_S), 0.0, 0.0
    for wait_s, step, quality in looks:
        now_s, x = now_s + wait_s, x + step
        assert look(cars, now_s, sight(RED, moved(x), quality, name=f"{quality}")) == []
    (car,) = cars.end()
    assert car.picture == f"{max(quality for _, _, quality in looks)}"
    assert car.last == stamp(now_s)
