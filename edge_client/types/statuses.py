"""Counters of a run, and the states that the page and the screen show."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum

from edge_client.types.frames import SourceState, SourceStatus
from edge_client.types.positions import GpsStatus, UtcSource
from edge_client.types.reads import Alert, StoreStatus


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
    left: dict[str, int] = field(default_factory=dict)  # plates not read before the end: kept for later, lost
    vehicles: dict[str, int] = field(default_factory=dict)  # `CarLooking.summary` and `LookingAround.summary`

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
            "left_plates": self.left,
            "vehicles": self.vehicles,
        }


@dataclass(frozen=True, slots=True)
class LiveStatus:
    """What the page and the window show beside the picture."""

    summary: Summary
    frame_rate_hz: float
    apis: dict[str, str]  # api name -> "ok", "slow", "down: <reason>", "not offered"
    gps: GpsStatus
    queue: int  # requests in flight
    queue_limit: int
    camera: SourceStatus = field(default=SourceStatus(SourceState.RUNNING))
    recording: RecordingStatus = RecordingStatus(RecordingState.OFF)
    network: NetworkStatus = NetworkStatus()
    drive: str = ""
    utc_source: UtcSource = UtcSource.SYSTEM
    clock_set: bool = True
    store: StoreStatus = field(default=StoreStatus())
    alerts: tuple[Alert, ...] = ()  # the latest ones, newest last
