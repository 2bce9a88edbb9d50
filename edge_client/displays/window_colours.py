"""The colours of the in-car view by day and by night, and when which are worn."""

from __future__ import annotations

import math
from dataclasses import dataclass
from datetime import UTC, datetime

from edge_client.states import Grade

Colour = tuple[int, int, int]
"""Red, green, blue, 0..255."""

_NIGHT_BELOW_DEG, _DAY_ABOVE_DEG = -4.0, -2.0
_NIGHT_BELOW, _DAY_ABOVE = 45.0, 70.0


@dataclass(frozen=True, slots=True)
class Palette:
    """The colours of everything; ``brightness`` in 0..1 is what is left of the picture's."""

    ground: Colour
    panel: Colour
    line: Colour
    text: Colour
    dim: Colour
    ok: Colour
    note: Colour
    bad: Colour
    on_bad: Colour
    alert: Colour
    on_alert: Colour
    plate: Colour
    plate_strip: Colour
    plate_text: Colour
    brightness: float

    def of(self, grade: Grade) -> Colour:
        """The colour of a state."""
        return {Grade.OK: self.ok, Grade.NOTE: self.note, Grade.BAD: self.bad, Grade.OFF: self.dim}[grade]


DAY = Palette(
    ground=(229, 234, 239),
    panel=(255, 255, 255),
    line=(200, 208, 216),
    text=(12, 18, 24),
    dim=(82, 94, 106),
    ok=(0, 122, 62),
    note=(163, 84, 0),
    bad=(196, 18, 36),
    on_bad=(255, 255, 255),
    alert=(18, 74, 178),
    on_alert=(255, 255, 255),
    plate=(255, 255, 255),
    plate_strip=(20, 68, 160),
    plate_text=(8, 10, 14),
    brightness=1.0,
)
"""Dark on bright: readable with the sun on the screen."""

NIGHT = Palette(
    ground=(0, 0, 0),
    panel=(20, 13, 8),
    line=(58, 38, 22),
    text=(240, 170, 96),
    dim=(158, 106, 58),
    ok=(132, 158, 72),
    note=(236, 150, 36),
    bad=(255, 92, 64),
    on_bad=(24, 4, 0),
    alert=(236, 170, 70),
    on_alert=(22, 10, 0),
    plate=(30, 19, 11),
    plate_strip=(120, 70, 28),
    plate_text=(255, 196, 128),
    brightness=0.55,
)
"""Dim and without blue, which costs the eye its adaptation to the dark."""


def is_night(before: bool, elevation_deg: float | None, brightness: float | None) -> bool:
    """Whether it is night by the sun, else by the picture; ``before`` holds near the border.

    Args:
        before: what it was so far.
        elevation_deg: of the sun above the horizon, None where time or place are not known.
        brightness: mean of the picture's pixels over some seconds, 0..255, None without a picture.
    """
    if elevation_deg is not None:
        return elevation_deg < (_DAY_ABOVE_DEG if before else _NIGHT_BELOW_DEG)
    if brightness is not None:
        return brightness < (_DAY_ABOVE if before else _NIGHT_BELOW)
    return before


def sun_elevation_deg(utc: datetime, latitude_deg: float, longitude_deg: float) -> float:
    """How high the sun stands above the horizon, without refraction, to about 0.1 degrees until 2050.

    The low-precision formulas of the Astronomical Almanac (https://aa.usno.navy.mil/faq/sun_approx).
    """
    days = (utc - datetime(2000, 1, 1, 12, tzinfo=UTC)).total_seconds() / 86_400
    anomaly = math.radians((357.529 + 0.98560028 * days) % 360)
    mean_longitude_deg = (280.459 + 0.98564736 * days) % 360
    longitude = math.radians(mean_longitude_deg + 1.915 * math.sin(anomaly) + 0.020 * math.sin(2 * anomaly))
    obliquity = math.radians(23.439 - 0.00000036 * days)
    declination = math.asin(math.sin(obliquity) * math.sin(longitude))
    ascension = math.atan2(math.cos(obliquity) * math.sin(longitude), math.cos(longitude))
    sidereal_deg = (280.46061837 + 360.98564736629 * days + longitude_deg) % 360
    hour_angle = math.radians(sidereal_deg) - ascension
    latitude = math.radians(latitude_deg)
    sine = math.sin(latitude) * math.sin(declination) + math.cos(latitude) * math.cos(declination) * math.cos(
        hour_angle
    )
    return math.degrees(math.asin(max(-1.0, min(1.0, sine))))
