"""What flows through the dashcam: frames, fixes, tracks, reads, and the parts that can be swapped.

Everything here is immutable. Coordinates are pixels of the full frame, times are seconds or aware UTC
datetimes, angles are degrees.
"""

from __future__ import annotations

from edge_client.types.frames import (
    Display,
    Frame,
    FrameSource,
    Image,
    Outcome,
    ShownFrame,
    SourceState,
    SourceStatus,
    TrackedBox,
)
from edge_client.types.positions import Fix, GpsState, GpsStatus, PositionSource, UtcSource
from edge_client.types.reads import Alert, ReadStore, SingleRead, Stamp, StoreStatus, TrackRead
from edge_client.types.statuses import LiveStatus, NetworkStatus, RecordingState, RecordingStatus, Summary
from edge_client.types.vehicles import Vehicle

__all__ = [
    "Alert",
    "Display",
    "Fix",
    "Frame",
    "FrameSource",
    "GpsState",
    "GpsStatus",
    "Image",
    "LiveStatus",
    "NetworkStatus",
    "Outcome",
    "PositionSource",
    "ReadStore",
    "RecordingState",
    "RecordingStatus",
    "ShownFrame",
    "SingleRead",
    "SourceState",
    "SourceStatus",
    "Stamp",
    "StoreStatus",
    "Summary",
    "TrackRead",
    "TrackedBox",
    "UtcSource",
    "Vehicle",
]
