"""Keeps a plate from being listed twice: once by the live stream, and once by evidence read later."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from edge_client.tracking.text import same_plate
from edge_client.types import TrackRead

_SURE = 0.8
_KEPT = 500


@dataclass(frozen=True, slots=True)
class _Known:
    uid: str
    drive: str
    text: str
    confidence: float
    first: datetime
    last: datetime


class Doubles:
    """Remembers the plates of the drive; safe for all threads. ``same_plate_s`` is how far apart sights may be."""

    def __init__(self, same_plate_s: float) -> None:
        self._slack = timedelta(seconds=same_plate_s)
        self._lock = threading.Lock()
        self._live: dict[str, _Known] = {}
        self._late: deque[_Known] = deque(maxlen=_KEPT)
        self.count = 0

    def live(self, reads: Iterable[TrackRead]) -> list[TrackRead]:
        """Reads of the live stream, which take the place of late ones of the same plates."""
        with self._lock:
            return [self._with_late(read) for read in reads]

    def late(self, reads: Iterable[TrackRead]) -> list[TrackRead]:
        """Of reads of evidence those that the live stream does not have."""
        fresh = []
        with self._lock:
            for read in reads:
                if any(self._same(read, known) for known in self._live.values()):
                    self.count += 1
                    continue
                self._late.append(_known(read))
                fresh.append(read)
        return fresh

    def _with_late(self, read: TrackRead) -> TrackRead:
        for uid in read.supersedes:
            self._live.pop(uid, None)
        same = [known for known in self._late if self._same(read, known)]
        if same:
            read = replace(
                read,
                supersedes=tuple(dict.fromkeys((*read.supersedes, *(known.uid for known in same)))),
                first_seen=min(read.first_seen, *(known.first for known in same)),
            )
            new = [known for known in same if self._live.get(read.uid) is None]
            self.count += len(new)
        self._live[read.uid] = _known(read)
        if len(self._live) > _KEPT:
            del self._live[next(iter(self._live))]
        return read

    def _same(self, read: TrackRead, known: _Known) -> bool:
        if read.drive != known.drive:
            return False
        near = read.first_seen - self._slack <= known.last and known.first <= read.last_seen + self._slack
        sure = read.confidence >= _SURE and known.confidence >= _SURE
        return near and (read.text == known.text or same_plate(read.text, known.text, sure=sure))


def _known(read: TrackRead) -> _Known:
    return _Known(read.uid, read.drive, read.text, read.confidence, read.first_seen, read.last_seen)
