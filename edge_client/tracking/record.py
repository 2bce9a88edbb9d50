"""One plate as it was read so far: its single reads, their vote, and when it was seen."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime

from edge_client.tracking.motion import overlap, shape_of
from edge_client.tracking.vote import EMPTY, Ballot, Vote, vote
from edge_client.types import SingleRead, TrackRead


def quality(single: SingleRead) -> float:
    """How much a single read counts: larger crops more, by the logarithm of their width."""
    return math.log2(max(single.crop_width_px, 8) / 4)


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
    """The reads of one plate over a drive; times are media seconds unless they say UTC."""

    uid: str
    first_seen: datetime
    last_seen: datetime
    last_s: float
    singles: list[SingleRead] = field(default_factory=list)
    vote: Vote = EMPTY
    supersedes: list[str] = field(default_factory=list)
    stored: bool = False
    saved_text: str | None = None
    saved_last_seen: datetime | None = None
    frames: dict[int, int] = field(default_factory=dict)  # track -> last frame in which it was read

    def add(self, single: SingleRead, limit: int) -> None:
        """Take a further single read in; of more than ``limit`` the one that counts least goes."""
        self.singles.append(single)
        if len(self.singles) > limit:
            self.singles.remove(min(self.singles, key=lambda s: min(s.confidences, default=0.0) * quality(s)))
        self.vote = vote([Ballot(s.text, s.confidences, quality(s)) for s in self.singles])

    def absorb(self, other: PlateRecord, limit: int) -> None:
        """Take over another record of the same plate, which is to be removed from the store if it is there."""
        for single in other.singles:
            self.add(single, limit)
        self.seen(other.first_seen, other.last_s)
        self.seen(other.last_seen, other.last_s)
        self.frames.update(other.frames)
        self.supersedes.extend(other.supersedes)
        if other.stored:
            self.supersedes.append(other.uid)

    def seen(self, utc: datetime, time_s: float) -> None:
        """Note that the plate was seen at this time."""
        self.first_seen = min(self.first_seen, utc)
        self.last_seen = max(self.last_seen, utc)
        self.last_s = max(self.last_s, time_s)

    def best(self) -> SingleRead:
        """The single read that shows the plate best: one that says what was voted, large and confident."""
        return max(
            self.singles,
            key=lambda s: (s.text == self.vote.text, min(s.confidences, default=0.0) * quality(s)),
        )

    def to_read(self) -> TrackRead:
        """The record as it is stored."""
        best = self.best()
        return TrackRead(
            uid=self.uid,
            text=self.vote.text,
            confidence=self.vote.confidence,
            character_confidences=self.vote.confidences,
            first_seen=self.first_seen,
            last_seen=self.last_seen,
            latitude_deg=best.fix.latitude_deg if best.fix is not None else None,
            longitude_deg=best.fix.longitude_deg if best.fix is not None else None,
            fix_age_s=best.fix_age_s,
            crop_jpeg=best.crop_jpeg,
            singles=tuple(self.singles),
            supersedes=tuple(self.supersedes),
        )
