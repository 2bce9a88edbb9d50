"""Daylight on surfaces: sun, sky, what gloss mirrors, and the air between the camera and things."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

from tools.demo.canvas import Colour, Floats, f32, fractal_noise

SUN_DIRECTION = f32(np.array([-0.55, 0.62, -0.56]) / np.linalg.norm([-0.55, 0.62, -0.56]))
SUN_COLOUR: Colour = (0.74, 0.90, 1.0)
SKY_COLOUR: Colour = (1.0, 0.92, 0.84)
HAZE: Colour = (0.86, 0.82, 0.78)


@dataclass(frozen=True, slots=True, eq=False)
class Light:
    """The light at one place and moment: ``sun`` and ``ambient`` as factors, ``lamps`` how much lamps stand out."""

    sun: float
    ambient: float
    mirror: Floats
    lamps: float = 0.35
    haze: Colour = HAZE
    haze_m: float = 420.0

    def flat_light(self) -> Floats:
        """The light (BGR) that a plate on a car's rear gets."""
        facing = max(0.0, float(-SUN_DIRECTION[2]))
        return f32(SKY_COLOUR) * np.float32(self.ambient * 0.62) + f32(SUN_COLOUR) * np.float32(
            self.sun * facing * 0.72
        )

    def through_air(self, picture: Floats, distance_m: float) -> Floats:
        """The colours (h, w, 3) of a picture (h, w, 4), weighted by coverage, as they arrive through the haze."""
        share = 1 - float(np.exp(-max(distance_m, 0.0) / self.haze_m))
        mix = np.zeros((3, 4), np.float32)
        mix[:, :3] = np.eye(3) * (1 - share)
        mix[:, 3] = f32(self.haze) * np.float32(self.ambient * share)
        return f32(cv2.transform(picture, mix))


MIRROR_PX = 192


def mirrored_world(rng: np.random.Generator) -> Floats:
    """What gloss mirrors, (192, 192, 3): the mirrored direction's x runs to the right, its y from top to bottom.

    A line of sight that is mirrored straight back ends in the middle, on the horizon behind the camera.
    """
    size = MIRROR_PX
    rows = np.linspace(1, -1, size, dtype=np.float32)[:, None]
    sky = np.clip(rows, 0, 1) ** 0.6
    world = f32([0.90, 0.87, 0.84]) + (f32([0.66, 0.47, 0.33]) - f32([0.90, 0.87, 0.84])) * sky[..., None]
    world = f32(np.broadcast_to(world, (size, size, 3)).copy())
    clouds = np.clip(fractal_noise(rng, (size, size), 80, 4) * 2.4 - 0.9, 0, 1)
    world += (f32([1.0, 1.0, 1.0]) - world) * (clouds * np.clip(rows * 4, 0, 1) * 0.8)[..., None]
    trees = 0.04 + 0.13 * fractal_noise(rng, (1, size), 24, 3)
    below = np.clip((trees - rows) * 40, 0, 1)
    world += (f32([0.13, 0.17, 0.15]) - world) * below[..., None]
    ground = np.clip(-rows * 14, 0, 1)
    world += (f32([0.34, 0.34, 0.34]) - world) * ground[..., None]
    world = f32(cv2.GaussianBlur(world, (0, 0), 1.5))
    x, y = np.meshgrid(np.linspace(-1, 1, size), np.linspace(1, -1, size))
    apart = (x - SUN_DIRECTION[0]) ** 2 + (y - SUN_DIRECTION[1]) ** 2
    world += f32(np.exp(-apart / 0.006) * 3.0 + np.exp(-apart / 0.05) * 0.5)[..., None] * f32(SUN_COLOUR)
    return world


def vertex_light(normals: Floats, sight: Floats, light: Light) -> Floats:
    """How vertices (..., 3) are lit, (..., 6): light in BGR, strength of mirroring, mirror picture's x and y in px."""
    sunlit = np.clip(normals @ SUN_DIRECTION, 0, 1) * np.float32(light.sun * 0.8)
    skylit = (0.60 + 0.40 * normals[..., 1]) * np.float32(light.ambient * 0.72)
    along = normals @ sight
    mirrored = sight - 2 * along[..., None] * normals
    strength = 0.55 + 1.2 * (1 - np.clip(-along, 0, 1)) ** 4
    half = np.float32((MIRROR_PX - 1) / 2)
    lit = sunlit[..., None] * f32(SUN_COLOUR) + skylit[..., None] * f32(SKY_COLOUR)
    mirror = ((mirrored[..., 0] + 1) * half, (1 - mirrored[..., 1]) * half)
    return f32(np.concatenate((lit, np.stack((strength, *mirror), axis=-1)), axis=-1))
