"""The dashcam's pinhole, its shake, and the bends of the road in front of it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from tools.demo.canvas import Floats, f32

MARGIN_FRACTION = 0.035
"""The scene is painted larger than the frame by this share on each side, so that shake never shows an edge."""


@dataclass(frozen=True, slots=True)
class Camera:
    """A pinhole at ``height_m`` over the road, looking ahead; pixels are those of the canvas with its margin."""

    width_px: int
    height_px: int
    focal_px: float
    centre_x_px: float
    horizon_y_px: float
    height_m: float = 1.32

    @classmethod
    def for_frame(cls, width_px: int, height_px: int) -> Camera:
        """The camera for frames of this size."""
        margin = margin_px(width_px)
        return cls(
            width_px=width_px + 2 * margin,
            height_px=height_px + 2 * margin,
            focal_px=1.0 * width_px,
            centre_x_px=width_px / 2 + margin,
            horizon_y_px=0.455 * height_px + margin,
        )


@dataclass(frozen=True, slots=True)
class View:
    """One moment of the drive: where the camera is and how the road bends ahead.

    ``travelled_m`` is the way along the road, ``lateral_m`` the camera's place right of the road's reference
    line, ``curvature_per_m`` the bend (positive to the right), ``heading_rad`` the panorama's turn.
    """

    camera: Camera
    time_s: float
    travelled_m: float
    lateral_m: float
    curvature_per_m: float
    heading_rad: float
    speed_mps: float
    frame_s: float

    def bend_m(self, ahead_m: NDArray[np.floating] | float) -> NDArray[np.floating] | float:
        """How far the road has swung to the right ``ahead_m`` in front; the bend eases off far away."""
        reach = 160.0
        near = np.minimum(ahead_m, reach)
        return 0.5 * self.curvature_per_m * near * near + self.curvature_per_m * reach * (ahead_m - near)

    def project(self, points: Floats) -> Floats:
        """Road points (..., 3) as (x right of the reference line, y up, z ahead of the camera) to pixels (..., 2).

        Points behind the camera are pulled to 0.5 m in front of it.
        """
        camera = self.camera
        ahead = np.maximum(points[..., 2], 0.5)
        x = points[..., 0] - self.lateral_m + self.bend_m(ahead)
        scale = camera.focal_px / ahead
        return np.stack(
            (
                f32(camera.centre_x_px + x * scale),
                f32(camera.horizon_y_px + (camera.height_m - points[..., 1]) * scale),
            ),
            axis=-1,
        )


def margin_px(width_px: int) -> int:
    """The canvas's margin on each side for frames of this width."""
    return max(4, round(width_px * MARGIN_FRACTION))


class Shake:
    """The camera's trembling on the windscreen: a small shift and roll for every moment, by seed."""

    def __init__(self, rng: np.random.Generator) -> None:
        self._phases = rng.uniform(0, 2 * np.pi, (3, 4))
        self._rates = 2 * np.pi * np.array([0.45, 1.3, 3.7, 8.5]) * rng.uniform(0.85, 1.15, (3, 4))
        self._weights = np.array([1.0, 0.55, 0.3, 0.14])

    def at(self, time_s: float, width_px: int, speed_mps: float) -> NDArray[np.float64]:
        """The 2x3 affine matrix from canvas to frame pixels at ``time_s``; trembles more when fast."""
        waves = (np.sin(self._rates * time_s + self._phases) * self._weights).sum(axis=1) / 2
        liveliness = 0.35 + 0.65 * min(speed_mps / 15, 1.3)
        shift_x, shift_y = waves[0] * 0.0022 * width_px, waves[1] * 0.0034 * width_px
        roll = waves[2] * 0.0022 * liveliness
        margin = margin_px(width_px)
        cosine, sine = np.cos(roll), np.sin(roll)
        turn = np.array([[cosine, -sine], [sine, cosine]])
        middle = np.array([width_px / 2 + margin, width_px * 9 / 32 + margin])
        offset = middle - margin - turn @ middle + np.array([shift_x, shift_y]) * liveliness
        return np.hstack((turn, offset[:, None]))
