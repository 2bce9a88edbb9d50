"""Puts the sentences of one moment together to one fix, whichever talkers they come from."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, time, timedelta

from edge_client.positions.nmea import NmeaError, Sentence, parse

_HALF_DAY_S = 43200.0
_DAY_S = 86400.0
_AGREEING_EARLIER = 5
_SET_BACK_GAP_S = 1.0


@dataclass(frozen=True, slots=True)
class MomentFix:
    """A fix as sentences tell it: degrees WGS 84, metres per second, degrees from true north.

    ``day_s`` is seconds since midnight UTC of the first day; it never falls. ``utc`` is None while no sentence has
    told the date.
    """

    day_s: float
    latitude_deg: float
    longitude_deg: float
    utc: datetime | None
    speed_mps: float | None = None
    course_deg: float | None = None
    satellites: int | None = None
    hdop: float | None = None


class Moments:
    """Takes sentences in the order in which they come."""

    def __init__(self) -> None:
        self._latest: MomentFix | None = None
        self._day_s = 0.0
        self._date: tuple[date, float] | None = None
        self._earlier: list[float] = []

    def add(self, sentence: Sentence) -> MomentFix | None:
        """The fix of this sentence's moment, as far as it is known by now; None if it tells none, or an old one.

        The position is that of a moment's first sentence; the others add what it did not tell. The greatest number
        of satellites counts: with mixed talkers some sentences count one system only.
        """
        if sentence.day is not None and sentence.clock_s is not None:
            self._date = sentence.day, sentence.clock_s
        if sentence.position is None or sentence.clock_s is None:
            return None
        latest, clock_s = self._latest, sentence.clock_s
        if latest is not None and clock_s + self._day_s < latest.day_s - _HALF_DAY_S:
            self._day_s += _DAY_S
        if latest is not None and clock_s + self._day_s < latest.day_s and not self._set_back(clock_s, latest):
            return None
        self._earlier.clear()
        fix = MomentFix(
            clock_s + self._day_s,
            *sentence.position,
            self._utc(clock_s),
            sentence.speed_mps,
            sentence.course_deg,
            sentence.satellites,
            sentence.hdop,
        )
        same = latest is not None and fix.day_s == latest.day_s
        self._latest = _together(latest, fix) if same and latest is not None else fix
        return self._latest

    def _set_back(self, clock_s: float, latest: MomentFix) -> bool:
        """Whether the receiver's clock was set back, as several sentences in order say: then time goes on from here."""
        if self._earlier and clock_s < self._earlier[-1]:
            self._earlier.clear()
        self._earlier.append(clock_s)
        if len(self._earlier) < _AGREEING_EARLIER:
            return False
        self._day_s = latest.day_s + _SET_BACK_GAP_S - clock_s
        return True

    def _utc(self, clock_s: float) -> datetime | None:
        """The date was told at another time of day, perhaps on the other side of midnight."""
        if self._date is None:
            return None
        day, told_s = self._date
        if clock_s < told_s - _HALF_DAY_S:
            day += timedelta(days=1)
        elif clock_s > told_s + _HALF_DAY_S:
            day -= timedelta(days=1)
        return datetime.combine(day, time(), UTC) + timedelta(seconds=clock_s)


def fixes(lines: Iterable[str]) -> Iterator[MomentFix]:
    """Valid fixes in the order of the lines, one per moment; lines that are broken or void are left out."""
    moments = Moments()
    latest: MomentFix | None = None
    for line in lines:
        try:
            sentence = parse(line)
        except NmeaError:
            continue
        fix = moments.add(sentence) if sentence is not None else None
        if fix is None:
            continue
        if latest is not None and fix.day_s != latest.day_s:
            yield latest
        latest = fix
    if latest is not None:
        yield latest


def _together(first: MomentFix, second: MomentFix) -> MomentFix:
    counts = [count for count in (first.satellites, second.satellites) if count is not None]
    return replace(
        first,
        utc=first.utc or second.utc,
        speed_mps=first.speed_mps if first.speed_mps is not None else second.speed_mps,
        course_deg=first.course_deg if first.course_deg is not None else second.course_deg,
        satellites=max(counts, default=None),
        hdop=first.hdop if first.hdop is not None else second.hdop,
    )
