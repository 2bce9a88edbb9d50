"""Sky, hills and a far town, as one panorama that turns with the road."""

from __future__ import annotations

import cv2
import numpy as np

from tools.demo.camera import Camera, View
from tools.demo.canvas import Floats, f32, fractal_noise, lay
from tools.demo.lighting import HAZE


class Backdrop:
    """Everything too far away to come nearer."""

    def __init__(self, camera: Camera, rng: np.random.Generator) -> None:
        self._camera = camera
        self._height = int(np.ceil(camera.horizon_y_px)) + 3
        self._width = 4 * camera.width_px
        once = _panorama(rng, self._width, self._height, camera)
        self._panorama = np.concatenate((once, once[:, : camera.width_px + 1]), axis=1)

    def paint(self, canvas: Floats, view: View) -> None:
        """Paints the rows above (and just below) the horizon."""
        start = (view.heading_rad * self._camera.focal_px) % self._width
        whole, part = int(start), start % 1
        piece = self._panorama[:, whole : whole + self._camera.width_px + 1]
        cv2.addWeighted(piece[:, :-1], 1 - part, piece[:, 1:], part, 0.0, dst=canvas[: self._height])


def _panorama(rng: np.random.Generator, width: int, height: int, camera: Camera) -> Floats:
    up = np.linspace(1, 0, height, dtype=np.float32)[:, None]  # 1 at the top, 0 at the horizon
    low, high = f32([0.90, 0.86, 0.82]), f32([0.82, 0.60, 0.40])
    sky = low + (high - low) * (up**0.75)[..., None]
    sky = f32(np.broadcast_to(sky, (height, width, 3)).copy())
    # Clouds are seen ever more from the side towards the horizon: squeeze the noise there.
    tall = fractal_noise(rng, (height * 2, width), height * 0.55, 6, wrap=True)
    depth = f32(np.clip((1 - np.sqrt(up)) ** 0.8, 0, 1) * (height * 2 - 2))
    columns = f32(np.broadcast_to(np.arange(width)[None, :], (height, width)))
    noise = f32(
        cv2.remap(tall, columns, np.ascontiguousarray(np.broadcast_to(depth, (height, width))), cv2.INTER_LINEAR)
    )
    cover = np.clip((noise - 0.50) * 4.2, 0, 1) * np.clip(up * 7, 0.15, 1)
    underside = f32(
        np.clip(cv2.GaussianBlur(noise, (0, 0), height / 60) - np.roll(noise, height // 40, axis=0), -0.2, 0.2)
    )
    cloud = (
        f32([0.97, 0.965, 0.96])
        + (underside * 0.9)[..., None]
        - 0.16 * (cover * np.clip(noise - 0.6, 0, 1) * 2)[..., None]
    )
    sky += (cloud - sky) * (cover * 0.85)[..., None]
    rows = np.arange(height, dtype=np.float32)[:, None]
    horizon = camera.horizon_y_px
    for reach, rise, tint, air in (
        (0.085, 0.05, (0.45, 0.42, 0.34), 0.68),
        (0.055, 0.035, (0.33, 0.40, 0.31), 0.45),
        (0.028, 0.02, (0.17, 0.27, 0.2), 0.22),
    ):
        ridge = fractal_noise(rng, (1, width), width / 9, 6, wrap=True)[0]
        top = horizon - camera.height_px * (rise * 0.25 + reach * ridge)
        mask = f32(np.clip(rows - top[None, :] + 0.5, 0, 1))
        texture = fractal_noise(rng, (height, width), 14, 3, wrap=True) - 0.5
        colour = f32(tint) * (1 + 0.35 * texture[..., None])
        lay(sky, mask, f32(colour + (f32(HAZE) - colour) * np.float32(air)))
        if air < 0.5:
            _town(sky, rng, horizon, camera.height_px * (0.02 if air < 0.3 else 0.032), air + 0.14)
    return sky


def _town(sky: Floats, rng: np.random.Generator, horizon: float, tallest_px: float, air: float) -> None:
    """Rows of buildings with windows on parts of the horizon."""
    width = sky.shape[1]
    for _ in range(5):
        start = int(rng.integers(0, width))
        x = start
        while x < start + width * 0.07:
            breadth = int(rng.integers(max(3, int(tallest_px * 0.5)), max(5, int(tallest_px * 1.6))))
            tall = tallest_px * float(rng.uniform(0.35, 1.0))
            grey = float(rng.uniform(0.35, 0.75))
            tint = f32([grey * 0.95, grey, grey * float(rng.uniform(1.0, 1.1))])
            top, left = round(horizon - tall), x % width
            right = min(left + breadth, width)
            wall = tint + (f32(HAZE) - tint) * np.float32(air)
            sky[top : round(horizon) + 3, left:right] = wall
            sky[top : round(horizon) + 3, max(left, right - max(1, breadth // 4)) : right] = wall * 0.88
            for row in range(top + 2, round(horizon) - 1, 4):
                sky[row : row + 2, left + 1 : right - 1 : 3] *= 0.86
            x += breadth + int(rng.integers(0, 6))
