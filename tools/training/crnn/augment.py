"""What may differ between a line as it was found once and as it will be found and photographed elsewhere."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from cloud_apis.crnn.preprocess import MARGIN_X, MARGIN_Y, MAX_STRETCH

Grey = NDArray[np.float32]


def jitter(quad: NDArray[np.float32], rng: np.random.Generator) -> NDArray[np.float32]:
    """Move a quad (4, 2) as a finder would err: shift, turn, shear, height, ends, and each corner for itself."""
    top, side = (quad[1] - quad[0] + quad[2] - quad[3]) / 2, (quad[3] - quad[0] + quad[2] - quad[1]) / 2
    height = float(np.linalg.norm(side))
    along = top / max(float(np.linalg.norm(top)), 1e-6)
    across = np.array([-along[1], along[0]])
    centre = quad.mean(axis=0)
    spread = 2.5 if rng.random() < 0.2 else 1.0
    offsets = quad - centre
    x, y = offsets @ along, offsets @ across
    y = y * np.exp(rng.normal(0, 0.05) * spread)
    x = x + y * rng.normal(0, 0.05) * spread
    # Ends: cut into a character (the margin still shows it), or carried into what stands beside the line.
    for left, right in (((0, 3), -1.0), ((1, 2), 1.0)):
        draw = rng.random()
        if draw < 0.12:
            x[list(left)] -= right * rng.uniform(0, 0.32) * height
        elif draw < 0.34:
            x[list(left)] += right * rng.uniform(0, 1.0) * height
    angle = rng.normal(0, np.deg2rad(1.2)) * spread
    x, y = x * np.cos(angle) - y * np.sin(angle), x * np.sin(angle) + y * np.cos(angle)
    moved = centre + x[:, None] * along + y[:, None] * across
    moved = moved + rng.normal(0, 0.05, 2) * height + rng.normal(0, 0.035, (4, 2)) * height * spread
    return np.asarray(moved, dtype=np.float32)


def margins(rng: np.random.Generator) -> tuple[float, float, float]:
    """Margins and stretch limit for :func:`~cloud_apis.crnn.preprocess.warp_word`, around those of inference."""
    stretch = MAX_STRETCH * float(np.exp(rng.normal(0, 0.12))) if rng.random() < 0.9 else 2.5
    return MARGIN_X + rng.uniform(-0.2, 0.25), MARGIN_Y + rng.uniform(-0.1, 0.12), stretch


def disturb(patch: Grey, rng: np.random.Generator, strength: float) -> Grey:
    """Shape, light, lens and sensor on a patch (1, H, W) float32 0..1.

    ``strength`` scales how often: much for real lines (few), little for synthetic ones (already done).
    """
    image = patch[0]
    if rng.random() < 0.15 * strength:
        image = _wave(image, rng)
    if rng.random() < 0.2 * strength:
        image = _stroke(image, rng)
    if rng.random() < 0.25 * strength:
        image = _occlude(image, rng)
    if rng.random() < 0.3 * strength:
        image = _shade(image, rng)
    if rng.random() < 0.12 * strength:
        image = _glare(image, rng)
    if rng.random() < 0.5 * strength:
        image = np.power(np.clip(image, 0, 1), np.float32(np.exp(rng.normal(0, 0.35))))
    if rng.random() < 0.45 * strength:
        image = _lower_resolution(image, rng)
    if rng.random() < 0.35 * strength:
        image = _blur(image, rng)
    image = _expose(image, rng)
    if rng.random() < 0.5:
        noise = rng.uniform(0, 0.3) * float(image.std()) + rng.uniform(0, 0.012)
        image = image + rng.standard_normal(image.shape, dtype=np.float32) * np.float32(noise)
    if rng.random() < 0.3 * strength:
        image = _jpeg(image, int(rng.integers(10, 70)))
    if rng.random() < 0.15 * strength:
        image = 1 - image
    return np.asarray(np.clip(image, 0, 1), dtype=np.float32)[None]


def _expose(image: Grey, rng: np.random.Generator) -> Grey:
    """Other contrast and brightness, clipped here and there but never wholly."""
    mean = float(image.mean())
    contrast = rng.uniform(0.5, 1.35)
    spread = 1.3 * contrast * float(image.std())
    level = float(np.clip(mean + rng.normal(0, 0.12), min(0.5, spread), max(0.5, 1 - spread)))
    return np.asarray((image - np.float32(mean)) * np.float32(contrast) + np.float32(level), np.float32)


def _wave(image: Grey, rng: np.random.Generator) -> Grey:
    """Bent plates: columns slide up and down along a slow sine."""
    height, width = image.shape
    phase = np.arange(width, dtype=np.float32) * np.float32(rng.uniform(1.0, 3.0) * np.pi / width) + np.float32(
        rng.uniform(0, 2 * np.pi)
    )
    shift = np.sin(phase) * np.float32(rng.uniform(0.5, 2.2))
    x, y = np.meshgrid(np.arange(width, dtype=np.float32), np.arange(height, dtype=np.float32))
    return np.asarray(cv2.remap(image, x, y + shift, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE), np.float32)


def _stroke(image: Grey, rng: np.random.Generator) -> Grey:
    """Thicker or thinner strokes, whichever of the two the plate's tone makes of it."""
    kernel = np.ones((2, 2) if rng.random() < 0.7 else (3, 3), np.uint8)
    other = cv2.dilate(image, kernel) if rng.random() < 0.5 else cv2.erode(image, kernel)
    share = np.float32(rng.uniform(0.3, 1.0))
    return np.asarray(image * (1 - share) + other * share, np.float32)


def _occlude(image: Grey, rng: np.random.Generator) -> Grey:
    """Screws, dirt, a wire: small things in front, too small to hide a character."""
    height, width = image.shape
    image = image.copy()
    for _ in range(int(rng.integers(1, 4))):
        x, y, shade = int(rng.integers(0, width)), int(rng.integers(0, height)), float(rng.uniform(0, 1))
        kind = rng.random()
        if kind < 0.5:
            cv2.circle(image, (x, y), int(rng.integers(1, 4)), shade, -1, cv2.LINE_AA)
        elif kind < 0.8:
            size = int(rng.integers(1, 7)), int(rng.integers(1, 6))
            cv2.rectangle(image, (x, y), (x + size[0], y + size[1]), shade, -1)
        else:
            # A frame's edge along the top or the bottom, or a wire across.
            edge = int(rng.choice([rng.integers(0, 5), height - rng.integers(1, 6)]))
            cv2.line(image, (0, edge), (width, edge + int(rng.integers(-3, 4))), shade, int(rng.integers(1, 3)))
    return image


def _shade(image: Grey, rng: np.random.Generator) -> Grey:
    """One side of an oblique edge lies in the shade."""
    height, width = image.shape
    x, y = np.meshgrid(np.arange(width, dtype=np.float32), np.arange(height, dtype=np.float32))
    slope = np.float32(rng.normal(0, 1.0))
    distance = (x - np.float32(rng.uniform(0, width))) + slope * (y - height / 2)
    if rng.random() < 0.3:
        distance = (y - np.float32(rng.uniform(4, height - 4))) + np.float32(rng.normal(0, 0.1)) * x
    edge = np.clip(distance * np.float32(rng.choice([-1, 1]) / rng.uniform(1, 25)) + 0.5, 0, 1)
    return np.asarray(image * (1 - edge * np.float32(rng.uniform(0.15, 0.7))), np.float32)


def _glare(image: Grey, rng: np.random.Generator) -> Grey:
    height, width = image.shape
    x, y = np.meshgrid(np.arange(width, dtype=np.float32), np.arange(height, dtype=np.float32))
    radius = np.float32(rng.uniform(6, 40))
    square = (x - np.float32(rng.uniform(0, width))) ** 2 + (y - np.float32(rng.uniform(0, height))) ** 2
    return np.asarray(image + np.exp(-square / (2 * radius * radius)) * np.float32(rng.uniform(0.15, 0.7)), np.float32)


def _lower_resolution(image: Grey, rng: np.random.Generator) -> Grey:
    height, width = image.shape
    scale = float(np.exp(rng.uniform(np.log(0.28), np.log(0.9))))
    size = max(8, round(width * scale * rng.uniform(0.8, 1.25))), max(6, round(height * scale))
    small = cv2.resize(image, size, interpolation=cv2.INTER_AREA)
    back = cv2.INTER_LINEAR if rng.random() < 0.6 else cv2.INTER_CUBIC
    return np.asarray(cv2.resize(small, (width, height), interpolation=back), np.float32)


def _blur(image: Grey, rng: np.random.Generator) -> Grey:
    """Defocus, or motion mostly along the line."""
    if rng.random() < 0.6:
        return np.asarray(
            cv2.GaussianBlur(image, (0, 0), sigmaX=rng.uniform(0.3, 2.2), sigmaY=rng.uniform(0.3, 1.4)), np.float32
        )
    length = int(rng.integers(2, 8))
    kernel = np.zeros((2 * length + 1, 2 * length + 1), np.float32)
    angle = rng.normal(0, 0.5) if rng.random() < 0.7 else np.pi / 2
    dx, dy = np.cos(angle) * length / 2, np.sin(angle) * length / 2
    cv2.line(kernel, (round(length - dx), round(length - dy)), (round(length + dx), round(length + dy)), 1.0, 1)
    return np.asarray(cv2.filter2D(image, -1, kernel / kernel.sum(), borderType=cv2.BORDER_REPLICATE), np.float32)


def _jpeg(image: Grey, quality: int) -> Grey:
    pixels = (np.clip(image, 0, 1) * 255).astype(np.uint8)
    _, data = cv2.imencode(".jpg", pixels, [cv2.IMWRITE_JPEG_QUALITY, quality])
    return np.asarray(cv2.imdecode(data, cv2.IMREAD_GRAYSCALE), dtype=np.float32) / np.float32(255)
