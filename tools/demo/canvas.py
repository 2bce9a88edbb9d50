"""Small painting helpers: smooth masks, noise and blending. Everything is numpy and OpenCV."""

from __future__ import annotations

from collections.abc import Sequence

import cv2
import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float32]
Bytes = NDArray[np.uint8]
Point = tuple[float, float]
Colour = tuple[float, float, float]
"""Blue, green, red in 0..1."""


def f32(values: object) -> Floats:
    """A float32 copy or view of what is array-like."""
    return np.asarray(values, dtype=np.float32)


def polygon_mask(shape: tuple[int, int], points: Sequence[Point], round_px: float = 0.0) -> Floats:
    """Coverage 0..1 (height, width) of a polygon in pixels, its corners rounded by about ``round_px``."""
    mask = np.zeros(shape, np.float32)
    corners = f32(points)
    room = int(np.ceil(round_px * 3)) + 2
    x0, y0 = np.maximum(np.floor(corners.min(axis=0)).astype(int) - room, 0)
    x1, y1 = np.minimum(np.ceil(corners.max(axis=0)).astype(int) + room, (shape[1], shape[0]))
    if x1 <= x0 or y1 <= y0:
        return mask
    part = np.zeros((y1 - y0, x1 - x0), np.uint8)
    cv2.fillPoly(part, [np.round((corners - f32([x0, y0])) * 16).astype(np.int32)], 255, cv2.LINE_AA, 4)
    smooth = f32(part) * np.float32(1 / 255)
    if round_px > 0.3:
        # A blurred edge, steepened again, keeps its place on straight lines and cuts off corners.
        smooth = f32(cv2.GaussianBlur(smooth, (0, 0), round_px))
        smooth = f32(np.clip((smooth - 0.5) * max(1.0, round_px * 1.8) + 0.5, 0, 1))
    mask[y0:y1, x0:x1] = smooth
    return mask


def extent(mask: Floats) -> tuple[slice, slice]:
    """The rows and columns outside of which a mask is zero."""
    rows, columns = np.flatnonzero(mask.any(axis=1)), np.flatnonzero(mask.any(axis=0))
    if not len(rows):
        return slice(0, 0), slice(0, 0)
    return slice(rows[0], rows[-1] + 1), slice(columns[0], columns[-1] + 1)


def ellipse_mask(shape: tuple[int, int], centre: Point, radii: Point) -> Floats:
    """Coverage 0..1 of an upright ellipse; centre and radii in pixels as (x, y)."""
    mask = np.zeros(shape, np.uint8)
    where = (round(centre[0] * 16), round(centre[1] * 16))
    size = (max(1, round(radii[0] * 16)), max(1, round(radii[1] * 16)))
    cv2.ellipse(mask, where, size, 0, 0, 360, 255, -1, cv2.LINE_AA, 4)
    return f32(mask) * np.float32(1 / 255)


def lay(target: Floats, mask: Floats, colour: Colour | Floats, strength: float = 1.0) -> None:
    """Blends ``colour`` (one, or a picture of the same size) into ``target`` in place where ``mask`` says so."""
    part = extent(mask)
    weight = (mask[part] * np.float32(strength))[..., None]
    laid = f32(colour)
    region = target[part]
    region += ((laid[part] if laid.ndim == 3 else laid) - region) * weight


def shade(target: Floats, mask: Floats, factor: float) -> None:
    """Multiplies ``target`` in place by ``factor`` where ``mask`` is 1."""
    part = extent(mask)
    target[part] *= (1 + mask[part] * np.float32(factor - 1))[..., None]


def fractal_noise(
    rng: np.random.Generator, shape: tuple[int, int], cell_px: float, octaves: int = 5, wrap: bool = False
) -> Floats:
    """Smooth noise 0..1 (height, width) whose largest features are about ``cell_px``; tiles when ``wrap``."""
    height, width = shape
    total = np.zeros(shape, np.float32)
    weight, cell = 1.0, cell_px
    for _ in range(octaves):
        rows, columns = max(1, round(height / cell)), max(1, round(width / cell))
        grid = f32(rng.random((rows, columns)))
        if wrap:
            grid = np.pad(grid, 2, mode="wrap")
            scaled = cv2.resize(
                grid,
                (round(width * (columns + 4) / columns), round(height * (rows + 4) / rows)),
                interpolation=cv2.INTER_CUBIC,
            )
            top, left = round(2 * height / rows), round(2 * width / columns)
            layer = scaled[top : top + height, left : left + width]
        else:
            grid = f32(rng.random((rows + 3, columns + 3)))
            layer = cv2.resize(grid, (width, height), interpolation=cv2.INTER_CUBIC)
        total += f32(layer) * np.float32(weight)
        weight *= 0.5
        cell /= 2
        if cell < 1:
            break
    low, high = float(total.min()), float(total.max())
    return (total - np.float32(low)) / np.float32(max(high - low, 1e-6))


def pyramid(picture: Bytes, smallest_px: int = 8) -> list[Bytes]:
    """The picture and its halvings down to ``smallest_px``, for sampling without flicker."""
    levels = [picture]
    while min(levels[-1].shape[:2]) // 2 >= smallest_px:
        last = levels[-1]
        half = cv2.resize(last, (last.shape[1] // 2, last.shape[0] // 2), interpolation=cv2.INTER_AREA)
        levels.append(np.asarray(half, dtype=np.uint8))
    return levels


def to_bytes(picture: Floats) -> Bytes:
    """0..1 floats to uint8, saturating."""
    return np.asarray(np.clip(picture * 255 + 0.5, 0, 255), dtype=np.uint8)


def blend_sprite(frame: Floats, weighted: Floats, alpha: Floats, left: int, top: int) -> None:
    """Lays a sprite, its colours already weighted by ``alpha`` (h, w), onto ``frame``, cut at the borders."""
    height, width = alpha.shape
    x0, y0 = max(left, 0), max(top, 0)
    x1, y1 = min(left + width, frame.shape[1]), min(top + height, frame.shape[0])
    if x0 >= x1 or y0 >= y1:
        return
    piece = slice(y0 - top, y1 - top), slice(x0 - left, x1 - left)
    region = frame[y0:y1, x0:x1]
    rest = 1 - alpha[piece]
    # OpenCV walks over three channels faster than numpy's broadcasting does.
    cv2.multiply(region, cv2.merge((rest, rest, rest)), dst=region)
    cv2.add(region, weighted[piece], dst=region)
