"""Plates as they were read, and where they are kept."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Protocol

from cloud_apis.contract import PlateBox, Word
from edge_client.types.positions import Fix, UtcSource
from edge_client.types.vehicles import Vehicle


@dataclass(frozen=True, slots=True)
class Stamp:
    """When something was seen: UTC as a clock told it then, and the monotonic time, None where that is not known."""

    utc: datetime
    monotonic_s: float | None = None

    def before(self, other: Stamp) -> bool:
        """Whether it was earlier; by the monotonic clock where both know it, as UTC may be set back."""
        if self.monotonic_s is not None and other.monotonic_s is not None:
            return self.monotonic_s < other.monotonic_s
        return self.utc < other.utc


@dataclass(frozen=True, slots=True, eq=False)
class SingleRead:
    """One answer of the recogniser for one crop of a track.

    ``crop_jpeg`` is the encoded crop that was sent; ``sharpness`` is the variance of its Laplacian.
    ``captured_monotonic_s`` and ``media_s`` are the frame's times by the monotonic clock and within the drive; None
    where they mean nothing any more (a read of an earlier drive).
    """

    track_id: int
    frame_number: int
    utc: datetime
    words: tuple[Word, ...]
    text: str
    confidences: tuple[float, ...]
    crop_jpeg: bytes
    crop_width_px: int
    crop_height_px: int
    sharpness: float
    box: PlateBox
    fix: Fix | None
    fix_age_s: float | None
    utc_source: UtcSource = UtcSource.SYSTEM
    media_s: float | None = None
    captured_monotonic_s: float | None = None


@dataclass(frozen=True, slots=True, eq=False)
class TrackRead:
    """The voted read of one track, as it is stored: rewritten each time the vote changes.

    ``uid`` is unique over all drives (a hex UUID per run and the track's number). The crop and position are
    those of the best single read. A position is None without a fix, never (0, 0). Of a car whose plate could not be
    read or was not found ``text`` is empty, ``confidence`` 0, and the crop shows the car.
    """

    uid: str
    text: str
    confidence: float
    character_confidences: tuple[float, ...]
    first_seen: datetime
    last_seen: datetime
    latitude_deg: float | None
    longitude_deg: float | None
    fix_age_s: float | None
    crop_jpeg: bytes
    singles: tuple[SingleRead, ...]
    supersedes: tuple[str, ...] = ()
    """Uids of earlier reads that turned out to be this plate: the store removes them as it saves this one."""
    drive: str = ""
    """Uid of the drive: a hex UUID per run."""
    ended: bool = False
    """Whether the track has ended: the read will not change any more."""
    utc_source: UtcSource = UtcSource.SYSTEM
    speed_mps: float | None = None
    course_deg: float | None = None
    satellites: int | None = None
    hdop: float | None = None
    hashed: bool = False
    """Whether ``text`` is the plate's keyed hash (64 hex digits), as a drive shows it that hides plates."""
    vehicle: Vehicle | None = None
    """What the car looks like, as far as that is known."""
    first_monotonic_s: float | None = None
    last_monotonic_s: float | None = None
    """When it was first and last seen by the monotonic clock, for times that are corrected later; not stored."""

    @property
    def first(self) -> Stamp:
        """When it was first seen."""
        return Stamp(self.first_seen, self.first_monotonic_s)

    @property
    def last(self) -> Stamp:
        """When it was last seen."""
        return Stamp(self.last_seen, self.last_monotonic_s)


@dataclass(frozen=True, slots=True)
class Alert:
    """A plate of the owner's list that was just seen; ``text`` is what was read, ``name`` and ``note`` the list's."""

    uid: str
    text: str
    name: str
    note: str
    seen: datetime


@dataclass(frozen=True, slots=True)
class StoreStatus:
    """Reads that wait to be written, and why; an empty ``reason`` means that all goes well.

    ``notice`` is to be said although reads are written. ``lost`` reads never will be: too many waited. Events wait to
    be delivered by MQTT or webhook; dropped ones were too many, or nobody would take them.
    """

    waiting: int = 0
    reason: str = ""
    notice: str = ""
    lost: int = 0
    events_waiting: int = 0
    events_dropped: int = 0


class ReadStore(Protocol):
    """Where reads are kept, durably: when ``save`` returns, the read survives a power cut.

    ``save`` writes a read or rewrites the one with its uid, and raises ``StoreError`` when it cannot; the
    caller keeps the read and tries again. All calls come from one thread, which is not the one that made it;
    closing again does nothing.
    """

    def save(self, read: TrackRead) -> None:
        """Write or rewrite one read durably."""

    def correct_times(self, drive: str, shift: timedelta, source: UtcSource) -> None:
        """Move all times of a drive's reads that are stored, those of their single reads too, and note the source.

        The clock of the drive was set. Reads whose time a recording told (`UtcSource.RECORDING`) stay as they are.
        All or nothing, durable when it returns; `StoreError` when it cannot be done, then it is called again.
        """

    def close(self) -> None:
        """Give everything back; nothing else is called afterwards."""
