"""What a drive has found, as far as its summary tells it."""

from __future__ import annotations

from dataclasses import replace

from edge_client.types import TrackRead

SHOWN = 30
_RECENT = 1000
"""A read is changed or superseded soon after it came: no more uids than these are remembered."""


class FoundReads:
    """The last reads of a drive and how many there were, in memory that does not grow with the drive."""

    def __init__(self) -> None:
        self._last: dict[str, TrackRead] = {}
        self._recent: dict[str, None] = {}
        self._earlier = 0

    @property
    def last(self) -> list[TrackRead]:
        """The last ones in the order in which they came, without pictures."""
        return list(self._last.values())

    @property
    def count(self) -> int:
        """How many there are, those of before the last ones included."""
        return self._earlier + len(self._recent)

    def add(self, read: TrackRead) -> None:
        """A new read or a better one; what it supersedes goes."""
        for uid in read.supersedes:
            self.remove(uid)
        self._recent[read.uid] = None
        self._last[read.uid] = replace(read, crop_jpeg=b"", singles=())
        if len(self._last) > SHOWN:
            del self._last[next(iter(self._last))]
        if len(self._recent) > _RECENT:
            del self._recent[next(iter(self._recent))]
            self._earlier += 1

    def remove(self, uid: str) -> None:
        """A read that is none after all, such as one that the owner wants to be ignored."""
        self._last.pop(uid, None)
        self._recent.pop(uid, None)
