"""The shapes of the cars: profiles in metres and the meshes made from them.

A car's own frame: x to the right from its middle, y up from the road, z ahead from its rearmost point. One end
of a car is a relief: for every height y a half width w(y) and a depth p(y), rounded off towards the corners.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from tools.demo.canvas import Floats, f32

Profile = tuple[tuple[float, float], ...]
"""(height, value) pairs with rising heights, joined by straight lines and then smoothed."""


@dataclass(frozen=True, slots=True)
class Body:
    """One kind of car; ``rear`` and ``front`` give the depth of each height behind the outermost point."""

    name: str
    length_m: float
    height_m: float
    half_width: Profile
    rear: Profile
    front: Profile
    corner_m: float
    belt_m: float
    window: tuple[float, float]
    lamp: tuple[float, float]
    lamp_width_m: float
    plate_y_m: float
    wheel_m: float = 0.33

    def width_at(self, heights_m: Floats) -> Floats:
        """Half the body's width at these heights."""
        return smooth_profile(self.half_width, heights_m)

    def depth_at(self, heights_m: Floats, front: bool = False) -> Floats:
        """How far behind the end's outermost point the middle of the body lies at these heights."""
        return smooth_profile(self.front if front else self.rear, heights_m)


def smooth_profile(profile: Profile, heights_m: Floats) -> Floats:
    """The profile at these heights, with its corners eased over about 4 cm."""
    ys, values = np.array(profile, dtype=np.float64).T
    spread = np.linspace(-0.035, 0.035, 9)
    weight = np.hanning(11)[1:-1]
    sampled = np.interp(np.asarray(heights_m, dtype=np.float64)[..., None] + spread, ys, values)
    return f32((sampled * weight).sum(axis=-1) / weight.sum())


_FRONT: Profile = (
    (0.2, 0.08),
    (0.34, 0.0),
    (0.62, 0.03),
    (0.74, 0.16),
    (0.86, 0.7),
    (0.98, 1.15),
    (1.38, 1.95),
    (1.5, 2.3),
)

HATCHBACK = Body(
    name="hatchback",
    length_m=4.1,
    height_m=1.47,
    corner_m=0.3,
    belt_m=0.94,
    window=(0.99, 1.36),
    half_width=(
        (0.2, 0.79),
        (0.32, 0.86),
        (0.6, 0.89),
        (0.88, 0.885),
        (0.98, 0.85),
        (1.36, 0.66),
        (1.425, 0.6),
        (1.455, 0.52),
        (1.47, 0.38),
    ),
    rear=(
        (0.2, 0.08),
        (0.3, 0.01),
        (0.55, 0.0),
        (0.6, 0.05),
        (0.95, 0.13),
        (1.36, 0.42),
        (1.4, 0.34),
        (1.43, 0.37),
        (1.47, 0.62),
    ),
    front=_FRONT,
    lamp=(0.72, 1.0),
    lamp_width_m=0.33,
    plate_y_m=0.78,
)
SALOON = Body(
    name="saloon",
    length_m=4.7,
    height_m=1.44,
    corner_m=0.26,
    belt_m=0.95,
    window=(1.05, 1.36),
    half_width=(
        (0.2, 0.8),
        (0.32, 0.88),
        (0.6, 0.91),
        (0.85, 0.9),
        (0.99, 0.85),
        (1.06, 0.76),
        (1.34, 0.62),
        (1.4, 0.56),
        (1.43, 0.46),
        (1.44, 0.34),
    ),
    rear=(
        (0.2, 0.09),
        (0.3, 0.01),
        (0.55, 0.0),
        (0.61, 0.05),
        (0.9, 0.1),
        (0.99, 0.07),
        (1.03, 0.3),
        (1.07, 0.62),
        (1.36, 1.2),
        (1.42, 1.5),
        (1.44, 1.75),
    ),
    front=_FRONT,
    lamp=(0.74, 0.95),
    lamp_width_m=0.42,
    plate_y_m=0.8,
)
SUV = Body(
    name="suv",
    length_m=4.6,
    height_m=1.68,
    corner_m=0.27,
    belt_m=1.08,
    window=(1.14, 1.54),
    wheel_m=0.37,
    half_width=(
        (0.2, 0.8),
        (0.36, 0.9),
        (0.65, 0.93),
        (1.0, 0.925),
        (1.12, 0.89),
        (1.54, 0.71),
        (1.62, 0.65),
        (1.66, 0.55),
        (1.68, 0.4),
    ),
    rear=(
        (0.2, 0.1),
        (0.34, 0.02),
        (0.62, 0.0),
        (0.68, 0.06),
        (1.08, 0.1),
        (1.56, 0.34),
        (1.6, 0.24),
        (1.64, 0.28),
        (1.68, 0.55),
    ),
    front=((0.2, 0.1), (0.36, 0.0), (0.75, 0.03), (0.95, 0.16), (1.05, 0.8), (1.12, 1.2), (1.58, 1.9), (1.7, 2.3)),
    lamp=(0.9, 1.2),
    lamp_width_m=0.26,
    plate_y_m=0.9,
)
ESTATE = Body(
    name="estate",
    length_m=4.75,
    height_m=1.48,
    corner_m=0.26,
    belt_m=0.97,
    window=(1.02, 1.37),
    half_width=(
        (0.2, 0.8),
        (0.32, 0.88),
        (0.6, 0.91),
        (0.9, 0.9),
        (1.0, 0.86),
        (1.37, 0.68),
        (1.43, 0.62),
        (1.465, 0.52),
        (1.48, 0.38),
    ),
    rear=(
        (0.2, 0.08),
        (0.3, 0.01),
        (0.55, 0.0),
        (0.6, 0.05),
        (0.97, 0.1),
        (1.37, 0.5),
        (1.41, 0.4),
        (1.44, 0.44),
        (1.48, 0.7),
    ),
    front=_FRONT,
    lamp=(0.74, 1.0),
    lamp_width_m=0.36,
    plate_y_m=0.78,
)
VAN = Body(
    name="van",
    length_m=5.0,
    height_m=1.96,
    corner_m=0.12,
    belt_m=1.15,
    window=(1.2, 1.74),
    wheel_m=0.34,
    half_width=(
        (0.2, 0.86),
        (0.36, 0.94),
        (0.7, 0.96),
        (1.15, 0.955),
        (1.74, 0.84),
        (1.88, 0.8),
        (1.94, 0.72),
        (1.96, 0.6),
    ),
    rear=((0.2, 0.12), (0.34, 0.02), (0.5, 0.0), (0.56, 0.06), (1.15, 0.09), (1.78, 0.2), (1.88, 0.22), (1.96, 0.45)),
    front=((0.2, 0.1), (0.36, 0.0), (0.8, 0.04), (1.0, 0.2), (1.15, 0.8), (1.8, 1.5), (1.96, 1.9)),
    lamp=(0.78, 1.22),
    lamp_width_m=0.15,
    plate_y_m=0.86,
)
BODIES = (HATCHBACK, SALOON, SUV, ESTATE, VAN)
