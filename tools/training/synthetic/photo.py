"""What light, lens, motion, sensor and compression do to a picture in grey."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from tools.training.synthetic.ornaments import smooth_noise

Grey = NDArray[np.float32]


def degrade(image: Grey, rng: np.random.Generator) -> NDArray[np.uint8]:
    """Dirt, shadow, glare, exposure, blur, a smaller sensor, noise and JPEG, each now and then.

    ``image`` is (H, W) float32 grey 0..255; returns the same size as uint8. A third of the photos is good.
    """
    if rng.random() < 0.33:
        image = expose(image, rng)
        noise = rng.uniform(0, 0.08) * (image.std() + 4)
        return np.clip(image + rng.normal(0, noise, image.shape), 0, 255).astype(np.uint8)
    if rng.random() < 0.25:
        image = dirt(image, rng)
    if rng.random() < 0.3:
        image = shadow(image, rng)
    if rng.random() < 0.12:
        image = glare(image, rng)
    draw = rng.random()
    if draw < 0.08:
        image = night(image, rng)
    elif draw < 0.14:
        image = overexpose(image, rng)
    elif draw < 0.2:
        image = striped_shadow(image, rng)
    image = expose(image, rng)
    if rng.random() < 0.5:
        image = blur(image, rng)
    if rng.random() < 0.25:
        image = smaller_sensor(image, rng)
    if rng.random() < 0.6:
        image = image + rng.normal(0, rng.uniform(0.02, 0.16) * (image.std() + 8), image.shape).astype(np.float32)
    if rng.random() < 0.02:
        image = 255 - image
    pixels = np.clip(image, 0, 255).astype(np.uint8)
    return jpeg(pixels, int(rng.integers(25, 96))) if rng.random() < 0.6 else pixels


def dirt(image: Grey, rng: np.random.Generator) -> Grey:
    """Patches of one muddy shade."""
    height, width = image.shape
    cover = smooth_noise(height, width, int(rng.integers(3, 9)), rng)
    opacity = np.clip((cover - rng.uniform(0.1, 0.6)) * 3, 0, 1) * rng.uniform(0.2, 0.75)
    return np.asarray(image * (1 - opacity) + np.float32(rng.uniform(40, 170)) * opacity, image.dtype)


def _half_plane(height: int, width: int, rng: np.random.Generator) -> Grey:
    angle = rng.uniform(0, 2 * np.pi)
    y, x = np.mgrid[0:height, 0:width].astype(np.float32)
    distance = (x - rng.uniform(0.1, 0.9) * width) * np.cos(angle) + (y - rng.uniform(0.1, 0.9) * height) * np.sin(
        angle
    )
    return np.asarray(np.clip(distance / max(1.0, rng.uniform(0.01, 0.2) * height) + 0.5, 0, 1), dtype=np.float32)


def shadow(image: Grey, rng: np.random.Generator) -> Grey:
    """One side of an edge lies in the shade."""
    height, width = image.shape
    return np.asarray(image * (1 - _half_plane(height, width, rng) * rng.uniform(0.2, 0.7)), dtype=np.float32)


def glare(image: Grey, rng: np.random.Generator) -> Grey:
    """A bright spot: sun or headlamps on the reflective ground."""
    height, width = image.shape
    y, x = np.mgrid[0:height, 0:width].astype(np.float32)
    radius = rng.uniform(0.2, 1.0) * height
    spot = np.exp(-((x - rng.uniform(0, width)) ** 2 + (y - rng.uniform(0, height)) ** 2) / (2 * radius**2))
    return np.asarray(image + spot * rng.uniform(40, 180), dtype=np.float32)


def night(image: Grey, rng: np.random.Generator) -> Grey:
    """Little light but the lamps', which blooms around what is bright."""
    bright = np.clip(image - rng.uniform(90, 160), 0, 255)
    bloom = cv2.GaussianBlur(bright, (0, 0), image.shape[0] * rng.uniform(0.02, 0.12))
    return np.asarray(image * rng.uniform(0.25, 0.7) + bloom * rng.uniform(0.3, 1.2), dtype=np.float32)


def overexpose(image: Grey, rng: np.random.Generator) -> Grey:
    """The ground is burnt out and eats into the strokes."""
    dark, light = np.percentile(image, (5, 90))
    gain = rng.uniform(1.1, 1.8) * 255 / max(60.0, float(light - dark))
    burnt = np.clip((image - light) * gain + 255 * rng.uniform(1.0, 1.25), 0, 255)
    halo = cv2.GaussianBlur(burnt, (0, 0), max(0.3, image.shape[0] * rng.uniform(0.005, 0.03)))
    return np.asarray(np.maximum(burnt, halo) if rng.random() < 0.7 else burnt, dtype=np.float32)


def striped_shadow(image: Grey, rng: np.random.Generator) -> Grey:
    """Shadows of a grille, a fence or twigs: several edges."""
    height, width = image.shape
    for _ in range(int(rng.integers(1, 4))):
        band = _half_plane(height, width, rng) * _half_plane(height, width, rng)
        image = np.asarray(image * (1 - band * np.float32(rng.uniform(0.2, 0.6))), dtype=np.float32)
    return image


def expose(image: Grey, rng: np.random.Generator) -> Grey:
    """Gain, offset and gamma, from night to washed out."""
    gamma = float(np.exp(rng.normal(0, 0.35)))
    image = 255 * np.power(np.clip(image, 0, 255) / 255, gamma)
    contrast, level = rng.uniform(0.4, 1.15), rng.uniform(-40, 35)
    return np.asarray((image - 128) * contrast + 128 + level, dtype=np.float32)


def blur(image: Grey, rng: np.random.Generator) -> Grey:
    """Defocus or motion, in proportion to the picture's height."""
    scale = max(image.shape[0], 24) / 40
    if rng.random() < 0.6:
        return np.asarray(cv2.GaussianBlur(image, (0, 0), rng.uniform(0.3, 0.8) * scale), dtype=np.float32)
    length = int(np.clip(round(rng.uniform(1.5, 3.3) * scale), 2, 12))
    kernel = np.zeros((length * 2 + 1, length * 2 + 1), np.float32)
    angle = rng.uniform(0, np.pi)
    dx, dy = np.cos(angle) * length / 2, np.sin(angle) * length / 2
    cv2.line(kernel, (round(length - dx), round(length - dy)), (round(length + dx), round(length + dy)), 1.0, 1)
    return np.asarray(cv2.filter2D(image, -1, kernel / kernel.sum(), borderType=cv2.BORDER_REPLICATE), dtype=np.float32)


def smaller_sensor(image: Grey, rng: np.random.Generator) -> Grey:
    """Lose resolution, then be enlarged again as video scalers do."""
    height, width = image.shape
    factor = rng.uniform(0.4, 0.85)
    small = cv2.resize(
        image, (max(8, round(width * factor)), max(8, round(height * factor))), interpolation=cv2.INTER_AREA
    )
    return np.asarray(cv2.resize(small, (width, height), interpolation=cv2.INTER_LINEAR), dtype=np.float32)


def jpeg(pixels: NDArray[np.uint8], quality: int) -> NDArray[np.uint8]:
    """Encode and decode at the given quality."""
    _, data = cv2.imencode(".jpg", pixels, [cv2.IMWRITE_JPEG_QUALITY, quality])
    return np.asarray(cv2.imdecode(data, cv2.IMREAD_GRAYSCALE), dtype=np.uint8)
