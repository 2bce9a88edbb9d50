"""What the threads tell the coordinator."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from cloud_apis.contract import PlateBox, Word
from cloud_apis.contract.vehicles import ReportedVehicle
from edge_client.car_pictures import CarPicture
from edge_client.frame_pictures import FramePicture
from edge_client.requests.pool import Job
from edge_client.types import Fix, Frame, TrackedBox, UtcSource


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


@dataclass(frozen=True, slots=True)
class Sighting:
    """When and where a frame was captured, without its picture; the times are as in `Frame` and `Ticket`."""

    frame_number: int
    media_s: float
    captured_monotonic_s: float
    utc: datetime
    utc_source: UtcSource
    fix: Fix | None
    fix_age_s: float | None

    @classmethod
    def of(cls, frame: Frame, media_s: float) -> Sighting:
        """Of a frame at this time within the drive."""
        return cls(
            frame.number,
            media_s,
            frame.captured_monotonic_s,
            frame.captured_utc,
            frame.utc_source,
            frame.fix,
            frame.fix_age_s,
        )


@dataclass(frozen=True, slots=True, eq=False)
class SentCrop:
    """A crop on its way to the reader, with all that its read needs; ``began`` is when its track was first seen.

    ``began_monotonic_s`` is the same by the monotonic clock, None in evidence of earlier versions. The frame it was cut
    from may have been shown long ago: the best of several crops is sent.
    """

    track: int
    jpeg: bytes
    width_px: int
    height_px: int
    sharpness: float
    box: PlateBox
    sighting: Sighting
    began: datetime
    began_monotonic_s: float | None = None


@dataclass(frozen=True, slots=True, eq=False)
class SentCar:
    """The picture of a track's car on its way to the vehicle report."""

    track: int
    picture: CarPicture
    sighting: Sighting


@dataclass(frozen=True, slots=True, eq=False)
class SentLook:
    """A whole frame on its way to the vehicle report; ``plates`` are the centres of those in it, in its pixels."""

    picture: FramePicture
    plates: tuple[tuple[float, float], ...]
    sighting: Sighting


class NoReport(StrEnum):
    """Why there is no answer of the vehicle report."""

    PASSING = "passing"  # the network, the server's load: the picture may be sent again
    REFUSED = "refused"
    NOT_OFFERED = "not offered"


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
    """The reader's answer for crops; None when there is none. ``ticket`` is the frame that waits for it, if any."""

    ticket: Ticket | None
    crops: Sequence[SentCrop]
    words: Sequence[tuple[Word, ...]] | None


@dataclass(frozen=True, slots=True, eq=False)
class CarDescribed:
    """The vehicles that the report found in the picture of a car, or why there is no answer."""

    car: SentCar
    found: Sequence[ReportedVehicle] | NoReport


@dataclass(frozen=True, slots=True, eq=False)
class LookedAround:
    """The vehicles that the report found in a whole frame, or why there is no answer."""

    look: SentLook
    found: Sequence[ReportedVehicle] | NoReport


@dataclass(frozen=True, slots=True, eq=False)
class Crashed:
    """A thread met an error that nobody foresaw."""

    error: BaseException


@dataclass(frozen=True, slots=True)
class Stop:
    """The user wants the end."""

    reason: str = field(default="")


Event = Captured | CaptureEnded | Detected | WordsRead | CarDescribed | LookedAround | Crashed | Stop
