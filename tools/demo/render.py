"""Renders the drive: one frame after the other, and the truth beside them."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from tools.demo.backdrop import Backdrop
from tools.demo.camera import Camera, View
from tools.demo.canvas import Bytes, Floats, f32
from tools.demo.drawing import darken_polygon
from tools.demo.film import Film, exposure
from tools.demo.lighting import Light, mirrored_world
from tools.demo.road import Road
from tools.demo.roadside import Roadside
from tools.demo.route import RoutePoint, route
from tools.demo.traffic import Car, Traffic, own_speed_mps
from tools.demo.truth import Box, DriveTruth, PlateTruth
from tools.demo.vehicles import Pose, draw_vehicle

SMALLEST_PLATE_PX = 8.0
SEEN_SHARE = 0.8


@dataclass(frozen=True, slots=True)
class DriveSettings:
    """What to render: length, frame rate, frame size in pixels and the seed of everything random."""

    seconds: float = 20.0
    frame_rate_hz: float = 30.0
    width_px: int = 1280
    height_px: int = 720
    seed: int = 7

    @property
    def frames(self) -> int:
        """How many frames that makes."""
        return max(1, round(self.seconds * self.frame_rate_hz))


class Drive:
    """A drive to be rendered once: iterate over :meth:`frames`, then ask for :meth:`truth` and :meth:`route`."""

    def __init__(self, settings: DriveSettings) -> None:
        self.settings = settings
        # Each part has a random stream of its own, so that a change to one leaves the others as they are.
        streams = np.random.SeedSequence(settings.seed).spawn(6)
        scene, plants, sky, cars, lens, bends = (np.random.default_rng(s) for s in streams)
        self._camera = Camera.for_frame(settings.width_px, settings.height_px)
        self._times = np.arange(settings.frames) / settings.frame_rate_hz
        self._speeds = np.array([own_speed_mps(float(t)) for t in self._times])
        self._travelled = np.concatenate(([0.0], np.cumsum(self._speeds[:-1]))) / settings.frame_rate_hz
        phases = bends.uniform(0, 2 * np.pi, 2)
        self._curvatures = 0.0016 * np.sin(self._travelled / 74 + phases[0]) + 0.0009 * np.sin(
            self._travelled / 31 + phases[1]
        )
        self._headings = np.cumsum(self._curvatures * self._speeds) / settings.frame_rate_hz
        self._roadside = Roadside(plants, float(self._travelled[-1]))
        self._road = Road(self._camera, scene, self._roadside.daylight)
        self._backdrop = Backdrop(self._camera, sky)
        self._traffic = Traffic(cars, settings.seconds)
        self._mirror = mirrored_world(sky)
        self._film = Film(lens, settings.width_px, settings.height_px)
        self._gains = exposure(self._brightness(), 1 / settings.frame_rate_hz)
        self._boxes: dict[int, dict[int, Box]] = {}

    def frames(self, workers: int = 1) -> Iterator[Bytes]:
        """The frames in order, uint8 (height, width, 3) BGR, painted by ``workers`` threads."""
        with ThreadPoolExecutor(workers) as pool:
            waiting: deque[Future[tuple[Bytes, dict[int, Box]]]] = deque()
            upcoming = iter(range(self.settings.frames))
            for number in range(self.settings.frames):
                while len(waiting) < workers + 1 and (following := next(upcoming, None)) is not None:
                    waiting.append(pool.submit(self._frame, following))
                picture, boxes = waiting.popleft().result()
                for car, box in boxes.items():
                    self._boxes.setdefault(car, {})[number] = box
                yield picture

    def route(self) -> list[RoutePoint]:
        """The positions once a second, from the start to the end of the drive."""
        whole = np.arange(0, self.settings.seconds + 1e-9, 1.0)
        fine = np.arange(0, self.settings.seconds + 0.05, 0.1)
        speeds = np.interp(fine, self._times, self._speeds)
        headings = np.interp(fine, self._times, self._headings)
        points = route(list(fine), list(speeds), list(headings))
        return [points[round(t * 10)] for t in whole]

    def truth(self) -> DriveTruth:
        """Every plate that was to be seen in the frames rendered so far."""
        cars = self._traffic.cars
        plates = [
            PlateTruth(cars[n].vehicle.plate.text, cars[n].vehicle.plate.country, boxes)
            for n, boxes in sorted(self._boxes.items(), key=lambda item: (min(item[1]), item[0]))
        ]
        s = self.settings
        return DriveTruth(s.frames, s.frame_rate_hz, s.width_px, s.height_px, s.seed, tuple(plates))

    def _view(self, number: int) -> View:
        time = float(self._times[number])
        return View(
            self._camera,
            time,
            float(self._travelled[number]),
            0.18 * float(np.sin(time / 2.3)),
            float(self._curvatures[number]),
            float(self._headings[number]),
            float(self._speeds[number]),
            1 / self.settings.frame_rate_hz,
        )

    def _brightness(self) -> Floats:
        """How bright the scene is at each frame, about 1: what light falls on the road up to 50 m ahead."""
        ahead = self._travelled[:, None] + np.linspace(0, 50, 26)[None, :]
        sun, ambient = self._roadside.daylight(f32(ahead))
        return f32(0.35 + 0.35 * sun.mean(axis=1) + 0.30 * ambient[:, :6].mean(axis=1))

    def _light(self, along_m: float) -> Light:
        sun, ambient = self._roadside.daylight(along_m)
        return Light(float(sun), float(ambient), self._mirror, lamps=0.30 + 0.6 * (1 - float(ambient)))

    def _frame(self, number: int) -> tuple[Bytes, dict[int, Box]]:
        view = self._view(number)
        canvas = np.empty((self._camera.height_px, self._camera.width_px, 3), np.float32)
        self._backdrop.paint(canvas, view)
        self._road.paint(canvas, view)
        owner = np.full(canvas.shape[:2], 255, np.uint8)
        plates: dict[int, Floats] = {}
        items = self._roadside.drawables(view, self._light)
        slots: list[int] = []  # the car's number by its slot in the owner map
        for car_number, car, pose in self._traffic.poses(view.time_s):
            light = self._light(view.travelled_m + pose.z_m + 1.0)
            slots.append(car_number)
            slot = len(slots) - 1

            def draw(canvas: Floats, slot: int = slot, car: Car = car, pose: Pose = pose, light: Light = light) -> None:
                _shadow(canvas, car, pose, view, light)
                corners = draw_vehicle(canvas, owner, slot, car.vehicle, pose, view, light)
                if corners is not None:
                    plates[slot] = corners

            items.append((pose.z_m, draw))
        for _, paint in sorted(items, key=lambda item: -item[0]):
            paint(canvas)
        matrix = self._film.shake.at(view.time_s, self.settings.width_px, view.speed_mps)
        boxes: dict[int, Box] = {}
        for slot, corners in plates.items():
            box = self._seen(owner, slot, corners, matrix)
            if box is not None:
                boxes[slots[slot]] = box
        ambient = self._light(view.travelled_m + 2.0).ambient
        return self._film.develop(number, canvas, matrix, ambient, float(self._gains[number])), boxes

    def _seen(self, owner: NDArray[np.uint8], slot: int, corners: Floats, matrix: NDArray[np.float64]) -> Box | None:
        """The plate's box in the frame, or None when it is too small, cut off or mostly hidden."""
        x0, y0 = np.floor(corners.min(axis=0)).astype(int)
        x1, y1 = np.ceil(corners.max(axis=0)).astype(int)
        patch = owner[max(y0, 0) : max(y1, 0), max(x0, 0) : max(x1, 0)]
        if patch.size == 0 or float((patch == slot).mean()) < SEEN_SHARE:
            return None
        placed = corners @ f32(matrix[:, :2]).T + f32(matrix[:, 2])
        low, high = placed.min(axis=0), placed.max(axis=0)
        size = high - low
        bonnet = self.settings.height_px * 0.93
        limit = f32([self.settings.width_px, bonnet])
        inside_low, inside_high = np.maximum(low, 0), np.minimum(high, limit)
        inside = np.maximum(inside_high - inside_low, 0)
        if size[0] < SMALLEST_PLATE_PX or float(inside.prod()) < SEEN_SHARE * float(size.prod()):
            return None
        return float(inside_low[0]), float(inside_low[1]), float(inside_high[0]), float(inside_high[1])


def _shadow(canvas: Floats, car: Car, pose: Pose, view: View, light: Light) -> None:
    """The dark under a car and the shadow that the sun, behind us to the left, throws to its right."""
    half, length = car.vehicle.body.half_width[3][1], car.vehicle.body.length_m
    softness = view.camera.focal_px / max(pose.z_m, 1.5)
    if light.sun > 0.2 and pose.z_m < 90:
        reach = car.vehicle.body.height_m * 0.75
        points = f32(
            [
                (pose.x_m - half + 0.1, 0, pose.z_m + 0.1),
                (pose.x_m + half, 0, pose.z_m + 0.1),
                (pose.x_m + half + reach, 0, pose.z_m + 0.9),
                (pose.x_m + half + reach, 0, pose.z_m + length + 0.7),
                (pose.x_m + half, 0, pose.z_m + length + 0.8),
            ]
        )
        darken_polygon(canvas, view.project(points), 1 - 0.52 * light.sun, 0.07 * softness)
    under = f32(
        [
            (pose.x_m - half + 0.05, 0, pose.z_m - 0.05),
            (pose.x_m + half - 0.05, 0, pose.z_m - 0.05),
            (pose.x_m + half - 0.05, 0, pose.z_m + length),
            (pose.x_m - half + 0.05, 0, pose.z_m + length),
        ]
    )
    darken_polygon(canvas, view.project(under), 0.30, 0.06 * softness)
