"""Gives a read the time and place that are known by the moment at which it is stored.

When a frame is captured its position may be carried on from the last fix, and its time may come from a clock that is
set later: what has come since makes both better.
"""

from __future__ import annotations

from dataclasses import replace
from operator import is_

from edge_client.clock import Correction, Timeline
from edge_client.types import PositionSource, SingleRead, TrackRead


class Settling:
    """For the reads of one drive; used by one thread."""

    def __init__(self, positions: PositionSource, drive: str = "") -> None:
        self._positions = positions
        self._drive = drive
        self._timeline = Timeline()

    def correct(self, correction: Correction) -> None:
        """Take in that the drive's clock was set."""
        self._timeline.add(correction)

    def settle(self, read: TrackRead) -> TrackRead:
        """The read as it is known now, the same object if nothing changed; so are reads of other drives."""
        if read.drive not in {"", self._drive}:
            return read
        singles = tuple(self._single(single) for single in read.singles)
        first, source = self._timeline.corrected(read.first_seen, read.utc_source, read.first_monotonic_s)
        last, _ = self._timeline.corrected(read.last_seen, read.utc_source, read.last_monotonic_s)
        if (first, last) == (read.first_seen, read.last_seen) and all(map(is_, singles, read.singles)):
            return read
        times = [first, last, *(single.utc for single in singles)]
        settled = replace(read, singles=singles, first_seen=min(times), last_seen=max(times), utc_source=source)
        best = next((n for o, n in zip(read.singles, singles, strict=True) if o.crop_jpeg is read.crop_jpeg), None)
        return _placed(settled, best) if best is not None else settled

    def _single(self, single: SingleRead) -> SingleRead:
        captured_s, media_s = single.captured_monotonic_s, single.media_s
        utc, source = self._timeline.corrected(single.utc, single.utc_source, captured_s)
        fix, age_s = single.fix, single.fix_age_s
        if captured_s is not None and media_s is not None:
            # A fix so long ago that it is forgotten by now: what was known at the capture stays.
            now = self._positions.at(media_s, captured_s)
            if now is not None and now != fix:
                fix, age_s = now, max(captured_s - now.monotonic_s, 0.0)
        if (utc, source, fix) == (single.utc, single.utc_source, single.fix):
            return single
        return replace(single, utc=utc, utc_source=source, fix=fix, fix_age_s=age_s)


def _placed(read: TrackRead, best: SingleRead) -> TrackRead:
    """The read with the position of its best single read."""
    fix = best.fix
    return replace(
        read,
        latitude_deg=fix.latitude_deg if fix is not None else None,
        longitude_deg=fix.longitude_deg if fix is not None else None,
        fix_age_s=best.fix_age_s,
        speed_mps=fix.speed_mps if fix is not None else None,
        course_deg=fix.course_deg if fix is not None else None,
        satellites=fix.satellites if fix is not None else None,
        hdop=fix.hdop if fix is not None else None,
    )
