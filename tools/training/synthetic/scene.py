"""Put a clean plate on a car and photograph it badly: the crop a detector would hand over, with boxes that follow."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from tools.training.synthetic import photo
from tools.training.synthetic.glyphs import Glyphs
from tools.training.synthetic.ornaments import pick, small_print, smooth_noise
from tools.training.synthetic.places import DEALERS
from tools.training.synthetic.render import Line, Plate

Grey = NDArray[np.float32]
MAX_WIDTH_PX = 256
MAX_HEIGHT_PX = 128


@dataclass(frozen=True)
class Crop:
    """A plate crop: ``image`` (H, W) uint8 grey; the lines' character quads are in its pixels."""

    image: NDArray[np.uint8]
    lines: tuple[Line, ...]


def photograph(plate: Plate, glyphs: Glyphs, rng: np.random.Generator) -> Crop:
    """Background, frame, perspective, light, blur, noise and JPEG; the crop is cut too tight or too loose."""
    height, width = plate.image.shape
    characters = np.concatenate([line.quads for line in plate.lines])
    room = (max(0.0, float(characters[..., 1].min())), max(0.0, float(height - characters[..., 1].max())))
    canvas, left, top = _mount(plate.image, room, glyphs, rng)
    corners = np.array([[0, 0], [width, 0], [width, height], [0, height]], np.float32)
    quad = _pose(width, height, rng)
    scale, origin, size = _framing(quad, [line.quads for line in plate.lines], corners, rng)
    placed = (quad - origin) * scale
    # Shrink by area first where the photo is much smaller than the drawing, so that nothing aliases.
    shrink = 1.0 / max(1.0, 0.6 / scale)
    if shrink < 1.0:
        canvas = np.asarray(
            cv2.resize(canvas, None, fx=shrink, fy=shrink, interpolation=cv2.INTER_AREA), dtype=np.float32
        )
    matrix = cv2.getPerspectiveTransform(
        ((corners + np.array([left, top])) * shrink).astype(np.float32), placed.astype(np.float32)
    )
    image = cv2.warpPerspective(canvas, matrix, size, flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
    to_photo = cv2.getPerspectiveTransform(corners, placed.astype(np.float32))
    lines = tuple(Line(line.text, _moved(line.quads, to_photo)) for line in plate.lines)
    return Crop(photo.degrade(np.asarray(image, dtype=np.float32), rng), lines)


def _moved(quads: Grey, matrix: cv2.typing.MatLike) -> Grey:
    moved = cv2.perspectiveTransform(quads.reshape(-1, 1, 2), matrix)
    return np.asarray(moved, dtype=np.float32).reshape(-1, 4, 2)


def _mount(
    plate: Grey, print_room: tuple[float, float], glyphs: Glyphs, rng: np.random.Generator
) -> tuple[Grey, int, int]:
    """The plate on a bumper-like ground, in a frame now and then; returns the canvas and the plate's offset.

    ``print_room`` is how much of the plate is free of characters above and below, in pixels.
    """
    height, width = plate.shape
    left, top = round(width * 0.28), round(height * 0.9)
    h, w = height + 2 * top, width + 2 * left
    base = rng.uniform(5, 235)
    canvas = np.full((h, w), base, np.float32) + smooth_noise(h, w, int(rng.integers(2, 5)), rng) * rng.uniform(5, 50)
    for _ in range(int(rng.integers(0, 7))):
        y = int(rng.integers(0, h))
        shade = rng.uniform(0, 255)
        if rng.random() < 0.7:
            cv2.line(canvas, (0, y), (w, y + int(rng.integers(-30, 30))), shade, int(rng.integers(2, 24)))
        else:
            x = int(rng.integers(0, w))
            cv2.rectangle(canvas, (x, y), (x + int(rng.integers(10, 150)), y + int(rng.integers(5, 80))), shade, -1)
    if rng.random() < 0.3:
        x, y = w / 2 + rng.normal(0, 0.1) * width, top * rng.choice([0.55, 0.75])
        lettering(canvas, pick(DEALERS, rng, 1.0), x, y, height * 0.3, glyphs, rng)
    if rng.random() < 0.5:
        _frame(canvas, left, top, width, height, glyphs, rng)
    canvas = cv2.GaussianBlur(canvas, (0, 0), rng.uniform(0.6, 3.0))
    canvas[top : top + height, left : left + width] = plate
    if rng.random() < 0.25:
        _overlap(canvas, left, top, width, height, print_room, glyphs, rng)
    return canvas, left, top


def _overlap(
    canvas: Grey, left: int, top: int, width: int, height: int, room: tuple[float, float], glyphs: Glyphs,
    rng: np.random.Generator,
) -> None:  # fmt: skip
    """A frame in front of the plate's edges, up to a little into the characters; ``room``: free above and below."""
    above, below = room
    shade = rng.uniform(0, 90) if rng.random() < 0.75 else rng.uniform(120, 240)
    cover = below * rng.uniform(0.3, 1.0) + (0.05 * height if rng.random() < 0.3 else 0)
    x0, x1, y1 = left - 6, left + width + 6, top + height
    cv2.rectangle(canvas, (x0, round(y1 - cover)), (x1, y1 + 6), shade, -1)
    if rng.random() < 0.6 and cover > 8:
        layer = np.zeros_like(canvas)
        small_print(layer, pick(DEALERS, rng, 1.0), left + width / 2, y1 - cover / 2, cover * 0.6, width * 0.8, glyphs)
        canvas += layer * (rng.uniform(130, 255) - canvas)
    if rng.random() < 0.4:
        cv2.rectangle(canvas, (x0, top - 6), (x1, round(top + above * rng.uniform(0.2, 1.0))), shade, -1)
    if rng.random() < 0.5:
        edge = round(width * rng.uniform(0.005, 0.02))
        cv2.rectangle(canvas, (left - edge, top - edge), (left + width + edge, y1 + edge), shade, 2 * edge + 1)


def lettering(
    canvas: Grey, text: str, x: float, y: float, size: float, glyphs: Glyphs, rng: np.random.Generator
) -> None:
    """Lettering of the car or its frame, in any shade."""
    layer = np.zeros_like(canvas)
    small_print(layer, text, x, y, size, canvas.shape[1] * 0.6, glyphs)
    canvas += layer * (rng.uniform(0, 255) - canvas)


def _frame(
    canvas: Grey, left: int, top: int, width: int, height: int, glyphs: Glyphs, rng: np.random.Generator
) -> None:
    edge = round(height * rng.uniform(0.03, 0.09))
    below = edge + (round(height * rng.uniform(0.08, 0.2)) if rng.random() < 0.6 else 0)
    shade = rng.uniform(0, 80) if rng.random() < 0.8 else rng.uniform(120, 240)
    cv2.rectangle(canvas, (left - edge, top - edge), (left + width + edge, top + height + below), shade, -1)
    if below > edge:
        layer = np.zeros_like(canvas)
        dealer, y = pick(DEALERS, rng, 1.0), top + height + below / 2
        small_print(layer, dealer, left + width / 2, y, below * 0.62, width * 0.8, glyphs)
        canvas += layer * (rng.uniform(130, 255) - canvas)


def _pose(width: int, height: int, rng: np.random.Generator) -> Grey:
    """The plate's corners as a camera sees them: yaw, pitch, roll and shear, in plate pixels."""
    spread = rng.choice([0.4, 1.0, 2.0], p=[0.35, 0.4, 0.25])
    yaw = np.clip(rng.normal(0, 0.35 * spread), -1.05, 1.05)
    pitch = np.clip(rng.normal(0, 0.2 * spread), -0.6, 0.6)
    roll = np.clip(rng.normal(0, np.deg2rad(6.5) * spread), -np.deg2rad(27), np.deg2rad(27))
    x = np.array([-0.5, 0.5, 0.5, -0.5]) * width
    y = np.array([-0.5, -0.5, 0.5, 0.5]) * height
    z = -x * np.sin(yaw)
    x = x * np.cos(yaw)
    z = z + y * np.sin(pitch)
    y = y * np.cos(pitch)
    x, y = x * np.cos(roll) - y * np.sin(roll), x * np.sin(roll) + y * np.cos(roll)
    distance = width * rng.uniform(1.8, 6.0)
    points = np.stack([x, y], axis=1) * (distance / (distance + z))[:, None]
    points[:, 0] += points[:, 1] * rng.normal(0, 0.06 * spread)
    return np.asarray(points, dtype=np.float32)


def _framing(
    quad: Grey, characters: list[Grey], corners: Grey, rng: np.random.Generator
) -> tuple[float, NDArray[np.float64], tuple[int, int]]:
    """How a detector would cut: scale, the crop's origin in posed pixels, its size (width, height) in pixels."""
    low, high = quad.min(axis=0).astype(np.float64), quad.max(axis=0).astype(np.float64)
    extent = high - low
    loose = rng.choice([0.04, 0.12, 0.3], p=[0.4, 0.4, 0.2])
    low -= extent * np.clip(rng.normal(loose * 0.5, loose, 2), -0.04, 0.5) * [0.6, 1.0]
    high += extent * np.clip(rng.normal(loose * 0.5, loose, 2), -0.04, 0.5) * [0.6, 1.0]
    # No crop cuts into the characters themselves by more than a hair.
    to_pose = cv2.getPerspectiveTransform(corners, quad)
    points = cv2.perspectiveTransform(np.concatenate(characters).reshape(-1, 1, 2), to_pose).reshape(-1, 2)
    low, high = np.minimum(low, points.min(axis=0) - 1), np.maximum(high, points.max(axis=0) + 1)
    size = high - low
    tall = np.linalg.norm(points[3] - points[0])
    wanted = float(np.clip(rng.lognormal(np.log(18), 0.55), 5.5, 64.0))
    scale = min(wanted / max(1.0, float(tall)), MAX_WIDTH_PX / size[0], MAX_HEIGHT_PX / size[1])
    pixels = (max(8, int(size[0] * scale)), max(8, int(size[1] * scale)))
    return float(scale), low, pixels
