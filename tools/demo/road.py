"""The ground: carriageways with lane markings, shoulders and grass, in perspective and without flicker."""

from __future__ import annotations

from collections.abc import Callable

import cv2
import numpy as np

from tools.demo.camera import Camera, View
from tools.demo.canvas import Floats, f32, fractal_noise
from tools.demo.lighting import HAZE, SKY_COLOUR, SUN_COLOUR

LANE_M = 3.5
LANES_X_M = (-LANE_M, 0.0, LANE_M)
"""The middles of our three lanes; the reference line is the middle one's."""
ONCOMING_X_M = (-10.4, -13.9)
RAIL_RIGHT_M = 7.9
RAIL_LEFT_M = -6.9
TILE_M = 24.0  # two dashes with their gaps
NEAR_M = 12.0  # up to here the fine texture is sampled, beyond it rows are averaged exactly
_NEAR_HALF_M, _FAR_HALF_M = 15.0, 70.0


class Road:
    """Paints the ground below the horizon. ``daylight`` gives (sun, ambient) at places along the road in metres."""

    def __init__(
        self, camera: Camera, rng: np.random.Generator, daylight: Callable[[Floats], tuple[Floats, Floats]]
    ) -> None:
        self._camera = camera
        self._daylight = daylight
        self._first_row = int(np.ceil(camera.horizon_y_px + 0.5))
        rows = np.arange(self._first_row, camera.height_px)
        edges = np.arange(self._first_row, camera.height_px + 1) - 0.5
        reach = camera.focal_px * camera.height_m
        self._z = reach / (rows - camera.horizon_y_px)
        self._z_edges = np.minimum(reach / np.maximum(edges - camera.horizon_y_px, 0.02), 3000.0)
        columns = np.arange(camera.width_px) - camera.centre_x_px
        self._x = f32(columns[None, :] * (self._z / camera.focal_px)[:, None])
        self._near_rows = int(np.searchsorted(-self._z, -NEAR_M))
        self._lines = np.repeat(np.arange(self._near_rows, dtype=np.float32)[:, None], camera.width_px, axis=1)
        self._near = _ground_texture(rng, _NEAR_HALF_M, 0.01, 0.04)
        # The shutter smears what rushes by underneath.
        kernel = np.ones((7, 1), np.float32) / 7
        self._near = f32(cv2.filter2D(np.vstack((self._near[-8:], self._near, self._near[:8])), -1, kernel))[8:-8]
        self._near = f32(np.vstack((self._near, self._near[:2])))
        far = _ground_texture(rng, _FAR_HALF_M, 0.1, 0.1)
        self._far_sum = np.concatenate((np.zeros((1, *far.shape[1:])), np.cumsum(far, axis=0, dtype=np.float64))) * 0.1
        self._haze = f32(np.exp(-self._z / 420.0))[:, None, None]

    def paint(self, canvas: Floats, view: View) -> None:
        """Paints all rows below the horizon of the canvas."""
        bend = f32(view.bend_m(self._z))
        x = self._x + np.float32(view.lateral_m) - bend[:, None]
        cut = self._near_rows
        far_x = (x[:cut] + np.float32(_FAR_HALF_M)) * np.float32(10) - np.float32(0.5)
        profiles = self._average(view.travelled_m + self._z_edges[: cut + 1])
        ground = np.empty((*x.shape, 3), np.float32)
        ground[:cut] = cv2.remap(profiles, far_x, self._lines, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
        near_x = (x[cut:] + np.float32(_NEAR_HALF_M)) * np.float32(100) - np.float32(0.5)
        along = f32(np.mod(view.travelled_m + self._z[cut:], TILE_M) / 0.04)
        near_y = np.repeat(along[:, None], near_x.shape[1], axis=1)
        ground[cut:] = cv2.remap(self._near, near_x, near_y, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
        sun, ambient = self._daylight(f32(view.travelled_m + self._z))
        light = sun[:, None] * f32(SUN_COLOUR) * np.float32(0.62) + ambient[:, None] * f32(SKY_COLOUR) * np.float32(
            0.52
        )
        ground *= light[:, None, :] * self._haze
        ground += (1 - self._haze) * f32(HAZE)
        canvas[self._first_row :] = ground

    def _average(self, edges_m: Floats) -> Floats:
        """The far texture's mean between successive places along the road: (rows, columns, 3)."""
        total = self._far_sum[-1]
        turns, rest = np.divmod(edges_m, TILE_M)
        place = rest / 0.1
        low = np.minimum(place.astype(np.intp), len(self._far_sum) - 2)
        share = (place - low)[:, None, None]
        sums = self._far_sum[low] * (1 - share) + self._far_sum[low + 1] * share + turns[:, None, None] * total
        return f32((sums[:-1] - sums[1:]) / (edges_m[:-1] - edges_m[1:])[:, None, None])


def _ground_texture(rng: np.random.Generator, half_m: float, across_m: float, along_m: float) -> Floats:
    """One tile of the ground, albedo (rows along the road, columns across, 3)."""
    columns, rows = round(2 * half_m / across_m), round(TILE_M / along_m)
    x = f32((np.arange(columns) + 0.5) * across_m - half_m)[None, :]
    s = f32((np.arange(rows) + 0.5) * along_m)[:, None]
    fine = fractal_noise(rng, (rows, columns), max(4.0, 0.08 / across_m), 3, wrap=True) - 0.5
    broad = fractal_noise(rng, (rows, columns), 4.0 / across_m, 4, wrap=True) - 0.5
    tarmac = 0.36 + 0.085 * fine + 0.05 * broad
    for lane in (*LANES_X_M, *ONCOMING_X_M):  # tyres polish two tracks, oil darkens the strip between them
        for track in (-0.8, 0.8):
            tarmac -= 0.030 * np.exp(-(((x - lane - track) / 0.32) ** 2))
        tarmac -= 0.018 * np.exp(-(((x - lane) / 0.35) ** 2))
    patch = (np.abs(x - 1.2) < 1.1) & (s > 14.2) & (s < 17.6)
    tarmac -= 0.04 * patch
    for seam in (-1.75 - 0.25, 5.0):
        tarmac -= 0.07 * np.exp(-(((x - seam) / 0.02) ** 2))
    colour = tarmac[..., None] * f32([1.03, 1.0, 0.98])
    worn = 0.82 + 0.3 * fine
    white = np.zeros((rows, columns), np.float32)
    dash = f32(np.clip(np.minimum(np.mod(s, 12.0) / 0.05, (4.5 - np.mod(s, 12.0)) / 0.05), 0, 1))
    for place, width, dashed in (
        (-1.75, 0.15, True),
        (1.75, 0.15, True),
        (-5.3, 0.2, False),
        (5.3, 0.2, False),
        (-12.15, 0.15, True),
        (-8.6, 0.2, False),
        (-15.7, 0.2, False),
    ):
        band = np.clip((width / 2 - np.abs(x - place)) / max(across_m, 0.01) + 0.5, 0, 1)
        white = np.maximum(white, band * dash if dashed else band * np.ones_like(s))
    colour += (f32([0.80, 0.82, 0.82]) - colour) * (white * np.clip(worn, 0, 1))[..., None]
    grass_noise = fractal_noise(rng, (rows, columns), 0.9 / across_m, 5, wrap=True)
    grass = f32([0.10, 0.25, 0.17]) + (grass_noise[..., None] - 0.5) * f32([0.09, 0.20, 0.19])
    gravel = f32([0.34, 0.37, 0.39]) * (0.8 + 0.5 * fine)[..., None]
    wobble = broad * 0.5

    def between(low: float, high: float) -> Floats:
        return f32(np.clip((x + wobble - low) / 0.12, 0, 1) * np.clip((high - x - wobble) / 0.12, 0, 1))

    for low, high in ((6.9, 7.7), (-7.6, -6.1), (-17.0, -16.3)):
        colour += (gravel - colour) * between(low, high)[..., None]
    for low, high in ((7.7, 999.0), (-999.0, -17.0)):
        colour += (grass - colour) * between(low, high)[..., None]
    return f32(colour)
