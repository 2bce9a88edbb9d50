"""Reads single NMEA 0183 sentences: checksum required, fields checked, void positions told apart.

RMC carries time, date, position, speed and course; GGA and GNS carry time, position, satellites and HDOP; GLL time
and position; ZDA time and date. Every satellite system's talker (GP, GL, GA, GB, GQ, GN for several) is one and the
same receiver. Specification: NMEA 0183 version 4.11, as receivers' manuals cite it.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date
from functools import reduce

import pynmea2

_LONGEST_SENTENCE = 200
_TALKERS = frozenset({"GP", "GN", "GL", "GA", "GB", "BD", "GI", "GQ", "QZ"})
_KINDS = frozenset({"RMC", "GGA", "GNS", "GLL", "ZDA"})
_GGA_FIXES = frozenset("12345")  # not 0: none, 6: estimated, 7: typed in, 8: simulated
_NO_FIX_MODES = frozenset("NMS")  # none, typed in, simulated; in GNS estimated (E) too
_KNOT_MPS = 1852 / 3600
_FASTEST_MPS = 1000.0
_SENTENCE = re.compile(r"\$([ -#%-)+-~]+)\*([0-9A-Fa-f]{2})[ \t\r\n]*")
_CLOCK = re.compile(r"([01]\d|2[0-3])([0-5]\d)([0-5]\d|60)(\.\d{1,9})?", re.ASCII)
_DAY = re.compile(r"(\d\d)(\d\d)(\d\d)", re.ASCII)
_NUMBER = re.compile(r"\d{1,9}(\.\d{1,9})?", re.ASCII)
_COUNT = re.compile(r"\d{1,3}", re.ASCII)
_LATITUDE = re.compile(r"([0-8]\d|90)([0-5]\d(?:\.\d{1,12})?)", re.ASCII)
_LONGITUDE = re.compile(r"(0\d\d|1[0-7]\d|180)([0-5]\d(?:\.\d{1,12})?)", re.ASCII)
_YEAR = re.compile(r"[0-9]{1,4}")
_FIRST_YEAR, _LAST_YEAR = 1980, 2200
"""GPS time begins in 1980; receivers that know no date yet tell its first day."""


class NmeaError(ValueError):
    """A line that is no intact sentence: no checksum, a wrong one, or fields that make no sense."""


@dataclass(frozen=True, slots=True)
class Sentence:
    """What one sentence tells; None is what it does not.

    ``clock_s`` is seconds since midnight UTC, ``position`` latitude and longitude in degrees, None when void.
    """

    kind: str
    clock_s: float | None
    position: tuple[float, float] | None
    day: date | None = None
    speed_mps: float | None = None
    course_deg: float | None = None
    satellites: int | None = None
    hdop: float | None = None

    @property
    def is_void(self) -> bool:
        """Whether it would tell a position if the receiver had one."""
        return self.position is None and self.kind != "ZDA"


def parse(line: str) -> Sentence | None:
    """One line of a receiver, noise before the ``$`` allowed; None for an intact sentence of no interest.

    Raises `NmeaError`.
    """
    found = _SENTENCE.fullmatch(line[max(line.rfind("$"), 0) :][:_LONGEST_SENTENCE])
    if found is None:
        raise NmeaError("no sentence with a checksum")
    body, stated = found.groups()
    if reduce(lambda sum_, letter: sum_ ^ ord(letter), body, 0) != int(stated, 16):
        raise NmeaError("wrong checksum")
    if body[:2] not in _TALKERS or body[2:6].rstrip(",") not in _KINDS or body[5:6] != ",":
        return None
    try:
        sentence = pynmea2.parse(f"${body}*{stated}", check=True)
    except (pynmea2.ParseError, ValueError) as error:
        raise NmeaError(str(error)) from None
    return _read(sentence)


def _read(sentence: pynmea2.NMEASentence) -> Sentence:
    kind = str(sentence.sentence_type)
    clock_s = _clock(_field(sentence, "timestamp"))
    if kind == "ZDA":
        return Sentence(kind, clock_s, None, _zda_day(sentence))
    position = _position(sentence) if clock_s is not None and _valid(sentence, kind) else None
    if kind == "RMC":
        speed = _number(_field(sentence, "spd_over_grnd"))
        course = _number(_field(sentence, "true_course"))
        return Sentence(
            kind,
            clock_s,
            position,
            _rmc_day(_field(sentence, "datestamp")),
            speed * _KNOT_MPS if speed is not None and speed * _KNOT_MPS <= _FASTEST_MPS else None,
            course if course is not None and course <= 360 else None,
        )
    if kind == "GLL":
        return Sentence(kind, clock_s, position)
    hdop = _number(_field(sentence, "horizontal_dil" if kind == "GGA" else "hdop"))
    count = _field(sentence, "num_sats")
    return Sentence(
        kind, clock_s, position, satellites=int(count) if _COUNT.fullmatch(count) else None, hdop=hdop or None
    )


def _field(sentence: pynmea2.NMEASentence, name: str) -> str:
    """A field as it was sent, empty where the sentence ends before it: pynmea2's own conversions guess."""
    index = type(sentence).name_to_idx[name]
    return str(sentence.data[index]).strip() if index < len(sentence.data) else ""


def _valid(sentence: pynmea2.NMEASentence, kind: str) -> bool:
    """Whether the receiver says that it has a fix of its own (not one typed in or simulated)."""
    if kind == "GGA":
        return _field(sentence, "gps_qual") in _GGA_FIXES
    if kind == "GNS":  # one letter per satellite system
        return any(mode not in _NO_FIX_MODES | {"E"} for mode in _field(sentence, "mode_indicator"))
    mode = _field(sentence, "mode_indicator" if kind == "RMC" else "faa_mode")
    return _field(sentence, "status") == "A" and mode not in _NO_FIX_MODES


def _position(sentence: pynmea2.NMEASentence) -> tuple[float, float] | None:
    """Degrees; None without a position, and for (0, 0), which is what some receivers tell before they know."""
    texts = [_field(sentence, name) for name in ("lat", "lat_dir", "lon", "lon_dir")]
    if not all(texts):
        return None
    latitude, longitude = _LATITUDE.fullmatch(texts[0]), _LONGITUDE.fullmatch(texts[2])
    if latitude is None or longitude is None or texts[1] not in {"N", "S"} or texts[3] not in {"E", "W"}:
        raise NmeaError("no latitude and longitude")
    north = float(latitude[1]) + float(latitude[2]) / 60
    east = float(longitude[1]) + float(longitude[2]) / 60
    if north > 90 or east > 180:
        raise NmeaError("no place on earth")
    if north == east == 0:
        return None
    return (north if texts[1] == "N" else -north), (east if texts[3] == "E" else -east)


def _clock(text: str) -> float | None:
    if not text:
        return None
    found = _CLOCK.fullmatch(text)
    if found is None:
        raise NmeaError("no time of day")
    hours, minutes, seconds, fraction = found.groups()
    return int(hours) * 3600 + int(minutes) * 60 + float(seconds + (fraction or ""))


def _rmc_day(text: str) -> date | None:
    found = _DAY.fullmatch(text)
    if found is None:
        return None
    year = int(found[3])
    return _date(year + (2000 if year < _FIRST_YEAR % 100 else 1900), int(found[2]), int(found[1]))


def _zda_day(sentence: pynmea2.NMEASentence) -> date | None:
    texts = [_field(sentence, name) for name in ("year", "month", "day")]
    return _date(*map(int, texts)) if all(_YEAR.fullmatch(text) for text in texts) else None


def _date(year: int, month: int, day: int) -> date | None:
    if not _FIRST_YEAR <= year <= _LAST_YEAR:
        return None
    try:
        return date(year, month, day)
    except ValueError:
        return None


def _number(text: str) -> float | None:
    return float(text) if _NUMBER.fullmatch(text) else None
