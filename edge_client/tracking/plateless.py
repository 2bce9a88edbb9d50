"""Follows cars that show no plate from look to look, so that each is kept once, and lets those go whose plate appears.

A look is a whole frame of which all vehicles were told. Seconds pass between two of them: a car is known again by its
place and by its looks. Pure state, driven from one thread; times are media seconds, shapes are in pixels of the frame.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar

from edge_client.tracking.assignment import cheapest_pairs
from edge_client.tracking.motion import PLATE_SLACK, Shape, holds, jump, overlap, size_ratio
from edge_client.types import Stamp, Vehicle

T = TypeVar("T")

MOST_OPEN = 32
_ENOUGH_OVERLAP = 0.3
_FARTHEST = 1.0  # widths between the centres of one car in two looks
_LARGEST_RATIO = 3.0
_MOST_MISSED = 2  # looks
_PATIENCE = 2.5  # times `look_around_s`
_MOST_NOTED = 256


@dataclass(frozen=True, slots=True)
class Sight(Generic[T]):
    """A vehicle in a look; ``picture`` is called where none shows its car better, by ``quality``.

    A ``plated`` one holds a plate: it is followed for not being taken for a car without one later.
    """

    shape: Shape
    vehicle: Vehicle
    quality: float
    picture: Callable[[], T]
    plated: bool = False


@dataclass(frozen=True, slots=True)
class PlatelessCar(Generic[T]):
    """A car that has passed without a plate: when it was seen, what it looks like, and the best picture of it."""

    number: int
    vehicle: Vehicle
    first: Stamp
    last: Stamp
    picture: T


@dataclass(slots=True, eq=False)
class _Car(Generic[T]):
    shape: Shape
    vehicle: Vehicle
    first: Stamp
    last: Stamp
    first_s: float
    last_s: float
    plated: bool
    quality: float = 0.0
    picture: T | None = None
    missed: int = 0


class PlatelessCars(Generic[T]):
    """The cars of one drive that were seen lately. One look is asked for at a time."""

    def __init__(self, look_around_s: float) -> None:
        self._patience_s = _PATIENCE * look_around_s
        self._cars: list[_Car[T]] = []
        self._passed: list[PlatelessCar[T]] = []
        self._made = 0
        self._asked_s: float | None = None
        self._noted: deque[tuple[float, float]] = deque(maxlen=_MOST_NOTED)  # plates since then
        self.dropped = 0
        """Cars without a plate that turned out to have one."""

    @property
    def count(self) -> int:
        """Cars that are followed, those with a plate too: at most `MOST_OPEN`."""
        return len(self._cars)

    def plates(self, places: Sequence[tuple[float, float]]) -> None:
        """The plates of a frame, by their centres: a car that holds one of them has it."""
        if self._asked_s is not None:
            self._noted.extend(places)
        self._give_plates(self._cars, places)

    def described(self, vehicle: Vehicle, time_s: float) -> None:
        """The car of a plate looked like this at that time: a car without one that looks so, too, is taken for it."""
        taken = [
            car
            for car in self._cars
            if not car.plated and car.first_s <= time_s + self._patience_s and car.vehicle.agrees(vehicle)
        ]
        self.dropped += len(taken)
        self._remove(taken)

    def asked(self, time_s: float) -> None:
        """A look at the frame of this time was asked for; `found` or `failed` follows."""
        self._asked_s = time_s
        self._noted.clear()

    def failed(self) -> None:
        """No answer came: nothing is known of what was there."""
        self._asked_s = None

    def found(self, time_s: float, stamp: Stamp, sights: Sequence[Sight[T]]) -> None:
        """The answer to the look at the frame of this time: its vehicles whose looks or plates are known."""
        self._asked_s = None
        self._pass_those_before(time_s)
        best = sorted(sights, key=lambda s: s.quality, reverse=True)[:MOST_OPEN]
        known = list(self._cars)
        costs = {
            (row, column): cost
            for row, sight in enumerate(best)
            for column, car in enumerate(known)
            if (cost := _cost(sight, car)) is not None
        }
        pairs = cheapest_pairs(len(best), len(known), costs)
        for car in known:
            car.missed += 1
        seen = [
            self._again(known[pairs[row]], sight) if row in pairs else self._new(sight, stamp, time_s)
            for row, sight in enumerate(best)
        ]
        for car in seen:
            car.last, car.last_s, car.missed = stamp, time_s, 0
        self._give_plates(seen, self._noted)
        self._pass([car for car in self._cars if car.missed >= _MOST_MISSED])
        by_age = sorted(self._cars, key=lambda car: car.last_s)
        self._pass(by_age[: max(len(by_age) - MOST_OPEN, 0)])

    def passed(self, now_s: float) -> list[PlatelessCar[T]]:
        """The cars that have passed since the last call, without those that have a plate.

        No time passes beyond a look whose answer is still to come.
        """
        self._pass_those_before(now_s if self._asked_s is None else min(now_s, self._asked_s))
        passed, self._passed = self._passed, []
        return passed

    def end(self) -> list[PlatelessCar[T]]:
        """The drive is over: all cars have passed."""
        self._pass(self._cars)
        passed, self._passed = self._passed, []
        return passed

    def _new(self, sight: Sight[T], stamp: Stamp, time_s: float) -> _Car[T]:
        car: _Car[T] = _Car(sight.shape, sight.vehicle, stamp, stamp, time_s, time_s, sight.plated)
        _look_at(car, sight)
        self._cars.append(car)
        return car

    def _again(self, car: _Car[T], sight: Sight[T]) -> _Car[T]:
        car.shape = sight.shape
        car.vehicle = sight.vehicle.merged(car.vehicle)
        if sight.plated:
            self._give_plate(car)
        _look_at(car, sight)
        return car

    def _give_plates(self, cars: Iterable[_Car[T]], places: Iterable[tuple[float, float]]) -> None:
        at = tuple(places)
        for car in cars:
            if any(holds(car.shape, *place, PLATE_SLACK) for place in at):
                self._give_plate(car)

    def _give_plate(self, car: _Car[T]) -> None:
        self.dropped += not car.plated
        car.plated, car.picture = True, None

    def _pass_those_before(self, now_s: float) -> None:
        self._pass([car for car in self._cars if now_s - car.last_s > self._patience_s])

    def _pass(self, cars: Sequence[_Car[T]]) -> None:
        for car in cars:
            if car.picture is not None:
                self._made += 1
                self._passed.append(PlatelessCar(self._made, car.vehicle, car.first, car.last, car.picture))
        self._remove(cars)

    def _remove(self, cars: Sequence[_Car[T]]) -> None:
        gone = set(map(id, cars))
        self._cars = [car for car in self._cars if id(car) not in gone]


def _cost(sight: Sight[T], car: _Car[T]) -> float | None:
    """How unlikely it is that a vehicle is a car seen before: by common parts, else by the way; None if it is not."""
    if sight.vehicle.contradicts(car.vehicle):
        return None
    common = overlap(sight.shape, car.shape)
    if common >= _ENOUGH_OVERLAP:
        return 1.0 - common
    far = jump(sight.shape, car.shape)
    return 1.0 + far if far <= _FARTHEST and size_ratio(sight.shape, car.shape) <= _LARGEST_RATIO else None


def _look_at(car: _Car[T], sight: Sight[T]) -> None:
    """Keep the picture if it is the best so far, and the car has no plate."""
    if not car.plated and (car.picture is None or sight.quality > car.quality):
        car.picture, car.quality = sight.picture(), sight.quality
