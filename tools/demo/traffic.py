"""Who drives where: our own speed, the cars around us, and the plates they carry."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from tools.demo.bodies import BODIES, Body
from tools.demo.canvas import Colour
from tools.demo.plates import FORMATS, Format, Plate, make_plate
from tools.demo.rear_skin import Look
from tools.demo.road import LANE_M, ONCOMING_X_M
from tools.demo.vehicles import Pose, Vehicle, build_vehicle

PAINTS: tuple[Colour, ...] = (
    (0.30, 0.20, 0.14),
    (0.72, 0.73, 0.73),
    (0.055, 0.052, 0.05),
    (0.075, 0.06, 0.40),
    (0.46, 0.46, 0.45),
    (0.20, 0.20, 0.19),
    (0.42, 0.26, 0.10),
    (0.16, 0.24, 0.16),
    (0.52, 0.56, 0.60),
    (0.06, 0.10, 0.22),
)
LEAD_PERIOD_S = 7.0
_NEAREST_M = (6.4, 4.35, 5.3)
_OVERTAKING_MPS, _OVERTAKEN_MPS = 4.6, 4.2
ONCOMING_MPS = 15.0


@dataclass(frozen=True, slots=True, eq=False)
class Car:
    """One car of the drive: which kind, which plate, and its part in it."""

    vehicle: Vehicle
    role: str  # "lead", "left", "right", "oncoming"
    start_s: float  # when it is beside us; for a lead, when it is nearest
    nearest_m: float = 0.0
    x_m: float = 0.0


def own_speed_mps(time_s: float) -> float:
    """Our speed: about 50 km/h, slower whenever the car ahead is close."""
    speed = 14.5 + 1.2 * np.sin(time_s / 3.1)
    for number in range(int(time_s // LEAD_PERIOD_S) + 2):
        speed -= 4.5 * np.exp(-(((time_s - _lead_near_s(number)) / 1.7) ** 2))
    return float(speed)


def _lead_near_s(number: int) -> float:
    return 1.6 + LEAD_PERIOD_S * number


class Traffic:
    """All cars of a drive of ``seconds``; their looks and plates follow the seed."""

    def __init__(self, rng: np.random.Generator, seconds: float) -> None:
        self._rng = rng
        self._shells: dict[tuple[str, int, float, bool], Vehicle] = {}
        self._texts: set[str] = set()
        self.cars: list[Car] = []
        leads = int((seconds + 6) // LEAD_PERIOD_S) + 1
        for number in range(leads):
            body = BODIES[(1, 0, 2, 3)[number % 4]]
            style = FORMATS[(0, 2, 8, 3, 5, 10)[number % 6]]
            self._add("lead", _lead_near_s(number), body, style, _NEAREST_M[number % 3])
        for role, gap in (("left", 3.1), ("right", 3.3)):
            start = -16.0 if role == "left" else 0.8
            end = seconds + (0.5 if role == "left" else 16.0)
            while start < end:
                if role == "left" or self._room_beside_leads(start, leads):
                    self._add(role, start, self._body(), self._style(), 0.0)
                start += gap + float(rng.uniform(-0.5, 0.9))
        start = -6.0
        while start < seconds + 8:
            car = self._add("oncoming", start, self._body(), FORMATS[0], 0.0)
            self.cars[-1] = Car(car.vehicle, car.role, car.start_s, 0.0, ONCOMING_X_M[int(rng.random() < 0.4)])
            start += float(rng.uniform(1.1, 3.0))

    def _room_beside_leads(self, start_s: float, leads: int) -> bool:
        """Whether a car in the right lane stays clear of the place where leads pull over."""
        for number in range(leads):
            away = _lead_leaves_s(number)
            lead_z = _NEAREST_M[number % 3]
            z = -_OVERTAKEN_MPS * (away + 1.2 - start_s)
            if abs(z - lead_z - 1) < 13:
                return False
        return True

    def _body(self) -> Body:
        return BODIES[int(self._rng.choice(5, p=[0.28, 0.2, 0.22, 0.18, 0.12]))]

    def _style(self) -> Format:
        weights = np.array([0.5 if "/" in f.pattern else 1.2 if f.band else 0.8 for f in FORMATS])
        return FORMATS[int(self._rng.choice(len(FORMATS), p=weights / weights.sum()))]

    def _add(self, role: str, start_s: float, body: Body, style: Format, nearest_m: float) -> Car:
        plate = make_plate(self._rng, style)
        while plate.text in self._texts:
            plate = make_plate(self._rng, style)
        self._texts.add(plate.text)
        vehicle = self._dress(body, plate, role == "oncoming")
        car = Car(vehicle, role, start_s, nearest_m)
        self.cars.append(car)
        return car

    def _dress(self, body: Body, plate: Plate, oncoming: bool) -> Vehicle:
        """A car with this plate; shells are painted once per body, paint and shape of plate."""
        paint = (int(self._rng.integers(4)) * 3 + BODIES.index(body) * 2 + 1) % len(PAINTS)
        key = (body.name, paint, plate.height_m, oncoming)
        shell = self._shells.get(key)
        if shell is None:
            look = Look(PAINTS[paint], paint % 3, paint % 4 == 1, paint % 2 == 0, paint != 4)
            shell = self._shells[key] = build_vehicle(body, look, plate, oncoming, self._rng)
        return Vehicle(shell.body, shell.look, plate, oncoming, shell.end, shell.flank, shell.detail)

    def poses(self, time_s: float) -> list[tuple[int, Car, Pose]]:
        """The cars in sight at ``time_s`` with their number and place, the farthest first."""
        placed = [
            (number, car, pose) for number, car in enumerate(self.cars) if (pose := _pose(car, time_s)) is not None
        ]
        return sorted(placed, key=lambda entry: -entry[2].z_m)


def _lead_leaves_s(number: int) -> float:
    return _lead_near_s(number) + 1.3


def _ease(share: float) -> float:
    share = min(max(share, 0.0), 1.0)
    return share * share * (3 - 2 * share)


def _pose(car: Car, time_s: float) -> Pose | None:
    since = time_s - car.start_s
    if car.role == "oncoming":
        z = -(ONCOMING_MPS + 14.0) * since
        return Pose(car.x_m, z) if 1.0 < z < 240 else None
    sway = 0.12 * float(np.sin(time_s * 0.5 + car.start_s))
    if car.role == "left":
        z = 1.0 + _OVERTAKING_MPS * since
        return Pose(-LANE_M + sway, z) if 1.0 < z < 230 else None
    if car.role == "right":
        z = 1.0 - _OVERTAKEN_MPS * since
        return Pose(LANE_M + sway, z, 0.0) if 1.0 < z < 230 else None
    z = car.nearest_m + 38 * (1 - _ease((since + 5.2) / 4.8)) + 2.2 * max(0.0, -since - 5.2)
    x, brake = sway * 0.6, _ease((since + 2.6) / 0.3) * (1 - _ease((since - 0.5) / 0.3))
    away = since - 1.3
    if away > 0:
        x += (LANE_M - 0.1) * _ease(away / 2.0)
        slow = max(0.0, away - 0.6)
        z -= _OVERTAKEN_MPS * (slow - 0.9 * (1 - np.exp(-slow / 0.9)))
    return Pose(x, float(z), brake) if 1.0 < z < 230 else None
