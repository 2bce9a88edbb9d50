"""Random geometry and light for pictures of vehicles, in colour."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from tools.training.common.warp import warp
from tools.training.vehicles.dataset import GREY, Sample

MIN_SIDE_PX = 3.0
MIN_VISIBLE = 0.35
Image = NDArray[np.uint8]
Boxes = NDArray[np.float32]


def compose(samples: list[Sample], size: int, rng: np.random.Generator, mosaic: bool) -> tuple[Image, Boxes]:
    """A training picture RGB uint8 (size, size, 3) of one sample, or of four as a mosaic, and its boxes (n, 5)."""
    canvas = np.full((size, size, 3), GREY, np.uint8)
    areas = [(0, 0, size, size)]
    if mosaic:
        cx, cy = (int(size * rng.uniform(0.35, 0.65)) for _ in range(2))
        areas = [(0, 0, cx, cy), (cx, 0, size, cy), (0, cy, cx, size), (cx, cy, size, size)]
    boxes = [_place(canvas, sample, rng, area, mosaic) for sample, area in zip(samples, areas, strict=False)]
    return _light(canvas, rng), np.concatenate(boxes).astype(np.float32)


def letterbox(sample: Sample, size: int) -> tuple[Image, Boxes]:
    """The sample fitted into a square of that many pixels, as the APIs fit it, and its boxes there."""
    height, width = sample.image.shape[:2]
    scale = min(size / width, size / height)
    w, h = round(width * scale), round(height * scale)
    canvas = np.full((size, size, 3), GREY, np.uint8)
    x, y = (size - w) // 2, (size - h) // 2
    how = cv2.INTER_AREA if scale < 1 else cv2.INTER_LINEAR
    canvas[y : y + h, x : x + w] = cv2.resize(sample.image, (w, h), interpolation=how)
    boxes = sample.boxes.copy()
    boxes[:, :4] = boxes[:, :4] * scale + np.array([x, y, x, y], np.float32)
    return canvas, boxes


def _place(
    canvas: Image, sample: Sample, rng: np.random.Generator, area: tuple[int, int, int, int], cover: bool
) -> Boxes:
    x0, y0, x1, y1 = area
    width, height = x1 - x0, y1 - y0
    h, w = sample.image.shape[:2]
    fit = max(width / w, height / h) if cover else min(width / w, height / h)
    zoom = float(np.exp(rng.normal(0.0, 0.22))) if rng.random() < 0.8 else float(rng.uniform(0.4, 1.0))
    scale, stretch = fit * zoom, float(np.exp(rng.normal(0, 0.06)))
    flip = -1.0 if rng.random() < 0.5 else 1.0
    room = np.array([width - w * scale, height - h * scale])
    target = np.array([width / 2, height / 2]) + rng.uniform(-0.5, 0.5, 2) * np.abs(room)
    source = sample.image
    factor = min(1.0, scale * 1.2)
    if factor < 0.8:  # warpAffine does not average: reduce first
        source = np.asarray(cv2.resize(source, None, fx=factor, fy=factor, interpolation=cv2.INTER_AREA), np.uint8)
    linear = np.diag([flip * scale * stretch, scale / stretch])
    matrix = np.hstack([linear, (target - linear @ np.array([w / 2, h / 2]))[:, None]])
    shrunk = matrix @ np.diag([w / source.shape[1], h / source.shape[0], 1.0])
    canvas[y0:y1, x0:x1] = warp(source, shrunk, (width, height), GREY)
    boxes = sample.boxes.copy()
    for first in (0, 1):
        boxes[:, first:4:2] = boxes[:, first:4:2] * matrix[first, first] + matrix[first, 2]
    if flip < 0:
        boxes[:, [0, 2]] = boxes[:, [2, 0]]
    return _clipped(boxes, width, height) + np.array([x0, y0, x0, y0, 0], np.float32)


def _clipped(boxes: Boxes, width: int, height: int) -> Boxes:
    before = boxes[:, 2:4] - boxes[:, :2]
    cut = boxes.copy()
    cut[:, :4] = np.clip(boxes[:, :4], 0, np.array([width, height] * 2, np.float32))
    sides = cut[:, 2:4] - cut[:, :2]
    kept: Boxes = cut[(sides.prod(1) >= MIN_VISIBLE * before.prod(1)) & (sides >= MIN_SIDE_PX).all(1)]
    return kept


def _light(image: Image, rng: np.random.Generator) -> Image:
    ramp = np.linspace(0, 1, 256, dtype=np.float32) ** float(np.exp(rng.normal(0, 0.25)))
    ramp = (ramp - 0.5) * float(np.exp(rng.normal(0, 0.2))) + 0.5 + float(rng.normal(0, 0.06))
    image = np.asarray(cv2.LUT(image, (np.clip(ramp, 0, 1) * 255).astype(np.uint8)), np.uint8)
    if rng.random() < 0.5:
        grey = cv2.cvtColor(cv2.cvtColor(image, cv2.COLOR_RGB2GRAY), cv2.COLOR_GRAY2RGB)
        share = float(rng.uniform(0.0, 1.4))
        image = np.asarray(cv2.addWeighted(image, share, grey, 1 - share, 0), np.uint8)
    if rng.random() < 0.12:
        spots = rng.random(image.shape[:2]) < rng.uniform(0.005, 0.04)
        image = image.copy()
        image[spots] = rng.integers(0, 256, (int(spots.sum()), 1), dtype=np.uint8)
    if rng.random() < 0.1:
        image = np.asarray(cv2.GaussianBlur(image, (0, 0), float(rng.uniform(0.4, 1.2))), np.uint8)
    return image
