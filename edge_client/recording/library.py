"""What has been recorded, found by scanning the folder: there is no other book that could disagree."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

from edge_client.geodesy import haversine_m
from edge_client.recording.locks import lock_reason
from edge_client.recording.names import SegmentName
from edge_client.recording.stock import in_use, stock_of
from edge_client.recording.track import CUT, Point, Track, read_track, start_of
from edge_client.types import UtcSource

_DRIFT_S = 0.5


@dataclass(frozen=True, slots=True)
class Recording:
    """A segment with all that its files say.

    ``start`` is corrected by what its drive came to know of the time; None when nothing says it.
    ``lock`` is the reason of the lock, None without one. ``open`` segments are being written.
    """

    name: SegmentName
    video: Path
    size_bytes: int
    lock: str | None
    open: bool
    start: datetime | None
    start_source: UtcSource
    track: Track

    @property
    def drive(self) -> str:
        """Uid of its drive, "" when unknown."""
        return self.track.head.drive if self.track.head is not None else ""

    @property
    def duration_s(self) -> float:
        """Its length: as stated at its end, else up to the last point of the track."""
        if self.track.end is not None:
            return self.track.end.duration_s
        return self.track.points[-1].t_s if self.track.points else 0.0

    @property
    def cut(self) -> bool:
        """Whether it never came to its end: the power went, or the process was killed."""
        return not self.open and (self.track.end is None or self.track.end.why == CUT)

    @property
    def places(self) -> tuple[Point, ...]:
        """The points of its track that have a position."""
        return tuple(p for p in self.track.points if p.latitude_deg is not None and p.longitude_deg is not None)


def recordings_in(folder: Path) -> list[Recording]:
    """All segments in a folder, oldest first; none when there is no folder.

    Raises:
        OSError: the folder cannot be read.
    """
    if not folder.exists():
        return []
    found = []
    for item in stock_of(folder):
        track = read_track(item.name.track(folder))
        start = start_of(track)
        found.append(
            Recording(
                item.name,
                item.name.video(folder),
                item.size_bytes,
                lock_reason(folder, item.name),
                in_use(item.name.video(folder)),
                start[0] if start is not None else None,
                start[1] if start is not None else UtcSource.SYSTEM,
                track,
            )
        )
    return corrected(found)


@dataclass(frozen=True, slots=True)
class _Stamp:
    """What time it was at a moment of the clock that runs through a drive, and who said so."""

    running_s: float
    utc: datetime
    source: UtcSource


def corrected(recordings: Sequence[Recording]) -> list[Recording]:
    """Starts that only the system's clock told, told anew by what their drive knew last.

    Segments of a drive share one running clock, so one good time gives all others: the GPS's, or, without one, the
    system's clock as it stood at the end, which may have been set on the way.
    """
    best: dict[str, _Stamp] = {}
    for recording in recordings:
        stamp = _last_stamp(recording)
        if stamp is None or not recording.drive or stamp.source is UtcSource.RECORDING:
            continue
        before = best.get(recording.drive)
        if before is None or stamp.source is UtcSource.GPS or before.source is UtcSource.SYSTEM:
            best[recording.drive] = stamp
    return [_told_by(recording, best.get(recording.drive)) for recording in recordings]


def _last_stamp(recording: Recording) -> _Stamp | None:
    """The last time that a segment knew; one of the GPS goes before all others."""
    head = recording.track.head
    if head is None:
        return None
    stamps = [_Stamp(head.running_s + p.t_s, p.utc, p.utc_source) for p in reversed(recording.track.points)]
    stamps.append(_Stamp(head.running_s, head.utc, head.utc_source))
    return next((stamp for stamp in stamps if stamp.source is UtcSource.GPS), stamps[0])


def _told_by(recording: Recording, best: _Stamp | None) -> Recording:
    head = recording.track.head
    if best is None or head is None or recording.start is None or recording.start_source is not UtcSource.SYSTEM:
        return recording
    start = best.utc - timedelta(seconds=best.running_s - head.running_s)
    if abs((start - recording.start).total_seconds()) <= _DRIFT_S:
        start = recording.start
    return replace(recording, start=start, start_source=best.source)


def length_m(points: Iterable[Point]) -> float:
    """Length of a track in metres, over the sphere (haversine formula)."""
    total, before = 0.0, None
    for point in points:
        if point.latitude_deg is None or point.longitude_deg is None:
            continue
        here = (point.latitude_deg, point.longitude_deg)
        if before is not None:
            total += haversine_m(*before, *here)
        before = here
    return total


def covering(recordings: Iterable[Recording], moment: datetime) -> Recording | None:
    """The segment that shows this moment (aware), if there is one."""
    moment = moment.astimezone(UTC)
    for recording in recordings:
        if recording.start is not None:
            into_s = (moment - recording.start).total_seconds()
            if 0 <= into_s < recording.duration_s:
                return recording
    return None
