"""Random geometry and light for the detector's training pictures. Everything is grey uint8."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from tools.training.common.warp import warp
from tools.training.yolov3.dataset import Sample

GREY = 128  # the letterbox's value, 0.5
MIN_SIDE_PX = 2.0  # boxes smaller than this teach nothing
MIN_VISIBLE = 0.4  # share of a box that must stay in the picture

Image = NDArray[np.uint8]
Boxes = NDArray[np.float32]


def place(
    canvas: Image,
    sample: Sample,
    rng: np.random.Generator,
    area: tuple[int, int, int, int],
    cover: bool = False,
    plain: bool = False,
) -> Boxes:
    """Warp a sample into the area (xmin, ymin, xmax, ymax) of the canvas, in place, and return its boxes.

    Scale is relative to the picture fitted into the area (or covering it): mostly about 1, with a tail towards
    small plates and, where the largest plate is small, towards enlargement. ``plain`` keeps it close to 1.
    """
    x0, y0, x1, y1 = area
    width, height = x1 - x0, y1 - y0
    h, w = sample.image.shape
    fit = max(width / w, height / h) if cover else min(width / w, height / h)
    zoom = float(np.exp(rng.normal(0, 0.25))) if rng.random() < 0.85 else float(rng.uniform(0.35, 1.0))
    largest = max((float(b[2] - b[0]) for b in sample.boxes), default=0.0) * fit
    if plain:
        zoom = float(np.exp(rng.normal(0, 0.1)))
    elif 0 < largest < 0.06 * width and rng.random() < 0.5:
        zoom = float(rng.uniform(1.0, 2.5))
    elif largest > 0.5 * width:
        zoom = min(zoom, 1.0) * float(rng.uniform(0.4, 1.0))
    scale = fit * zoom
    stretch = float(np.exp(rng.normal(0, 0.08)))
    angle = float(rng.normal(0, 3.0)) if rng.random() < 0.4 else 0.0
    flip = rng.random() < 0.5
    # centre: keep a box (if there is one) in view when zoomed in, else shift at random
    centre = np.array([w / 2, h / 2])
    if len(sample.boxes) and (w * scale > width * 1.05 or h * scale > height * 1.05):
        box = sample.boxes[rng.integers(len(sample.boxes))]
        centre = np.array([(box[0] + box[2]) / 2, (box[1] + box[3]) / 2])
        slack = np.array([width, height]) / scale / 2
        centre = centre + rng.uniform(-0.8, 0.8, 2) * slack
        centre = np.clip(centre, np.minimum(slack, [w / 2, h / 2]), np.maximum([w, h] - slack, [w / 2, h / 2]))
        target = np.array([width / 2, height / 2])
    else:
        room = np.maximum(np.array([width, height]) - np.array([w, h]) * scale, 0)
        target = np.array([width / 2, height / 2]) + rng.uniform(-0.5, 0.5, 2) * room
    sx, sy = scale * stretch, scale / stretch
    source = sample.image
    if scale < 1:  # averages down to the very size that is wanted, as inference does
        sides = max(1, round(w * sx)), max(1, round(h * sy))
        source = cv2.resize(source, sides, interpolation=cv2.INTER_AREA).astype(np.uint8)
        sx, sy = sides[0] / w, sides[1] / h
    cos, sin = np.cos(np.radians(angle)), np.sin(np.radians(angle))
    linear = np.array([[cos, -sin], [sin, cos]]) @ np.diag([-sx if flip else sx, sy])
    offset = target - linear @ centre
    if not angle:  # whole pixels: nothing is interpolated a second time
        offset = offset.round()
    matrix = np.hstack([linear, offset[:, None]])
    reduced = matrix @ np.diag([w / source.shape[1], h / source.shape[0], 1.0])
    canvas[y0:y1, x0:x1] = warp(source, reduced, (width, height), GREY)
    moved = warp_boxes(sample.boxes, matrix)
    return clip_boxes(moved, width, height) + np.array([x0, y0, x0, y0], np.float32)


def warp_boxes(boxes: Boxes, matrix: NDArray[np.float64]) -> Boxes:
    """Axis-aligned hull of the boxes' warped corners; corners are (xmin, ymin, xmax, ymax)."""
    if not len(boxes):
        return boxes
    x0, y0, x1, y1 = boxes.T
    corners = np.stack([np.stack([x0, y0]), np.stack([x1, y0]), np.stack([x1, y1]), np.stack([x0, y1])])
    warped = np.einsum("ij,njk->nik", matrix[:, :2], corners) + matrix[:, 2][None, :, None]
    low, high = warped.min(0), warped.max(0)
    hull = np.stack([low[0], low[1], high[0], high[1]], 1)
    return hull.astype(np.float32)


def clip_boxes(boxes: Boxes, width: int, height: int) -> Boxes:
    """Boxes cut to the picture; those mostly outside or tiny are removed."""
    if not len(boxes):
        return boxes.reshape(-1, 4)
    limit = np.array([width, height, width, height], np.float32)
    cut = np.clip(boxes, 0, limit)
    sides, before = cut[:, 2:] - cut[:, :2], boxes[:, 2:] - boxes[:, :2]
    keep = (sides.prod(1) >= MIN_VISIBLE * before.prod(1)) & (sides >= MIN_SIDE_PX).all(1)
    kept: Boxes = cut[keep]
    return kept


def light(image: Image, rng: np.random.Generator) -> Image:
    """Gamma, contrast, brightness, blur, noise and JPEG, as a cheap camera and a thrifty link make them."""
    table = np.arange(256, dtype=np.float32) / 255
    if rng.random() < 0.5:
        table = table ** float(np.exp(rng.normal(0, 0.35)))
    if rng.random() < 0.5:
        table = (table - 0.5) * float(np.exp(rng.normal(0, 0.25))) + 0.5 + float(rng.normal(0, 0.1))
    image = cv2.LUT(image, (np.clip(table, 0, 1) * 255).astype(np.uint8)).astype(np.uint8)
    if rng.random() < 0.12:
        sigma = float(rng.uniform(0.4, 1.2))
        image = cv2.GaussianBlur(image, (0, 0), sigma).astype(np.uint8)
    elif rng.random() < 0.1:
        length = int(rng.integers(2, 6))
        kernel = np.zeros((length, length), np.float32)
        kernel[length // 2] = 1 / length
        image = cv2.filter2D(image, -1, kernel if rng.random() < 0.6 else kernel.T).astype(np.uint8)
    if rng.random() < 0.2:
        noise = rng.normal(0, rng.uniform(2, 12), image.shape)
        image = np.clip(image + noise, 0, 255).astype(np.uint8)
    if rng.random() < 0.5:
        quality = [cv2.IMWRITE_JPEG_QUALITY, int(rng.integers(35, 92))]
        decoded = cv2.imdecode(cv2.imencode(".jpg", image, quality)[1], cv2.IMREAD_GRAYSCALE)
        image = np.asarray(decoded, np.uint8)
    return image


def compose(
    samples: list[Sample], size: tuple[int, int], rng: np.random.Generator, mosaic: bool, plain: bool = False
) -> tuple[Image, Boxes, NDArray[np.int64]]:
    """One training picture uint8 (height, width) of one sample, or of four as a mosaic.

    Returns it with its boxes (n, 4) and the number of the sample that each comes from (n,).
    """
    height, width = size
    canvas = np.full(size, GREY, np.uint8)
    if mosaic:
        cx, cy = int(width * rng.uniform(0.3, 0.7)), int(height * rng.uniform(0.3, 0.7))
        areas = [(0, 0, cx, cy), (cx, 0, width, cy), (0, cy, cx, height), (cx, cy, width, height)]
    else:
        areas = [(0, 0, width, height)]
    boxes = [place(canvas, sample, rng, area, mosaic, plain) for sample, area in zip(samples, areas, strict=False)]
    owners = np.repeat(np.arange(len(boxes)), [len(b) for b in boxes])
    return light(canvas, rng), np.concatenate(boxes).astype(np.float32), owners
