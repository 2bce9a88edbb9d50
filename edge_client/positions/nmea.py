"""Reads fixes out of NMEA 0183 sentences: checksum required, void fixes refused.

NMEA 0183 RMC carries time, date, position, speed and course; GGA and GLL carry time and position only.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, time, timedelta

import pynmea2

_KNOT_MPS = 1852 / 3600
_LONGEST_SENTENCE = 200
_HALF_DAY_S = 43200.0
_DAY_S = 86400.0


@dataclass(frozen=True, slots=True)
class LogFix:
    """A fix of a log: degrees WGS 84, metres per second, degrees from true north.

    ``day_s`` is seconds since midnight UTC of the log's first day; it never falls. ``utc`` is None while the
    log has told no date.
    """

    day_s: float
    latitude_deg: float
    longitude_deg: float
    utc: datetime | None
    speed_mps: float | None = None
    course_deg: float | None = None


def fixes(lines: Iterable[str]) -> Iterator[LogFix]:
    """Valid fixes in the order of the log, one per time; lines that are broken or void are left out."""
    latest: LogFix | None = None
    day, today = 0.0, None
    for line in lines:
        sentence = _parse(line)
        if sentence is None:
            continue
        fix = _fix(sentence)
        if fix is None:
            continue
        if isinstance(sentence, pynmea2.RMC):
            today = _date(sentence) or today
        if latest is not None and fix.day_s + day < latest.day_s - _HALF_DAY_S:
            day += _DAY_S
        utc = None
        if today is not None:
            utc = datetime.combine(today, time(), UTC) + timedelta(seconds=fix.day_s)
        fix = replace(fix, day_s=fix.day_s + day, utc=utc)
        if latest is None or fix.day_s > latest.day_s:
            if latest is not None:
                yield latest
            latest = fix
        elif fix.day_s == latest.day_s:
            latest = _together(latest, fix)
    if latest is not None:
        yield latest


def _parse(line: str) -> pynmea2.NMEASentence | None:
    line = line.strip()
    if not line.startswith("$") or len(line) > _LONGEST_SENTENCE:
        return None
    try:
        return pynmea2.parse(line, check=True)
    except (pynmea2.ParseError, ValueError, TypeError):
        return None


def _fix(sentence: pynmea2.NMEASentence) -> LogFix | None:
    try:
        if isinstance(sentence, (pynmea2.RMC, pynmea2.GLL)):
            valid = sentence.status == "A"
        elif isinstance(sentence, pynmea2.GGA):
            valid = int(sentence.gps_qual or 0) > 0
        else:
            return None
        mode = getattr(sentence, "mode_indicator", None) or getattr(sentence, "faa_mode", None)
        clock = sentence.timestamp
        if not valid or mode == "N" or not isinstance(clock, time) or not (sentence.lat and sentence.lon):
            return None
        latitude, longitude = float(sentence.latitude), float(sentence.longitude)
        speed, course = None, None
        if isinstance(sentence, pynmea2.RMC):
            speed, course = _number(sentence.spd_over_grnd), _number(sentence.true_course)
    except (ValueError, TypeError, AttributeError):
        return None
    if not (abs(latitude) <= 90 and abs(longitude) <= 180) or not (sentence.lat_dir and sentence.lon_dir):
        return None
    day_s = clock.hour * 3600 + clock.minute * 60 + clock.second + clock.microsecond * 1e-6
    return LogFix(day_s, latitude, longitude, None, None if speed is None else speed * _KNOT_MPS, course)


def _together(first: LogFix, second: LogFix) -> LogFix:
    return replace(
        first,
        utc=first.utc or second.utc,
        speed_mps=first.speed_mps if first.speed_mps is not None else second.speed_mps,
        course_deg=first.course_deg if first.course_deg is not None else second.course_deg,
    )


def _number(value: object) -> float | None:
    if value is None or value == "":
        return None
    number = float(str(value))
    return number if math.isfinite(number) else None


def _date(sentence: pynmea2.NMEASentence) -> date | None:
    try:
        found = sentence.datestamp
    except (ValueError, TypeError):
        return None
    return found if isinstance(found, date) else None
