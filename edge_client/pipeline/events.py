"""What the threads tell the coordinator."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from cloud_apis.contract import PlateBox, Word
from edge_client.requests.pool import Job
from edge_client.types import Frame, TrackedBox


@dataclass(slots=True, eq=False)
class Ticket:
    """A frame on its way: what is known about it so far. Only the coordinator writes to it."""

    frame: Frame
    media_s: float
    deadline_s: float
    job: Job | None = None
    boxes: tuple[PlateBox, ...] | None = None
    tracked: tuple[TrackedBox, ...] = ()
    reads_pending: int = 0


@dataclass(frozen=True, slots=True, eq=False)
class SentCrop:
    """A crop on its way to the reader."""

    track: int
    jpeg: bytes
    width_px: int
    height_px: int
    sharpness: float
    box: PlateBox


@dataclass(frozen=True, slots=True, eq=False)
class Captured:
    """A new frame, and its time within the drive in seconds."""

    frame: Frame
    media_s: float


@dataclass(frozen=True, slots=True, eq=False)
class CaptureEnded:
    """The source has ended, with its error if there was one."""

    error: BaseException | None = None


@dataclass(frozen=True, slots=True, eq=False)
class Detected:
    """The detector's answer for a frame, in its pixels; None when there is none."""

    ticket: Ticket
    boxes: tuple[PlateBox, ...] | None


@dataclass(frozen=True, slots=True, eq=False)
class WordsRead:
    """The reader's answer for crops of a frame; None when there is none."""

    ticket: Ticket
    crops: Sequence[SentCrop]
    words: Sequence[tuple[Word, ...]] | None


@dataclass(frozen=True, slots=True, eq=False)
class Crashed:
    """A thread met an error that nobody foresaw."""

    error: BaseException


@dataclass(frozen=True, slots=True)
class Stop:
    """The user wants the end."""

    reason: str = field(default="")


Event = Captured | CaptureEnded | Detected | WordsRead | Crashed | Stop
