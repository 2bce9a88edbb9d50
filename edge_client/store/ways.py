"""Where the exported drives led: their tracks, in segments without gaps."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from edge_client.store.library import ReadFilter, ReadLibrary, StoredDrive, TrackPoint
from edge_client.store.rows import StoredRead

_GAP_S = 60.0


@dataclass(frozen=True, slots=True)
class Way:
    """A drive with the segments of its track."""

    drive: StoredDrive
    segments: tuple[tuple[TrackPoint, ...], ...]


def ways_of(library: ReadLibrary, wanted: ReadFilter, reads: Sequence[StoredRead]) -> list[Way]:
    """The tracks of the drives of these reads; of all drives in the time that is asked for, if only time is."""
    about_reads = ReadFilter(since=wanted.since, until=wanted.until, drive=wanted.drive, limit=wanted.limit) != wanted
    uids = list({read.drive for read in reads}) if about_reads or wanted.limit is not None else None
    ways = []
    for drive in library.drives(uids):
        if wanted.drive is not None and not drive.uid.startswith(wanted.drive):
            continue
        segments = segments_of(library.track(drive.uid, wanted.since, wanted.until))
        if segments:
            ways.append(Way(drive, segments))
    return ways


def segments_of(points: Sequence[TrackPoint]) -> tuple[tuple[TrackPoint, ...], ...]:
    """Points cut where nothing was known for more than a minute: a line across would be invented."""
    segments: list[list[TrackPoint]] = []
    for point in points:
        if not segments or (point.seen - segments[-1][-1].seen).total_seconds() > _GAP_S:
            segments.append([])
        segments[-1].append(point)
    return tuple(map(tuple, segments))
