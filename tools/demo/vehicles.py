"""Cars ready to be drawn: meshes, skins and the plate, lit and laid onto the canvas."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from tools.demo.bodies import Body
from tools.demo.camera import View
from tools.demo.canvas import Colour, Floats, blend_sprite, f32
from tools.demo.lighting import Light
from tools.demo.meshes import Patch, end_patch, side_patch
from tools.demo.painting import chassis, paint_patch, paint_plate
from tools.demo.plates import Plate
from tools.demo.rear_skin import Look, paint_front, paint_rear
from tools.demo.skins import Skin, paint_flank

TAIL_GLOW: Colour = (0.10, 0.08, 0.9)
BRAKE_GLOW: Colour = (0.07, 0.05, 1.6)
HEAD_GLOW: Colour = (1.25, 1.35, 1.4)


@dataclass(frozen=True, slots=True, eq=False)
class Vehicle:
    """One car. ``oncoming`` cars show us their front. ``detail`` holds three meshes, the finest first."""

    body: Body
    look: Look
    plate: Plate
    oncoming: bool
    end: Skin
    flank: Skin
    detail: list[tuple[Patch, Patch, Patch]]  # end, left flank, right flank


@dataclass(frozen=True, slots=True)
class Pose:
    """Where a car is: its middle's x and the z of its nearest end in road metres, and its brake light 0..1."""

    x_m: float
    z_m: float
    brake: float = 0.0


def build_vehicle(body: Body, look: Look, plate: Plate, oncoming: bool, rng: np.random.Generator) -> Vehicle:
    """Paints a car; takes about half a second."""
    size = plate.width_m, plate.height_m
    end = paint_front(body, look, rng) if oncoming else paint_rear(body, look, size, rng)
    detail = [
        (
            end_patch(body, rows, columns, front=oncoming),
            side_patch(body, max(10, rows // 2), 10, right=False),
            side_patch(body, max(10, rows // 2), 10, right=True),
        )
        for rows, columns in ((40, 34), (24, 20), (14, 12))
    ]
    return Vehicle(body, look, plate, oncoming, end, paint_flank(body, look.paint, rng), detail)


def plate_corners(vehicle: Vehicle) -> Floats:
    """The plate's corners (4, 3) in the car's frame, clockwise from the top left as seen from outside."""
    body, plate = vehicle.body, vehicle.plate
    y = 0.45 if vehicle.oncoming else body.plate_y_m
    ys = f32([y + plate.height_m / 2, y - plate.height_m / 2])
    zs = body.depth_at(ys, vehicle.oncoming)
    level = float(min(zs)) + 0.004
    lean = float(zs[0] - zs[1]) * 0.5
    half = plate.width_m / 2
    return f32(
        [
            (-half, ys[0], level + max(lean, 0)),
            (half, ys[0], level + max(lean, 0)),
            (half, ys[1], level),
            (-half, ys[1], level),
        ]
    )


def draw_vehicle(
    canvas: Floats, owner: NDArray[np.uint8], number: int, vehicle: Vehicle, pose: Pose, view: View, light: Light
) -> Floats | None:
    """Draws the car into ``canvas`` and its number into ``owner`` where it covers; gives its plate's corners.

    The corners are canvas pixels (4, 2), clockwise from the top left; None when the car is out of sight.
    """
    body, camera = vehicle.body, view.camera
    across = body.half_width[3][1]
    nearest = max(pose.z_m, 0.6)
    corners = f32(
        [
            (pose.x_m + sx * (across + 0.25), y, z)
            for sx in (-1, 1)
            for y in (0.0, body.height_m + 0.05)
            for z in (nearest, pose.z_m + body.length_m)
        ]
    )
    spots = view.project(corners)
    x0, y0 = np.floor(spots.min(axis=0)).astype(int) - 2
    x1, y1 = np.ceil(spots.max(axis=0)).astype(int) + 3
    x0, y0 = max(int(x0), -40), max(int(y0), 0)
    x1, y1 = min(int(x1), camera.width_px + 40), min(int(y1), camera.height_px + 20)
    if pose.z_m < 0.9 or x1 - x0 < 4 or y1 - y0 < 4:
        return None
    width_px = camera.focal_px * 2 * across / pose.z_m
    fine = 2.0 if width_px < 170 else 1.5 if width_px < 330 else 1.0
    level = 0 if width_px > 200 else 1 if width_px > 70 else 2
    size = round((x1 - x0) * fine), round((y1 - y0) * fine)
    picture = np.zeros((size[1], size[0], 4), np.float32)
    origin = f32([x0, y0])

    def project(points: Floats) -> Floats:
        return f32((view.project(points + f32([pose.x_m, 0, pose.z_m])) - origin) * np.float32(fine))

    chassis(picture, body, project, light)
    end, left, right = vehicle.detail[level]
    sight = _sight(view, pose, body)
    beside = pose.x_m - view.lateral_m
    parts = [(end, vehicle.end)]
    if abs(beside) > across + 0.05:  # else no flank is to be seen
        parts.insert(0, (left if beside > 0 else right, vehicle.flank))
    glow = np.zeros((3, 3), np.float32)  # from gloss, brake lamp, tail lamp to light
    glow[:, 1] = 0.0 if vehicle.oncoming else f32(BRAKE_GLOW) * np.float32(pose.brake)
    glow[:, 2] = f32(HEAD_GLOW) if vehicle.oncoming else f32(TAIL_GLOW) * np.float32(light.lamps)
    scale = width_px * fine / (2 * across)
    for patch, skin in parts:
        paint_patch(picture, project(patch.points), patch, skin, sight, light, glow, scale)
    quad = project(plate_corners(vehicle))
    paint_plate(picture, vehicle.plate, quad, light, shaded=0.0 if vehicle.oncoming else 0.16)
    small = f32(cv2.resize(picture, (x1 - x0, y1 - y0), interpolation=cv2.INTER_AREA)) if fine != 1.0 else picture
    alpha = np.minimum(small[..., 3], np.float32(1))
    blend_sprite(canvas, light.through_air(small, pose.z_m), alpha, x0, y0)
    _own(owner, alpha, number, x0, y0)
    return f32(quad / np.float32(fine) + origin)


def _own(owner: NDArray[np.uint8], alpha: Floats, number: int, x0: int, y0: int) -> None:
    top, left = max(y0, 0), max(x0, 0)
    bottom, right = min(y0 + alpha.shape[0], owner.shape[0]), min(x0 + alpha.shape[1], owner.shape[1])
    if bottom > top and right > left:
        owner[top:bottom, left:right][alpha[top - y0 : bottom - y0, left - x0 : right - x0] > 0.5] = number


def _sight(view: View, pose: Pose, body: Body) -> Floats:
    line = f32([pose.x_m - view.lateral_m, body.height_m / 2 - view.camera.height_m, pose.z_m])
    return f32(line / np.linalg.norm(line))
