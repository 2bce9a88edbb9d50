"""Distances on the earth, and lines that cross the antimeridian."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Final

EARTH_RADIUS_M: Final = 6_371_008.8
"""Mean radius of WGS 84 (IUGG)."""

LonLat = tuple[float, float]


def haversine_m(latitude_a: float, longitude_a: float, latitude_b: float, longitude_b: float) -> float:
    """Metres between two places in degrees along a great circle of a sphere; within 0.6 % of the ellipsoid."""
    a, b = math.radians(latitude_a), math.radians(latitude_b)
    half_north = math.sin((b - a) / 2) ** 2
    half_east = math.sin(math.radians(longitude_b - longitude_a) / 2) ** 2
    return 2 * EARTH_RADIUS_M * math.asin(math.sqrt(min(1.0, half_north + math.cos(a) * math.cos(b) * half_east)))


def cut_at_antimeridian(line: Sequence[LonLat]) -> list[list[LonLat]]:
    """A line in parts none of which jumps from +180° to -180° (RFC 7946, 3.1.9); parts of one point are left out."""
    parts: list[list[LonLat]] = [[]]
    for longitude, latitude in line:
        if parts[-1]:
            before, north = parts[-1][-1]
            if abs(longitude - before) > 180:
                edge = math.copysign(180.0, before)
                way = longitude + math.copysign(360.0, before) - before
                crossing = north + (latitude - north) * ((edge - before) / way if way else 0.0)
                parts[-1].append((edge, crossing))
                parts.append([(-edge, crossing)])
        parts[-1].append((longitude, latitude))
    return [part for part in parts if len(part) > 1]
