"""What flows through the dashcam: frames, fixes, tracks, reads, and the parts that can be swapped.

Everything here is immutable. Coordinates are pixels of the full frame, times are seconds or aware UTC
datetimes, angles are degrees.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from cloud_apis.contract import PlateBox, Word

Image = NDArray[np.uint8]
"""A picture: uint8, shape (height, width, 3), BGR as OpenCV has it."""


@dataclass(frozen=True, slots=True)
class Fix:
    """One position of the GPS receiver.

    Latitude and longitude are WGS 84 degrees, speed metres per second, course degrees clockwise from true
    north; what the receiver did not tell is None. ``monotonic_s`` is when the fix was received.
    """

    latitude_deg: float
    longitude_deg: float
    utc: datetime | None
    monotonic_s: float
    speed_mps: float | None = None
    course_deg: float | None = None
    satellites: int | None = None
    hdop: float | None = None


class UtcSource(StrEnum):
    """What told the time of a frame."""

    GPS = "gps"
    SYSTEM = "system"  # the system's clock, which nothing confirmed
    RECORDING = "recording"  # the log replayed beside a recording


@dataclass(frozen=True, slots=True, eq=False)
class Frame:
    """One captured picture with its number (from 0, without gaps), capture time and position."""

    number: int
    image: Image
    captured_monotonic_s: float
    captured_utc: datetime
    fix: Fix | None = None
    fix_age_s: float | None = None
    utc_source: UtcSource = UtcSource.SYSTEM


@dataclass(frozen=True, slots=True)
class TrackedBox:
    """A plate's box in one frame, linked to its track.

    ``carried`` is true when the box was not detected in this very frame but moved over from neighbours.
    ``text`` is the track's read so far, None while nothing has been read. ``doubtful`` says that the track may
    have run over from another plate here.
    """

    track_id: int
    box: PlateBox
    carried: bool
    text: str | None = None
    confidence: float | None = None
    doubtful: bool = False


class Outcome(StrEnum):
    """What became of a frame that is shown."""

    ANNOTATED = "annotated"  # with its own detection result
    CARRIED = "carried"  # with boxes carried over from its neighbours
    PLAIN = "plain"  # without boxes: no result in time


@dataclass(frozen=True, slots=True, eq=False)
class ShownFrame:
    """A frame as it leaves the reassembly, in order; ``age_s`` is capture to release."""

    frame: Frame
    outcome: Outcome
    boxes: tuple[TrackedBox, ...]
    age_s: float


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
    those of the best single read. A position is None without a fix, never (0, 0).
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


class SourceState(StrEnum):
    """Where a camera stands."""

    STARTING = "starting"
    RUNNING = "running"
    STALLED = "stalled"  # open, but no frame came for too long
    RECONNECTING = "reconnecting"
    ENDED = "ended"


@dataclass(frozen=True, slots=True)
class SourceStatus:
    """State of a source, how often it had to be started again, and why (in a few words) if it is not running."""

    state: SourceState
    restarts: int = 0
    reason: str = ""


class GpsState(StrEnum):
    """Where the receiver of positions stands."""

    OFF = "off"  # none is configured
    CONNECTING = "connecting"  # the port or the daemon is not there (yet, or any more)
    SEARCHING = "searching"  # it talks, but has no fix
    FIX = "fix"
    STALE = "stale"  # the last fix is too old
    REPLAY = "replay"  # a log, beside a recording


@dataclass(frozen=True, slots=True)
class GpsStatus:
    """State of the receiver and its last fix; ``rejected`` lines had a wrong checksum or made no sense."""

    state: GpsState
    fix: Fix | None = None
    fix_age_s: float | None = None
    rejected: int = 0
    reason: str = ""


class RecordingState(StrEnum):
    """Where the recording of the original video stands."""

    OFF = "off"
    RECORDING = "recording"
    LOCKED = "locked"  # recording, and the current segment is kept for good
    FAILED = "failed"  # the disk is full, read-only or gone; tried again


@dataclass(frozen=True, slots=True)
class RecordingStatus:
    """State of the recording; ``lost_frames`` are not in it."""

    state: RecordingState
    segment: str = ""
    kept_bytes: int = 0
    lost_frames: int = 0
    reason: str = ""


@dataclass(frozen=True, slots=True)
class NetworkStatus:
    """The uplink as the client measures it; ``spooled`` pictures wait on disk to be read later."""

    reachable: bool = True
    round_trip_s: float | None = None
    throughput_bps: float | None = None
    spooled: int = 0
    reason: str = ""


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


@dataclass(frozen=True, slots=True)
class Alert:
    """A plate of the owner's list that was just seen; ``text`` is what was read, ``name`` and ``note`` the list's."""

    uid: str
    text: str
    name: str
    note: str
    seen: datetime


class FrameSource(Protocol):
    """Where frames come from. Iterating yields pictures until the source ends.

    ``live`` sources cannot be read at will (cameras, streams): what is not taken in time is gone.
    """

    @property
    def frame_rate_hz(self) -> float:
        """Frames per second, as the source states it."""

    @property
    def frame_count(self) -> int | None:
        """Frames to expect, None where nobody can know."""

    @property
    def live(self) -> bool:
        """Whether frames that are not taken in time are gone."""

    def __iter__(self) -> Iterator[Image]: ...

    def status(self) -> SourceStatus:
        """Where the source stands; may be called from any thread at any time."""

    def close(self) -> None:
        """Give everything back and end an iteration that is under way; from any thread, more than once, within 1 s."""


class PositionSource(Protocol):
    """Where positions come from."""

    def at(self, media_time_s: float, monotonic_s: float) -> Fix | None:
        """The position at a capture time, between two fixes interpolated; None without one.

        A receiver that has no later fix yet carries the last one on by its speed and course. Asked again once a
        later fix has come, it gives the interpolated position.
        """

    def utc_at(self, media_time_s: float) -> datetime | None:
        """When the picture at this media time was taken, if the source of positions knows it."""

    def status(self) -> GpsStatus:
        """Where the receiver stands."""

    def close(self) -> None:
        """Give everything back; nothing else is called afterwards."""


class Display(Protocol):
    """Something that shows the annotated stream.

    ``show`` and ``close`` are called from one thread, the display's own; closing again does nothing.
    A display with ``every_frame`` gets each shown frame in order (a video file); the others get the latest
    one when they are ready for it (a window, a page) and never hold anybody up. A display that can go on no
    longer raises ``DisplayError``: it is closed and the drive goes on without it.
    """

    @property
    def name(self) -> str:
        """What messages call it."""

    @property
    def every_frame(self) -> bool:
        """Whether it must get each shown frame."""

    def show(self, shown: ShownFrame, annotated: Image) -> None:
        """Take one frame with its annotated picture, which is not to be written to."""

    def closed_by_user(self) -> bool:
        """Whether the user asked for the end of the drive here."""

    def close(self) -> None:
        """Give everything back; nothing else is called afterwards."""


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


@dataclass(frozen=True, slots=True)
class Summary:
    """The counters of a run; ``captured == sum(shown) + sum(dropped) + in_flight`` at every moment."""

    captured: int
    shown: dict[str, int]
    dropped: dict[str, int]
    in_flight: int
    out_of_order: int
    frame_age_p50_s: float
    frame_age_p99_s: float
    requests: dict[str, dict[str, int]]
    reads: int
    uplink: dict[str, float] = field(default_factory=dict)  # what was measured of it, and how far it was followed
    spool: dict[str, int] = field(default_factory=dict)  # pictures kept, read later, waiting, lost

    def to_json(self) -> dict[str, object]:
        """The summary file's form, as ``--summary-json`` writes it."""
        return {
            "captured": self.captured,
            "shown": self.shown,
            "dropped": self.dropped,
            "in_flight": self.in_flight,
            "out_of_order": self.out_of_order,
            "frame_age_s": {"p50": self.frame_age_p50_s, "p99": self.frame_age_p99_s},
            "requests": self.requests,
            "reads": self.reads,
            "uplink": self.uplink,
            "spool": self.spool,
        }


@dataclass(frozen=True, slots=True)
class LiveStatus:
    """What the page and the window show beside the picture."""

    summary: Summary
    frame_rate_hz: float
    apis: dict[str, str]  # api name -> "ok", "slow", "down: <reason>"
    gps: GpsStatus
    queue: int  # requests in flight
    queue_limit: int
    camera: SourceStatus = SourceStatus(SourceState.RUNNING)
    recording: RecordingStatus = RecordingStatus(RecordingState.OFF)
    network: NetworkStatus = NetworkStatus()
    drive: str = ""
    utc_source: UtcSource = UtcSource.SYSTEM
    store: StoreStatus = StoreStatus()
    alerts: tuple[Alert, ...] = ()  # the latest ones, newest last
