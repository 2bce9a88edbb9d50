"""What flows through the dashcam: frames, fixes, tracks, reads, and the parts that can be swapped.

Everything here is immutable. Coordinates are pixels of the full frame, times are seconds or aware UTC
datetimes, angles are degrees.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
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


@dataclass(frozen=True, slots=True, eq=False)
class Frame:
    """One captured picture with its number (from 0, without gaps), capture time and position."""

    number: int
    image: Image
    captured_monotonic_s: float
    captured_utc: datetime
    fix: Fix | None = None
    fix_age_s: float | None = None


@dataclass(frozen=True, slots=True)
class TrackedBox:
    """A plate's box in one frame, linked to its track.

    ``carried`` is true when the box was not detected in this very frame but moved over from neighbours.
    ``text`` is the track's read so far, None while nothing has been read.
    """

    track_id: int
    box: PlateBox
    carried: bool
    text: str | None = None
    confidence: float | None = None


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

    def close(self) -> None:
        """Give everything back; nothing else is called afterwards."""


class PositionSource(Protocol):
    """Where positions come from. ``at`` gives the latest fix not newer than the capture time."""

    def at(self, media_time_s: float, monotonic_s: float) -> Fix | None:
        """The latest fix at a capture time; None without one."""

    def utc_at(self, media_time_s: float) -> datetime | None:
        """When the picture at this media time was taken, if the source of positions knows it."""

    def status(self) -> str:
        """A few words for the page, such as ``fix`` or ``no position``."""

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
        }


@dataclass(frozen=True, slots=True)
class LiveStatus:
    """What the page and the window show beside the picture."""

    summary: Summary
    frame_rate_hz: float
    apis: dict[str, str]  # api name -> "ok", "slow", "down: <reason>"
    gps: str
    queue: int  # requests in flight
    queue_limit: int
