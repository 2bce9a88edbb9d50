"""One plate as it was read so far: its single reads, their vote, and when it was seen."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass, field

from cloud_apis.contract import plate_confidence
from edge_client.tracking.choice import promise_px
from edge_client.tracking.motion import overlap, shape_of
from edge_client.tracking.vote import EMPTY, Ballot, Vote, vote
from edge_client.types import SingleRead, Stamp, TrackRead, Vehicle


def quality(single: SingleRead) -> float:
    """How much a single read counts: larger and sharper crops more, by the logarithm of what they promise."""
    return math.log2(max(promise_px(single.crop_width_px, single.sharpness, single.box.score), 8.0) / 4)


def _ballot(single: SingleRead) -> Ballot:
    told = plate_confidence(single.words) if single.words else min(single.confidences, default=0.0)
    return Ballot(single.text, single.confidences, quality(single), told)


def together(singles: Iterable[SingleRead], record: PlateRecord) -> bool:
    """Whether one frame shows both at different places: then they are two plates, however alike."""
    places = {(s.frame_number, s.track_id): s.box for s in record.singles}
    return any(
        frame == s.frame_number and track != s.track_id and not overlap(shape_of(box), shape_of(s.box))
        for s in singles
        for (frame, track), box in places.items()
    )


@dataclass(slots=True, eq=False)
class PlateRecord:
    """The reads of one passing car's plate; times are media seconds unless they say UTC.

    A record that is closed changes no more, unless a read comes late of what was seen before.
    """

    drive: str
    number: int
    first: Stamp
    last: Stamp
    last_s: float
    first_s: float = math.inf
    singles: list[SingleRead] = field(default_factory=list)
    vote: Vote = EMPTY
    supersedes: list[str] = field(default_factory=list)
    stored: bool = False
    saved_text: str | None = None
    saved_last: Stamp | None = None
    tracks: set[int] = field(default_factory=set)  # that it was read in, as far as they have not ended
    closed: bool = False
    vehicle: Vehicle | None = None

    @property
    def uid(self) -> str:
        """Unique over all drives."""
        return f"{self.drive}-{self.number}"

    def add(self, single: SingleRead, limit: int) -> None:
        """Take a further single read in; of more than ``limit`` the one that counts least goes."""
        self.singles.append(single)
        if len(self.singles) > limit:
            self.singles.remove(min(self.singles, key=lambda s: min(s.confidences, default=0.0) * quality(s)))
        self.vote = vote([_ballot(s) for s in self.singles])

    def absorb(self, other: PlateRecord, limit: int) -> None:
        """Take over another record of the same plate, which is to be removed from the store if it is there."""
        for single in other.singles:
            self.add(single, limit)
        if other.vehicle is not None:
            self.vehicle = self.vehicle.merged(other.vehicle) if self.vehicle is not None else other.vehicle
        self.seen(other.first, other.first_s)
        self.seen(other.last, other.last_s)
        self.tracks |= other.tracks
        self.closed = self.closed and other.closed
        self.supersedes.extend(other.supersedes)
        if other.stored:
            self.supersedes.append(other.uid)

    def seen(self, stamp: Stamp, time_s: float) -> None:
        """Note that the plate was seen at this time."""
        self.first = stamp if stamp.before(self.first) else self.first
        self.last = stamp if self.last.before(stamp) else self.last
        self.first_s = min(self.first_s, time_s)
        self.last_s = max(self.last_s, time_s)

    def shows(self, track: int) -> bool:
        """Whether the plate was read in this track."""
        return any(single.track_id == track for single in self.singles)

    def apart_s(self, track: int, time_s: float) -> float:
        """The time from that to the nearest read of this track."""
        times = [s.media_s for s in self.singles if s.track_id == track and s.media_s is not None]
        return min((abs(t - time_s) for t in times), default=math.inf)

    def away_s(self, time_s: float) -> float:
        """For how long the plate has not been seen at a time; how long before its begin the time lies."""
        return max(time_s - self.last_s, self.first_s - time_s, 0.0)

    def best(self) -> SingleRead:
        """The single read that shows the plate best: one that says what was voted, large and confident."""
        return max(
            self.singles,
            key=lambda s: (s.text == self.vote.text, min(s.confidences, default=0.0) * quality(s)),
        )

    def to_read(self) -> TrackRead:
        """The record as it is stored."""
        best = self.best()
        fix = best.fix
        return TrackRead(
            uid=self.uid,
            text=self.vote.text,
            confidence=self.vote.confidence,
            character_confidences=self.vote.confidences,
            first_seen=self.first.utc,
            last_seen=self.last.utc,
            latitude_deg=fix.latitude_deg if fix is not None else None,
            longitude_deg=fix.longitude_deg if fix is not None else None,
            fix_age_s=best.fix_age_s,
            crop_jpeg=best.crop_jpeg,
            singles=tuple(self.singles),
            supersedes=tuple(self.supersedes),
            drive=self.drive,
            ended=self.closed,
            utc_source=best.utc_source,
            speed_mps=fix.speed_mps if fix is not None else None,
            course_deg=fix.course_deg if fix is not None else None,
            satellites=fix.satellites if fix is not None else None,
            hdop=fix.hdop if fix is not None else None,
            vehicle=self.vehicle,
            first_monotonic_s=self.first.monotonic_s,
            last_monotonic_s=self.last.monotonic_s,
        )
