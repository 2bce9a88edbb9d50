"""Keeps a plate from being listed twice: once by the live stream, and once by evidence read later."""

from __future__ import annotations

import threading
from collections.abc import Iterable
from dataclasses import replace
from datetime import timedelta

from edge_client.tracking.text import same_plate
from edge_client.types import Stamp, TrackRead

_SURE = 0.8
_KEPT = 100


class Doubles:
    """Remembers the latest plates; safe for all threads. ``same_plate_s`` is how far apart sights of one may be."""

    def __init__(self, same_plate_s: float) -> None:
        self._slack = timedelta(seconds=same_plate_s)
        self._lock = threading.Lock()
        self._live: dict[str, TrackRead] = {}
        self._late: dict[str, TrackRead] = {}
        self._seen: dict[str, tuple[Stamp, Stamp]] = {}  # sights by evidence of plates that the live stream has
        self.count = 0

    def live(self, reads: Iterable[TrackRead]) -> list[TrackRead]:
        """Reads of the live stream, which take the place of late ones of the same plates."""
        with self._lock:
            return [self._with_late(read) for read in reads]

    def late(self, reads: Iterable[TrackRead]) -> list[TrackRead]:
        """Reads of one stretch of evidence as they are to be saved.

        A plate that the live stream has too is its read again, with the times at which evidence shows it. One that an
        earlier stretch has takes that read's place: where a long gap is cut into stretches, a car may be in sight.
        """
        fresh = []
        with self._lock:
            earlier = list(self._late.values())
            for read in reads:
                same = [known for known in self._live.values() if self._same(read, known)]
                if same:
                    nearest = min(same, key=lambda known: _apart(read, known))
                    self.count += 1
                    self._note(nearest.uid, read.first, read.last)
                    fresh.append(self._extended(nearest))
                else:
                    both = read
                    for known in [known for known in earlier if self._same(read, known)]:
                        earlier.remove(known)
                        self._late.pop(known.uid, None)
                        self.count += 1
                        both = _joined(both, known)
                    _remember(self._late, both)
                    fresh.append(both)
        return fresh

    def _with_late(self, read: TrackRead) -> TrackRead:
        for uid in read.supersedes:
            self._live.pop(uid, None)
            if uid in self._seen:
                self._note(read.uid, *self._seen.pop(uid))
        for known in [known for known in self._late.values() if self._same(read, known)]:
            del self._late[known.uid]
            self.count += 1
            self._note(read.uid, known.first, known.last)
            read = replace(read, supersedes=(*read.supersedes, known.uid))
        before = self._live.get(read.uid)
        if before is not None:
            read = replace(read, supersedes=tuple(dict.fromkeys((*before.supersedes, *read.supersedes))))
        read = self._extended(read)
        _remember(self._live, read)
        return read

    def _note(self, uid: str, first: Stamp, last: Stamp) -> None:
        known = self._seen.get(uid, (first, last))
        self._seen[uid] = _earlier(known[0], first), _later(known[1], last)

    def _extended(self, read: TrackRead) -> TrackRead:
        if read.uid not in self._seen:
            return read
        return _seen_from_to(read, *self._seen[read.uid])

    def _same(self, read: TrackRead, known: TrackRead) -> bool:
        if read.drive != known.drive or _apart(read, known) > self._slack or not (read.text and known.text):
            return False
        sure = read.confidence >= _SURE and known.confidence >= _SURE
        return read.text == known.text or same_plate(read.text, known.text, sure=sure)


def _joined(read: TrackRead, known: TrackRead) -> TrackRead:
    """Both as one read, which takes the place of the known one; the surer one tells what it says."""
    told, other = (read, known) if read.confidence >= known.confidence else (known, read)
    looks = told.vehicle.merged(other.vehicle) if told.vehicle and other.vehicle else told.vehicle or other.vehicle
    joined = replace(told, uid=read.uid, vehicle=looks, supersedes=(*read.supersedes, *known.supersedes, known.uid))
    return _seen_from_to(joined, other.first, other.last)


def _seen_from_to(read: TrackRead, first: Stamp, last: Stamp) -> TrackRead:
    """The read with these sights too."""
    first, last = _earlier(first, read.first), _later(last, read.last)
    return replace(
        read,
        first_seen=first.utc,
        last_seen=last.utc,
        first_monotonic_s=first.monotonic_s,
        last_monotonic_s=last.monotonic_s,
    )


def _earlier(a: Stamp, b: Stamp) -> Stamp:
    return b if b.before(a) else a


def _later(a: Stamp, b: Stamp) -> Stamp:
    return b if a.before(b) else a


def _apart(a: TrackRead, b: TrackRead) -> timedelta:
    """The time between two sights; none when they overlap."""
    return max(a.first_seen - b.last_seen, b.first_seen - a.last_seen, timedelta())


def _remember(reads: dict[str, TrackRead], read: TrackRead) -> None:
    reads.pop(read.uid, None)
    reads[read.uid] = read
    if len(reads) > _KEPT:
        del reads[next(iter(reads))]
