"""The drive's positions as a receiver would log them: NMEA 0183, GGA and RMC once a second."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

START = datetime(2025, 6, 14, 9, 30, 0, tzinfo=UTC)
START_LATITUDE_DEG, START_LONGITUDE_DEG, START_COURSE_DEG = 45.7489, 21.2087, 62.0
_EARTH_M = 6_371_000.0


@dataclass(frozen=True, slots=True)
class RoutePoint:
    """Where the car is; course in degrees clockwise from true north."""

    time_s: float
    latitude_deg: float
    longitude_deg: float
    speed_mps: float
    course_deg: float


def route(times_s: Sequence[float], speeds_mps: Sequence[float], headings_rad: Sequence[float]) -> list[RoutePoint]:
    """The way that comes of driving at these speeds along these headings (clockwise, 0 at the start)."""
    points: list[RoutePoint] = []
    latitude, longitude = START_LATITUDE_DEG, START_LONGITUDE_DEG
    before = times_s[0] if times_s else 0.0
    for time_s, speed, heading in zip(times_s, speeds_mps, headings_rad, strict=True):
        course = math.radians(START_COURSE_DEG) + heading
        way = speed * (time_s - before)
        latitude += math.degrees(way * math.cos(course) / _EARTH_M)
        longitude += math.degrees(way * math.sin(course) / (_EARTH_M * math.cos(math.radians(latitude))))
        before = time_s
        points.append(RoutePoint(time_s, latitude, longitude, speed, math.degrees(course) % 360))
    return points


def checksum(body: str) -> str:
    """NMEA 0183's checksum of what stands between ``$`` and ``*``: two hexadecimal digits."""
    value = 0
    for character in body.encode("ascii"):
        value ^= character
    return f"{value:02X}"


def sentences(point: RoutePoint) -> list[str]:
    """GGA and RMC for one point, complete with ``$`` and checksum, without line ends."""
    moment = START + timedelta(seconds=point.time_s)
    clock = moment.strftime("%H%M%S.") + f"{moment.microsecond // 10000:02d}"
    where = f"{_angle(point.latitude_deg, 2, 'NS')},{_angle(point.longitude_deg, 3, 'EW')}"
    knots = point.speed_mps * 3600 / 1852
    bodies = (
        f"GPGGA,{clock},{where},1,09,0.9,92.4,M,42.1,M,,",
        f"GPRMC,{clock},A,{where},{knots:.2f},{point.course_deg:.2f},{moment.strftime('%d%m%y')},,,A",
    )
    return [f"${body}*{checksum(body)}" for body in bodies]


def nmea(points: Sequence[RoutePoint]) -> str:
    """The log: the sentences of every point, lines ended as a receiver ends them."""
    return "".join(line + "\r\n" for point in points for line in sentences(point))


def _angle(value_deg: float, digits: int, letters: str) -> str:
    letter = letters[0] if value_deg >= 0 else letters[1]
    whole = int(abs(value_deg))
    minutes = (abs(value_deg) - whole) * 60
    if f"{minutes:.5f}".startswith("60"):
        whole, minutes = whole + 1, 0.0
    return f"{whole:0{digits}d}{minutes:08.5f},{letter}"
