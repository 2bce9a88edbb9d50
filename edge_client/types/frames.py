"""Pictures on their way from the source to the displays."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from cloud_apis.contract import PlateBox
from edge_client.types.positions import Fix, UtcSource

Image = NDArray[np.uint8]
"""A picture: uint8, shape (height, width, 3), BGR as OpenCV has it."""


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
    have run over from another plate here. ``vehicle`` tells in a few words what the car looks like, as far as known.
    """

    track_id: int
    box: PlateBox
    carried: bool
    text: str | None = None
    confidence: float | None = None
    doubtful: bool = False
    vehicle: str = ""


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
