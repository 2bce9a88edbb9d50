"""What passes by: trees, lamps, signs, guard rails and bridges, by their place along the road."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from tools.demo.camera import View
from tools.demo.canvas import Floats, f32
from tools.demo.drawing import Sprite, draw_sprite, fill_polygon
from tools.demo.flora import bush, group, lamp_post, sign, tree
from tools.demo.lighting import HAZE, SKY_COLOUR, SUN_COLOUR, Light
from tools.demo.road import RAIL_LEFT_M, RAIL_RIGHT_M

SIGHT_M = 260.0
BRIDGE_LENGTH_M = 11.0
_LIGHT_STEP_M = 0.2
Drawable = tuple[float, Callable[[Floats], None]]
"""How far ahead (m), and what draws it."""


@dataclass(frozen=True, slots=True)
class _Standing:
    along_m: float
    x_m: float
    sprite: int
    mirrored: bool


class Roadside:
    """Everything beside and over the road for a way of ``length_m``."""

    def __init__(self, rng: np.random.Generator, length_m: float) -> None:
        greens = ((0.10, 0.36, 0.24), (0.12, 0.33, 0.29), (0.10, 0.29, 0.16), (0.13, 0.42, 0.36))
        self._sprites: list[Sprite] = [tree(rng, float(rng.uniform(7, 12)), greens[k]) for k in range(4)]
        self._sprites += [tree(rng, 14.0, greens[2], slim=0.4), bush(rng, 1.7, greens[0]), bush(rng, 2.2, greens[1])]
        grove = len(self._sprites)
        self._sprites += [group(rng, self._sprites[:5]) for _ in range(2)]
        lamp, signs = len(self._sprites), len(self._sprites) + 1
        self._sprites += [lamp_post(), sign(0), sign(1), sign(2)]
        self._things: list[_Standing] = []
        self.bridges_m = list(np.arange(95.0, length_m + 2 * SIGHT_M, 210.0) + rng.uniform(-20, 20))
        end = length_m + 1.5 * SIGHT_M
        for side in (-1, 1):
            place = -20.0
            while place < end:
                near = 11.0 if side > 0 else 19.5
                if not self._near_bridge(place, 14.0):
                    kind = int(rng.choice([0, 1, 2, 3, 4, 5, 6, 5], p=[0.13, 0.13, 0.13, 0.13, 0.08, 0.16, 0.14, 0.10]))
                    self._things.append(
                        _Standing(place, side * float(near + rng.gamma(1.6, 4.0)), kind, bool(rng.random() < 0.5))
                    )
                place += float(rng.gamma(2.0, 2.6))
            for far in np.arange(0, end, 15.0):  # a wood further away closes the view
                x = side * float(rng.uniform(38, 75))
                self._things.append(
                    _Standing(
                        float(far + rng.uniform(0, 12)), x, grove + int(rng.integers(0, 2)), bool(rng.random() < 0.5)
                    )
                )
        for place in np.arange(25.0, end, 36.0):
            if not self._near_bridge(place, 8.0):
                self._things.append(_Standing(float(place), 8.9, lamp, False))
                self._things.append(_Standing(float(place + 18), -17.6, lamp, True))
        for place in np.arange(60.0, end, 87.0):
            self._things.append(_Standing(float(place), 8.7, signs + int(rng.integers(0, 3)), False))
        self._things.sort(key=lambda t: t.along_m)
        self._along = np.array([t.along_m for t in self._things])
        self._sun, self._ambient = self._light_along(
            np.arange(-SIGHT_M, end + SIGHT_M, _LIGHT_STEP_M, dtype=np.float32)
        )

    def _near_bridge(self, place: float, room: float) -> bool:
        return any(b - room < place < b + BRIDGE_LENGTH_M + room for b in self.bridges_m)

    def daylight(self, along_m: Floats | float) -> tuple[Floats, Floats]:
        """Sun and sky (factors) on the road at these places: bridges shade it, thin clouds dim it."""
        place = np.clip((np.asarray(along_m) + SIGHT_M) / _LIGHT_STEP_M, 0, len(self._sun) - 1).astype(np.intp)
        return self._sun[place], self._ambient[place]

    def _light_along(self, along_m: Floats) -> tuple[Floats, Floats]:
        cloud = 0.86 + 0.14 * np.sin(along_m / 47.0) * np.sin(along_m / 131.0 + 1.0)
        sun, ambient = f32(cloud), np.ones_like(f32(along_m))
        for start in self.bridges_m:
            inside = np.clip((along_m - start - 1.0) / 1.2, 0, 1) * np.clip(
                (start + BRIDGE_LENGTH_M + 4.0 - along_m) / 1.2, 0, 1
            )
            roofed = np.clip((along_m - start + 5) / 9, 0, 1) * np.clip(
                (start + BRIDGE_LENGTH_M + 5 - along_m) / 9, 0, 1
            )
            sun = f32(sun * (1 - inside))
            ambient = f32(ambient * (1 - 0.52 * roofed))
        return sun, ambient

    def drawables(self, view: View, light_at: Callable[[float], Light]) -> list[Drawable]:
        """All that is in sight, each with its distance."""
        here = view.travelled_m
        first, last = np.searchsorted(self._along, (here + 1.5, here + SIGHT_M))
        found: list[Drawable] = [
            (thing.along_m - here, self._standing(thing, view, light_at(thing.along_m)))
            for thing in self._things[first:last]
        ]
        for start in self.bridges_m:
            if here - BRIDGE_LENGTH_M < start < here + SIGHT_M * 1.4:
                found.append((start - here + 0.5 * BRIDGE_LENGTH_M, self._bridge(start - here, view)))
        edges = (1.2, 2, 3, 4.5, 7, 10, 14, 19, 26, 36, 50, 70, 100, 150, 230)
        for near, far in pairwise(edges):
            for x in (RAIL_RIGHT_M, RAIL_LEFT_M):
                found.append((near, self._rail(x, near, far, view, light_at(here + near))))
        return found

    def _standing(self, thing: _Standing, view: View, light: Light) -> Callable[[Floats], None]:
        def draw(canvas: Floats) -> None:
            ahead = thing.along_m - view.travelled_m
            foot = view.project(f32([thing.x_m, 0.0, ahead]))
            scale = view.camera.focal_px / ahead
            # What is near and beside us crosses the frame while the shutter is open.
            smear = abs(thing.x_m) * scale / ahead * view.speed_mps * view.frame_s * 0.35
            lit = f32(SUN_COLOUR) * np.float32(light.sun * 0.6) + f32(SKY_COLOUR) * np.float32(light.ambient * 0.55)
            share = 1 - float(np.exp(-ahead / light.haze_m))
            draw_sprite(canvas, self._sprites[thing.sprite], foot, scale, lit, HAZE, share, thing.mirrored, smear)

        return draw

    @staticmethod
    def _rail(x: float, near: float, far: float, view: View, light: Light) -> Callable[[Floats], None]:
        def draw(canvas: Floats) -> None:
            bright = light.sun * 0.35 + light.ambient * 0.42
            share = 1 - float(np.exp(-near / light.haze_m))
            spacing = 4.0
            first = np.ceil((view.travelled_m + near) / spacing) * spacing - view.travelled_m
            if near < 45:
                for ahead in np.arange(first, far, spacing):
                    post = view.project(
                        f32([(x, 0, ahead), (x + 0.12, 0, ahead), (x + 0.12, 0.72, ahead), (x, 0.72, ahead)])
                    )
                    fill_polygon(canvas, post, f32([0.40, 0.40, 0.40]) * np.float32(bright))
            for low, high, tone in (
                (0.46, 0.55, 0.62),
                (0.55, 0.60, 0.42),
                (0.60, 0.66, 0.70),
                (0.66, 0.70, 0.45),
                (0.70, 0.77, 0.80),
            ):
                ends = np.linspace(near, far, 5)
                bottom = view.project(f32([(x, low, z) for z in ends]))
                top = view.project(f32([(x, high, z) for z in ends[::-1]]))
                colour = f32([tone, tone, tone * 0.98]) * np.float32(bright)
                colour += (f32(HAZE) - colour) * np.float32(share)
                fill_polygon(canvas, np.concatenate((bottom, top)), colour)

        return draw

    @staticmethod
    def _bridge(ahead: float, view: View) -> Callable[[Floats], None]:
        def quad(canvas: Floats, corners: list[tuple[float, float, float]], tone: float) -> None:
            points = f32(corners)
            distance = max(float(points[:, 2].min()), 0.8)
            colour = f32([tone * 0.97, tone, tone * 1.01])
            colour += (f32(HAZE) - colour) * np.float32(1 - np.exp(-distance / 420))
            fill_polygon(canvas, view.project(points), colour)

        def draw(canvas: Floats) -> None:
            near, far = max(ahead, 0.8), ahead + BRIDGE_LENGTH_M
            if far <= 1.0:
                return
            wide = 46.0
            quad(canvas, [(-wide, 5.4, near), (wide, 5.4, near), (wide, 5.4, far), (-wide, 5.4, far)], 0.16)
            for x in (-18.6, -6.9 - 0.4, 10.6):
                for z in (far - 1.2, near + 1.0) if ahead > -0.2 else (far - 1.2,):
                    if z < 1.0:
                        continue
                    inner = x if x > 0 else x + 0.8
                    quad(canvas, [(inner, 0, z), (inner, 0, z + 0.9), (inner, 5.4, z + 0.9), (inner, 5.4, z)], 0.26)
                    quad(canvas, [(x, 0, z), (x + 0.8, 0, z), (x + 0.8, 5.4, z), (x, 5.4, z)], 0.38)
            if ahead > 0.8:
                quad(canvas, [(-wide, 5.4, near), (wide, 5.4, near), (wide, 6.5, near), (-wide, 6.5, near)], 0.52)
                quad(canvas, [(-wide, 5.4, near), (wide, 5.4, near), (wide, 5.52, near), (-wide, 5.52, near)], 0.36)
                quad(canvas, [(-wide, 6.5, near), (wide, 6.5, near), (wide, 6.62, near), (-wide, 6.62, near)], 0.66)
                for x in np.arange(-wide, wide, 2.5):
                    quad(canvas, [(x, 6.62, near), (x + 0.07, 6.62, near), (x + 0.07, 7.5, near), (x, 7.5, near)], 0.5)
                quad(canvas, [(-wide, 7.42, near), (wide, 7.42, near), (wide, 7.5, near), (-wide, 7.5, near)], 0.55)

        return draw
