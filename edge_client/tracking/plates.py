"""The plates of a drive: each single read finds its plate, each plate has one voted text.

A geometric track is only a hint here. Where frames lie far apart, one track may have run over two plates, or
one plate may have had several tracks: what was read decides.
"""

from __future__ import annotations

from collections.abc import Sequence

from edge_client.config import ReadingSettings, ReadSettings
from edge_client.tracking.record import PlateRecord, together
from edge_client.tracking.text import distance, same_plate
from edge_client.tracking.vote import EMPTY, Vote
from edge_client.types import SingleRead, Stamp, TrackRead, Vehicle

_SURE = 0.8
_WEAK = 0.5
_COMPANY = 2
_KEPT_RECORDS = 300
_UNKNOWN = Vehicle()
_TRACK_TOLERANCE = 0.34  # of the length: how far reads of one plate in one geometric track may differ


class PlateBook:
    """All plates of one drive; pure state, driven from one thread. ``run_uid`` is unique to the drive."""

    def __init__(self, run_uid: str, reads: ReadSettings, reading: ReadingSettings) -> None:
        self._run_uid = run_uid
        self._reads = reads
        self._limit = reading.max_reads
        self._passed_s = max(reading.passed_s, reads.same_plate_s)
        self._records: list[PlateRecord] = []
        self._of_track: dict[int, PlateRecord] = {}
        self._looks: dict[int, Vehicle] = {}
        self._made = 0
        self._evicted = 0

    @property
    def count(self) -> int:
        """Plates that were read well enough to be stored."""
        return self._evicted + sum(r.stored for r in self._records)

    def vote_of(self, track: int) -> Vote:
        """The voted read of a track's plate, empty while there is none."""
        record = self._of_track.get(track)
        return record.vote if record is not None else EMPTY

    def storable(self, vote: Vote) -> bool:
        """Whether a vote is sure and long enough to be stored or shown; a lone read must be surer."""
        settings = self._reads
        sure = vote.support >= _COMPANY or vote.plate_confidence >= settings.min_lone_confidence
        likely = sure and vote.confidence >= settings.min_confidence
        return likely and settings.min_length <= len(vote.text) <= settings.max_length

    def contradicts(self, single: SingleRead) -> bool:
        """Whether a read is of another plate than the one known of its track, by what was read."""
        known = self.vote_of(single.track_id).text
        return bool(known) and bool(single.text) and not _one_track(known, single.text)

    def add(self, single: SingleRead, began: Stamp, time_s: float) -> list[TrackRead]:
        """Take a single read in; ``began`` is when its track began. Gives the reads to store anew."""
        if not single.text:
            return []
        record = self._find(single, time_s)
        before = record.vote
        record.add(single, self._limit)
        record.seen(_stamp(single), time_s)
        if self._of_track.get(single.track_id, record) is record and record.tracks <= {single.track_id}:
            record.seen(began, time_s)
        record.tracks.add(single.track_id)
        changed = self._take_look(record, single.track_id) or record.vote != before
        record, merged = self._merge(record)
        shown = self._of_track.get(single.track_id)
        if shown is None or self.storable(record.vote) or not self.storable(shown.vote):
            self._of_track[single.track_id] = record  # a stray read does not hide what is well read
        self._evict()
        # What is in the list stays there, also where another record of the plate makes its text less sure.
        replaces = merged and (record.stored or bool(record.supersedes))
        if (changed or merged) and (self.storable(record.vote) or replaces):
            return [self._store(record)]
        return []

    def describe(self, track: int, vehicle: Vehicle, time_s: float) -> list[TrackRead]:
        """Note what a track's car looked like at this time; gives the reads to store anew."""
        self._looks[track] = vehicle.merged(self._looks.get(track, _UNKNOWN))
        owners = [r for r in self._records if r.shows(track)]
        if not owners:
            return []
        # A stray read has no car of its own; of two cars in one track it is the one that was read about then.
        owner = min(owners, key=lambda r: (not self.storable(r.vote), r.apart_s(track, time_s)))
        owner.vehicle = vehicle.merged(owner.vehicle or _UNKNOWN)
        return [self._store(owner)] if self._again(owner) else []

    def look_of(self, track: int) -> Vehicle | None:
        """What is known of a track's car."""
        record = self._of_track.get(track)
        return record.vehicle if record is not None and record.vehicle is not None else self._looks.get(track)

    def has_another_car(self, track: int) -> bool:
        """Whether a track has another plate now than the one whose car was described; that is then forgotten."""
        record = self._of_track.get(track)
        another = record is not None and record.vehicle is None and self.storable(record.vote) and track in self._looks
        if another:
            del self._looks[track]
        return another

    def listed(self, track: int) -> bool:
        """Whether a plate that was read in this track is in the list."""
        return any(record.stored and record.shows(track) for record in self._records)

    def seen(self, track: int, stamp: Stamp, time_s: float) -> None:
        """Note that a track's plate was detected at this time."""
        record = self._of_track.get(track)
        if record is not None:
            record.seen(stamp, time_s)

    def end_track(self, track: int) -> list[TrackRead]:
        """Forget a track; gives its plate's read once more when it was seen after it was stored."""
        self._of_track.pop(track, None)
        self._looks.pop(track, None)
        again = []
        for record in self._records:
            if track in record.tracks:
                record.tracks.discard(track)
                if self._again(record) and record.saved_last != record.last:
                    again.append(self._store(record))
        return again

    def close_idle(self, now_s: float) -> list[TrackRead]:
        """Close the records of cars that have passed; gives their reads for the last time."""
        return self._close([r for r in self._records if not r.tracks and now_s - r.last_s > self._passed_s])

    def end_all(self) -> list[TrackRead]:
        """The drive is over: close every record."""
        self._of_track.clear()
        return self._close(self._records)

    def _take_look(self, record: PlateRecord, track: int) -> bool:
        """Give a record the look of its track's car, unless that is another plate's."""
        look = self._looks.get(track)
        if look is None or record.vehicle is not None:
            return False
        if any(r.vehicle is not None and r.shows(track) and self.storable(r.vote) for r in self._records):
            return False
        record.vehicle = look
        return True

    def _close(self, records: Sequence[PlateRecord]) -> list[TrackRead]:
        closing = [r for r in records if not r.closed]
        for record in closing:
            record.tracks.clear()
            record.closed = True
        return [self._store(r) for r in closing if self._again(r)]

    def _again(self, record: PlateRecord) -> bool:
        """Whether a stored read may be stored once more: later doubts do not replace the text that was sure."""
        return record.stored and (self.storable(record.vote) or record.vote.text == record.saved_text)

    def _store(self, record: PlateRecord) -> TrackRead:
        record.stored = True
        record.saved_text = record.vote.text
        record.saved_last = record.last
        return record.to_read()

    def _find(self, single: SingleRead, time_s: float) -> PlateRecord:
        """The plate that was read: first of those of its track, then of the others, else a new one."""
        return (
            self._of_same_track(single)
            or self._same_plate(single, time_s, min(single.confidences))
            or self._new(single, time_s)
        )

    def _of_same_track(self, single: SingleRead) -> PlateRecord | None:
        text = single.text
        found = None
        least = float("inf")
        for record in self._records:
            if single.track_id in record.tracks and _one_track(record.vote.text, text):
                gap = distance(record.vote.text, text)
                if gap < least:
                    found, least = record, gap
        return found

    def _new(self, single: SingleRead, time_s: float) -> PlateRecord:
        self._made += 1
        record = PlateRecord(self._run_uid, self._made, _stamp(single), _stamp(single), time_s)
        self._records.append(record)
        return record

    def _same_plate(self, single: SingleRead, time_s: float, confidence: float) -> PlateRecord | None:
        best: tuple[float, PlateRecord] | None = None
        for record in self._records:
            if self._alike(record, single.text, confidence, time_s) and not together([single], record):
                gap = distance(record.vote.text, single.text)
                if best is None or gap < best[0]:
                    best = gap, record
        return best[1] if best is not None else None

    def _alike(self, record: PlateRecord, text: str, confidence: float, time_s: float) -> bool:
        away_s = record.away_s(time_s)
        if away_s <= self._passed_s and text in {record.vote.text, record.saved_text}:
            return True
        if away_s > self._reads.same_plate_s:
            return False
        return same_plate(record.vote.text, text, sure=confidence >= _SURE and record.vote.confidence >= _SURE)

    def _merge(self, record: PlateRecord) -> tuple[PlateRecord, bool]:
        """Put records that turned out to be of one plate together into the oldest."""
        vote = record.vote
        if vote.confidence < _WEAK:
            return record, False
        twins = [
            r
            for r in self._records
            if r is record
            or (r.away_s(record.last_s) <= self._passed_s and vote.text in {r.vote.text, r.saved_text})
            or (self._alike(r, vote.text, vote.confidence, record.last_s) and not together(r.singles, record))
        ]
        oldest = twins[0]
        for twin in twins[1:]:
            oldest.absorb(twin, self._limit)
            self._records.remove(twin)
            for track, owner in self._of_track.items():
                if owner is twin:
                    self._of_track[track] = oldest
        return oldest, len(twins) > 1

    def _evict(self) -> None:
        """Keep memory bounded on long drives: the plate not seen for the longest time is let go.

        Closed records are kept for reads that come late; others are not let go, as tracks end and records close.
        """
        if len(self._records) > _KEPT_RECORDS:
            closed = [r for r in self._records if r.closed]
            if closed:
                oldest = min(closed, key=lambda r: r.last_s)
                self._evicted += oldest.stored
                self._records.remove(oldest)


def _one_track(known: str, text: str) -> bool:
    """Whether two reads in one geometric track may be of one plate."""
    return distance(known, text) <= _TRACK_TOLERANCE * max(len(known), len(text))


def _stamp(single: SingleRead) -> Stamp:
    return Stamp(single.utc, single.captured_monotonic_s)
