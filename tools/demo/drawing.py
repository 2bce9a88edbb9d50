"""Smooth polygons and scaled sprites on the float canvas."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from tools.demo.canvas import Bytes, Colour, Floats, blend_sprite, f32


def fill_polygon(
    canvas: Floats, points: Floats, colour: Colour | Floats, strength: float = 1.0, soft_px: float = 0.0
) -> None:
    """Fills a convex or concave polygon (n, 2) with smooth edges, optionally blurred by ``soft_px``."""
    height, width = canvas.shape[:2]
    room = int(np.ceil(soft_px * 2.5)) + 2
    x0 = max(int(np.floor(points[:, 0].min())) - room, 0)
    y0 = max(int(np.floor(points[:, 1].min())) - room, 0)
    x1 = min(int(np.ceil(points[:, 0].max())) + room, width)
    y1 = min(int(np.ceil(points[:, 1].max())) + room, height)
    if x1 <= x0 or y1 <= y0:
        return
    mask = np.zeros((y1 - y0, x1 - x0), np.uint8)
    local = np.clip(points - f32([x0, y0]), -20000, 20000)
    cv2.fillPoly(mask, [np.round(local * 16).astype(np.int32)], 255, cv2.LINE_AA, 4)
    weight = f32(mask) * np.float32(strength / 255)
    if soft_px > 0.3:
        weight = f32(cv2.GaussianBlur(weight, (0, 0), soft_px))
    region = canvas[y0:y1, x0:x1]
    region += (f32(colour) - region) * weight[..., None]


def darken_polygon(canvas: Floats, points: Floats, factor: float, soft_px: float) -> None:
    """Multiplies a polygon's inside by ``factor`` with a soft edge: a shadow."""
    height, width = canvas.shape[:2]
    soft_px = min(soft_px, 40.0)
    room = int(np.ceil(soft_px * 2.5)) + 2
    x0 = max(int(np.floor(points[:, 0].min())) - room, 0)
    y0 = max(int(np.floor(points[:, 1].min())) - room, 0)
    x1 = min(int(np.ceil(points[:, 0].max())) + room, width)
    y1 = min(int(np.ceil(points[:, 1].max())) + room, height)
    if x1 <= x0 or y1 <= y0:
        return
    less = 4 if soft_px > 6 else 1  # a soft shadow needs no fine mask
    shape = -(-(y1 - y0) // less), -(-(x1 - x0) // less)
    mask = np.zeros(shape, np.uint8)
    local = np.clip((points - f32([x0, y0])) / less, -20000, 20000)
    cv2.fillPoly(mask, [np.round(local * 16).astype(np.int32)], 255, cv2.LINE_AA, 4)
    if soft_px > 0.4:
        mask = np.asarray(cv2.GaussianBlur(mask, (0, 0), soft_px / less), dtype=np.uint8)
    weight = 1 + f32(mask) * np.float32((factor - 1) / 255)
    if less > 1:
        weight = f32(cv2.resize(weight, (shape[1] * less, shape[0] * less), interpolation=cv2.INTER_LINEAR))[
            : y1 - y0, : x1 - x0
        ]
    region = canvas[y0:y1, x0:x1]
    cv2.multiply(region, cv2.merge((weight, weight, weight)), dst=region)


@dataclass(frozen=True, slots=True, eq=False)
class Sprite:
    """A flat thing that stands on the road's level: mip levels (uint8 BGRA) and its height in metres."""

    levels: list[Bytes]
    height_m: float

    @property
    def width_m(self) -> float:
        """How wide it is in metres."""
        height, width = self.levels[0].shape[:2]
        return float(self.height_m * width / height)


def draw_sprite(
    canvas: Floats,
    sprite: Sprite,
    foot: Sequence[float] | NDArray[np.floating],
    px_per_m: float,
    light: Floats | Colour,
    haze: Colour | Floats,
    haze_share: float,
    mirrored: bool = False,
    smear_px: float = 0.0,
) -> None:
    """Draws a sprite whose foot's middle is at pixel ``foot``; ``smear_px`` blurs it sideways."""
    height_px, width_px = sprite.height_m * px_per_m, sprite.width_m * px_per_m
    if width_px < 1 or height_px < 2 or foot[0] + width_px < 0 or foot[0] - width_px > canvas.shape[1]:
        return
    level = int(np.clip(np.floor(np.log2(max(sprite.levels[0].shape[0] / height_px, 1))), 0, len(sprite.levels) - 1))
    texture = sprite.levels[level]
    left, top = foot[0] - width_px / 2, foot[1] - height_px
    x0, y0 = max(int(np.floor(left)) - 1, 0), max(int(np.floor(top)) - 1, 0)
    x1 = min(int(np.ceil(left + width_px)) + 1, canvas.shape[1])
    y1 = min(int(np.ceil(foot[1])) + 1, canvas.shape[0])
    if x1 <= x0 or y1 <= y0:
        return
    sx, sy = width_px / texture.shape[1], height_px / texture.shape[0]
    start = left - x0
    matrix = np.array([[-sx, 0, start + width_px] if mirrored else [sx, 0, start], [0, sy, top - y0]])
    drawn = cv2.warpAffine(texture, matrix, (x1 - x0, y1 - y0), flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_CONSTANT)
    if smear_px > 1.5:
        drawn = cv2.blur(drawn, (min(int(smear_px), 31), 1))
    # The levels hold colours weighted by their coverage, so that scaling never bleeds black edges in.
    lit = f32(light) * np.float32((1 - haze_share) / 255)
    air = f32(haze) * np.float32(haze_share / 255)
    picture = cv2.transform(f32(drawn), f32([[lit[0], 0, 0, air[0]], [0, lit[1], 0, air[1]], [0, 0, lit[2], air[2]]]))
    blend_sprite(canvas, f32(picture), f32(drawn[..., 3]) * np.float32(1 / 255), x0, y0)
