"""What was read of what passed by: inside the gap and outside of it, where and when."""

from __future__ import annotations

import math
from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from edge_client.geodesy import haversine_m
from tools.demo.route import START, RoutePoint
from tools.demo.score import distance
from tools.drive.film import Pass
from tools.drive.gap import Gap

_SLACK_S = 3.0
_SAME_PLATE_S = 30.0  # reads.same_plate_s as shipped
_NEAR_ERRORS = 2


@dataclass(frozen=True, slots=True)
class KeptRead:
    """A read of the list: its text, its times in seconds of the film, and where it was."""

    text: str
    start_s: float
    end_s: float
    latitude_deg: float | None
    longitude_deg: float | None


@dataclass(frozen=True, slots=True)
class Score:
    """What came of the passes.

    `expected_in_gap` are passes in the gap of plates that are read outside of it more often than not, and that do
    not pass again so soon that it counts as one record;
    `missed_in_gap` names those of them that were not read. `doubled` passes have more than one record,
    `foreign` reads belong to no plate.
    """

    readable: int
    read_right: int
    expected_in_gap: int
    read_in_gap: int
    missed_in_gap: tuple[str, ...]
    doubled: int
    foreign: tuple[str, ...]
    worst_place_m: float | None
    without_place: int

    @property
    def share(self) -> float:
        """Share of the readable passes that were read without an error."""
        return self.read_right / self.readable if self.readable else 0.0


def film_time_s(utc: datetime) -> float:
    """Seconds of the film: its log's first fix is its beginning."""
    return (utc - START) / timedelta(seconds=1)


def score(passes: Sequence[Pass], reads: Sequence[KeptRead], points: Sequence[RoutePoint], gap: Gap | None) -> Score:
    """Sets the reads beside the passes."""
    by_text: dict[str, list[KeptRead]] = defaultdict(list)
    for read in reads:
        by_text[read.text].append(read)
    counts = {p: len(_records(p, by_text[p.text])) for p in passes}
    readable = [p for p in passes if p.readable]
    inside = [p for p in readable if gap is not None and _within(p, gap)]
    tries, hits = Counter(p.text for p in readable if p not in inside), Counter[str]()
    for p in readable:
        hits[p.text] += p not in inside and counts[p] > 0
    alone = [p for p in inside if not any(_may_be_one(p, other) for other in passes)]
    expected = [p for p in alone if tries[p.text] and hits[p.text] * 2 > tries[p.text]]
    missed = tuple(f"{p.text} at {p.start_s:.0f} s" for p in expected if not counts[p])
    known = {p.text for p in passes}
    places = [d for read in reads if (d := _off_route_m(read, points)) is not None]
    return Score(
        readable=len(readable),
        read_right=sum(counts[p] > 0 for p in readable),
        expected_in_gap=len(expected),
        read_in_gap=len(expected) - len(missed),
        missed_in_gap=missed,
        doubled=sum(n > 1 for n in counts.values()),
        foreign=tuple(sorted({r.text for r in reads if all(distance(r.text, k) > _NEAR_ERRORS for k in known)})),
        worst_place_m=max(places, default=None),
        without_place=sum(read.latitude_deg is None for read in reads),
    )


def _records(passing: Pass, reads: Sequence[KeptRead]) -> list[KeptRead]:
    """Reads with the plate's text that were seen while it passed."""
    return [r for r in reads if r.start_s <= passing.end_s + _SLACK_S and r.end_s >= passing.start_s - _SLACK_S]


def _may_be_one(passing: Pass, other: Pass) -> bool:
    """Whether another pass of the same plate is so near that the list may hold one record for both."""
    apart_s = max(passing.start_s - other.end_s, other.start_s - passing.end_s)
    return passing != other and passing.text == other.text and apart_s < _SAME_PLATE_S


def _within(passing: Pass, gap: Gap) -> bool:
    return passing.start_s >= gap.start_s and passing.end_s <= gap.end_s


def _off_route_m(read: KeptRead, points: Sequence[RoutePoint]) -> float | None:
    """Metres from the read's place to the nearest place of the car while the plate was seen."""
    if read.latitude_deg is None or read.longitude_deg is None:
        return None
    first, last = math.floor(read.start_s), math.ceil(read.end_s)
    near = [p for p in points if first <= p.time_s <= last]
    if not near:
        return None
    return min(haversine_m(read.latitude_deg, read.longitude_deg, p.latitude_deg, p.longitude_deg) for p in near)
