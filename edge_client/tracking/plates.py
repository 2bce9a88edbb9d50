"""The plates of a drive: each single read finds its plate, each plate has one voted text.

A geometric track is only a hint here. Where frames lie far apart, one track may have run over two plates, or
one plate may have had several tracks: what was read decides.
"""

from __future__ import annotations

from datetime import datetime

from edge_client.config import ReadingSettings, ReadSettings
from edge_client.tracking.record import PlateRecord
from edge_client.tracking.text import distance, same_plate
from edge_client.tracking.vote import EMPTY, Vote
from edge_client.types import SingleRead, TrackRead

_SURE = 0.8
_WEAK = 0.5
_KEPT_RECORDS = 300
_HINT_TOLERANCE = 0.34  # of the length: how far reads of one geometric track may differ


class PlateBook:
    """All plates of one drive; pure state, driven from one thread. ``run_uid`` is unique to the drive."""

    def __init__(self, run_uid: str, reads: ReadSettings, reading: ReadingSettings) -> None:
        self._run_uid = run_uid
        self._reads = reads
        self._limit = reading.max_reads
        self._records: list[PlateRecord] = []
        self._of_track: dict[int, PlateRecord] = {}
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
        """Whether a vote is sure and long enough to be stored or shown."""
        settings = self._reads
        return (
            vote.confidence >= settings.min_confidence and settings.min_length <= len(vote.text) <= settings.max_length
        )

    def add(self, single: SingleRead, first_seen: datetime, time_s: float) -> list[TrackRead]:
        """Take a single read in; ``first_seen`` is when its track began. Gives the reads to store anew."""
        if not single.text:
            return []
        record = self._find(single, time_s)
        if record is None:
            return []
        before = record.vote
        record.add(single, self._limit)
        record.seen(single.utc, time_s)
        if record.frames.keys() <= {single.track_id}:
            record.seen(first_seen, time_s)
        record.frames[single.track_id] = max(single.frame_number, record.frames.get(single.track_id, -1))
        self._of_track[single.track_id] = record
        changed = record.vote != before
        record, merged = self._merge_equal(record)
        self._evict()
        if (changed or merged) and self.storable(record.vote):
            return [self._store(record)]
        return []

    def seen(self, track: int, utc: datetime, time_s: float) -> None:
        """Note that a track's plate was detected at this time."""
        record = self._of_track.get(track)
        if record is not None:
            record.seen(utc, time_s)

    def end_track(self, track: int) -> list[TrackRead]:
        """Forget a track; gives its plate's read once more when it was seen after it was stored."""
        record = self._of_track.pop(track, None)
        if record is None:
            return []
        record.frames.pop(track, None)
        return [self._store(record)] if record.stored and record.saved_last_seen != record.last_seen else []

    def end_all(self) -> list[TrackRead]:
        """End every track."""
        return [read for track in list(self._of_track) for read in self.end_track(track)]

    def _store(self, record: PlateRecord) -> TrackRead:
        record.stored = True
        record.saved_last_seen = record.last_seen
        return record.to_read()

    def _find(self, single: SingleRead, time_s: float) -> PlateRecord | None:
        """The plate that was read; a new one if need be; None for a doubtful read that fits nowhere."""
        hint = self._of_track.get(single.track_id)
        if hint is not None and _fits(hint, single.text):
            return hint
        confidence = min(single.confidences)
        other = self._same_plate(single, time_s, confidence)
        if other is not None:
            return other
        if hint is not None and hint.vote.confidence < _SURE:
            return hint
        if hint is not None and confidence < self._reads.min_confidence:
            return None
        self._made += 1
        record = PlateRecord(f"{self._run_uid}-{self._made}", single.utc, single.utc, time_s)
        self._records.append(record)
        return record

    def _same_plate(self, single: SingleRead, time_s: float, confidence: float) -> PlateRecord | None:
        best: tuple[float, PlateRecord] | None = None
        for record in self._records:
            text = record.vote.text
            if text != single.text:
                if abs(time_s - record.last_s) > self._reads.same_plate_s or self._together(record, single):
                    continue
                sure = confidence >= _SURE and record.vote.confidence >= _SURE
                if not same_plate(text, single.text, sure=sure):
                    continue
            gap = distance(text, single.text)
            if best is None or gap < best[0]:
                best = gap, record
        return best[1] if best is not None else None

    @staticmethod
    def _together(record: PlateRecord, single: SingleRead) -> bool:
        """Whether another track of the record was read in the very same frame: then they are two plates."""
        return any(frame == single.frame_number for track, frame in record.frames.items() if track != single.track_id)

    def _merge_equal(self, record: PlateRecord) -> tuple[PlateRecord, bool]:
        """Put records with the same voted text together into the oldest."""
        if record.vote.confidence < _WEAK:
            return record, False
        twins = [r for r in self._records if r.vote.text == record.vote.text]
        oldest = twins[0]
        for twin in twins[1:]:
            for single in twin.singles:
                oldest.add(single, self._limit)
            oldest.seen(twin.first_seen, twin.last_s)
            oldest.seen(twin.last_seen, twin.last_s)
            oldest.frames.update(twin.frames)
            oldest.supersedes.extend(twin.supersedes)
            if twin.stored:
                oldest.supersedes.append(twin.uid)
            self._records.remove(twin)
            for track, owner in self._of_track.items():
                if owner is twin:
                    self._of_track[track] = oldest
        return oldest, len(twins) > 1

    def _evict(self) -> None:
        """Keep memory bounded on long drives: the plate not seen for the longest time is let go."""
        if len(self._records) > _KEPT_RECORDS:
            active = set(map(id, self._of_track.values()))
            idle = [r for r in self._records if id(r) not in active]
            if idle:
                oldest = min(idle, key=lambda r: r.last_s)
                self._evicted += oldest.stored
                self._records.remove(oldest)


def _fits(record: PlateRecord, text: str) -> bool:
    voted = record.vote.text
    return not voted or distance(voted, text) <= _HINT_TOLERANCE * max(len(voted), len(text), 1)
