"""What stands beside the road, painted once: trees, bushes, lamp posts, signs."""

from __future__ import annotations

import cv2
import numpy as np

from tools.demo.canvas import Bytes, Colour, Floats, f32, pyramid, to_bytes
from tools.demo.drawing import Sprite


def _finish(colour: Floats, cover: Floats, height_m: float) -> Sprite:
    weighted = np.dstack((colour * cover[..., None], cover))
    levels: list[Bytes] = pyramid(to_bytes(f32(weighted)), 4)
    return Sprite(levels, height_m)


def tree(rng: np.random.Generator, height_m: float, tint: Colour, slim: float = 1.0) -> Sprite:
    """A broad-leaved tree (``slim`` 1) or a poplar (``slim`` 0.4): clumps of leaves, lit from the left above."""
    height, width = 420, round(340 * (0.35 + 0.65 * slim))
    colour = np.zeros((height, width, 3), np.float32)
    cover = np.zeros((height, width), np.float32)
    middle = width / 2
    trunk = f32([(middle - 9, height), (middle - 5, height * 0.45), (middle + 5, height * 0.45), (middle + 9, height)])
    cv2.fillConvexPoly(colour, np.round(trunk).astype(np.int32), (0.10, 0.13, 0.16))
    cv2.fillConvexPoly(cover, np.round(trunk).astype(np.int32), 1.0)
    clumps = []
    for _ in range(16):
        angle, reach = rng.uniform(0, 2 * np.pi), rng.uniform(0, 0.62) ** 0.7
        clumps.append(
            (
                middle + np.cos(angle) * reach * width * 0.36,
                height * 0.40 + np.sin(angle) * reach * height * 0.34,
                rng.uniform(0.14, 0.24) * width,
            )
        )
    leaves = []
    for x, y, radius in clumps:
        for _ in range(260):
            angle, reach = rng.uniform(0, 2 * np.pi), radius * np.sqrt(rng.random())
            dx, dy = np.cos(angle) * reach, np.sin(angle) * reach * 0.85
            lit = 0.5 + 0.5 * (-0.55 * dx - 0.8 * dy) / radius
            high = 1 - (y + dy) / (height * 0.8)
            leaves.append((lit * 0.7 + high * 0.5 + rng.normal(0, 0.12), x + dx, y + dy))
    leaves.sort()
    for lit, x, y in leaves:
        shade = float(np.clip(0.35 + 0.85 * lit, 0.22, 1.25))
        tone = tuple(float(c * shade * rng.uniform(0.88, 1.12)) for c in tint)
        spot, size = (
            (round(float(x) * 8), round(float(y) * 8)),
            (round(rng.uniform(2.0, 4.6) * 8), round(rng.uniform(1.4, 3.4) * 8)),
        )
        turn = float(rng.uniform(0, 180))
        cv2.ellipse(colour, spot, size, turn, 0, 360, tone, -1, cv2.LINE_8, 3)
        cv2.ellipse(cover, spot, size, turn, 0, 360, 1.0, -1, cv2.LINE_8, 3)
    return _finish(f32(cv2.GaussianBlur(colour, (0, 0), 0.7)), f32(cv2.GaussianBlur(cover, (0, 0), 0.9)), height_m)


def group(rng: np.random.Generator, trees: list[Sprite]) -> Sprite:
    """Seven trees of a wood side by side as one sprite, 12 m high."""
    height, width = 210, 560
    canvas = np.zeros((height, width, 4), np.float32)
    for x in rng.permutation(np.linspace(60, width - 60, 7)):
        picture = f32(trees[int(rng.integers(len(trees)))].levels[1]) * np.float32(1 / 255)
        scale = float(rng.uniform(0.62, 0.98)) * height / picture.shape[0]
        picture = f32(cv2.resize(picture, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA))
        left = round(float(x) - picture.shape[1] / 2)
        region = canvas[height - picture.shape[0] :, max(left, 0) : left + picture.shape[1]]
        picture = picture[:, max(-left, 0) :][:, : region.shape[1]]
        region *= 1 - picture[..., 3:]
        region += picture
    return Sprite(pyramid(to_bytes(canvas), 4), 12.0)


def bush(rng: np.random.Generator, height_m: float, tint: Colour) -> Sprite:
    """A low hedge."""
    height, width = 120, 330
    colour = np.zeros((height, width, 3), np.float32)
    cover = np.zeros((height, width), np.float32)
    for _ in range(900):
        x = rng.uniform(14, width - 14)
        roof = height * (0.30 + 0.12 * np.sin(x / 31) + 0.09 * np.sin(x / 13 + 1))
        edge = max(0.0, 1 - min(x, width - x) / 60)
        y = rng.uniform(roof + edge * height * 0.5, height)
        shade = float(np.clip(1.15 - (y - roof) / height * 1.1, 0.3, 1.2) * rng.uniform(0.8, 1.15))
        tone = tuple(float(c * shade) for c in tint)
        spot = (round(x * 8), round(float(y) * 8))
        size = (round(rng.uniform(3, 7) * 8), round(rng.uniform(2, 5) * 8))
        cv2.ellipse(colour, spot, size, float(rng.uniform(0, 180)), 0, 360, tone, -1, cv2.LINE_8, 3)
        cv2.ellipse(cover, spot, size, 0.0, 0, 360, 1.0, -1, cv2.LINE_8, 3)
    return _finish(f32(cv2.GaussianBlur(colour, (0, 0), 0.7)), f32(cv2.GaussianBlur(cover, (0, 0), 0.9)), height_m)


def lamp_post() -> Sprite:
    """A street lamp of 9 m whose arm reaches to the left."""
    height, width = 720, 300
    colour = np.full((height, width, 3), (0.52, 0.52, 0.51), np.float32)
    cover = np.zeros((height, width), np.float32)
    foot = width // 2
    pole = f32([(foot - 7, height), (foot - 3.5, 40), (foot + 3.5, 40), (foot + 7, height)])
    cv2.fillConvexPoly(cover, np.round(pole * 16).astype(np.int32), 1.0, cv2.LINE_8, 4)
    cv2.ellipse(cover, (foot - 50, 44), (52, 30), 0, 180, 360, 1.0, 6)
    cv2.ellipse(cover, (foot - 112, 46), (30, 8), 0, 0, 360, 1.0, -1)
    colour[:, foot + 1 :] *= 0.72
    return _finish(colour, f32(cv2.GaussianBlur(cover, (0, 0), 0.8)), 9.0)


def sign(kind: int) -> Sprite:
    """A round limit sign (0), a warning triangle (1) or a blue arrow (2) on its post; 2.9 m high."""
    height, width = 460, 150
    colour = np.full((height, width, 3), (0.5, 0.5, 0.5), np.float32)
    cover = np.zeros((height, width), np.float32)
    middle = width // 2
    cv2.rectangle(cover, (middle - 5, 60), (middle + 5, height), 1.0, -1)
    if kind == 1:
        outer = np.array([(middle, 8), (middle + 66, 122), (middle - 66, 122)])
        inner = np.array([(middle, 38), (middle + 40, 108), (middle - 40, 108)])
        cv2.fillConvexPoly(cover, outer, 1.0)
        cv2.fillConvexPoly(colour, outer, (0.14, 0.10, 0.75))
        cv2.fillConvexPoly(colour, inner, (0.9, 0.9, 0.9))
        cv2.rectangle(colour, (middle - 4, 62), (middle + 4, 90), (0.05, 0.05, 0.05), -1)
        cv2.circle(colour, (middle, 99), 5, (0.05, 0.05, 0.05), -1)
    else:
        cv2.circle(cover, (middle, 72), 64, 1.0, -1)
        cv2.circle(colour, (middle, 72), 64, (0.14, 0.10, 0.75) if kind == 0 else (0.62, 0.28, 0.06), -1)
        if kind == 0:
            cv2.circle(colour, (middle, 72), 47, (0.92, 0.92, 0.92), -1)
            cv2.ellipse(colour, (middle - 20, 72), (11, 20), 0, 0, 360, (0.05, 0.05, 0.05), 7)
            cv2.ellipse(colour, (middle + 20, 72), (11, 20), 0, 0, 360, (0.05, 0.05, 0.05), 7)
        else:
            cv2.arrowedLine(colour, (middle, 108), (middle, 36), (0.95, 0.95, 0.95), 11, tipLength=0.45)
    return _finish(f32(cv2.GaussianBlur(colour, (0, 0), 0.8)), f32(cv2.GaussianBlur(cover, (0, 0), 0.8)), 2.9)
