"""The settings of the dashcam: what may stand in `config/edge.yaml`, key by key.

Unknown keys and wrong values are refused by `edge_client.config_file.load_settings`, which names the key and
its line. Without a file these defaults hold; the shipped file states the same values.
"""

from __future__ import annotations

from pydantic import Field

from edge_client.config.base import Section
from edge_client.config.displays import RecordSettings, WebSettings, WindowSettings
from edge_client.config.events import EventSettings
from edge_client.config.network import ApiSettings, OfflineSettings, PoolSettings
from edge_client.config.positions import PositionSettings
from edge_client.config.privacy import PrivacySettings
from edge_client.config.reading import DetectionSettings, ReadingSettings, ReassemblySettings, TrackingSettings
from edge_client.config.reads import ReadSettings
from edge_client.config.recording import RecordingSettings
from edge_client.config.source import SourceSettings
from edge_client.config.vehicles import VehicleSettings

__all__ = [
    "ApiSettings",
    "DetectionSettings",
    "EdgeSettings",
    "EventSettings",
    "OfflineSettings",
    "PoolSettings",
    "PositionSettings",
    "PrivacySettings",
    "ReadSettings",
    "ReadingSettings",
    "ReassemblySettings",
    "RecordSettings",
    "RecordingSettings",
    "Section",
    "SourceSettings",
    "TrackingSettings",
    "VehicleSettings",
    "WebSettings",
    "WindowSettings",
]


class EdgeSettings(Section):
    """All settings of the dashcam."""

    source: SourceSettings = Field(default=SourceSettings(), description="the source of pictures")
    positions: PositionSettings = Field(default=PositionSettings(), description="the source of positions")
    apis: ApiSettings = Field(default=ApiSettings(), description="the prediction APIs")
    pool: PoolSettings = Field(default=PoolSettings(), description="the request pool")
    offline: OfflineSettings = Field(default=OfflineSettings(), description="while the APIs cannot be reached")
    detection: DetectionSettings = Field(default=DetectionSettings(), description="finding plates")
    reading: ReadingSettings = Field(default=ReadingSettings(), description="reading plates")
    vehicles: VehicleSettings = Field(default=VehicleSettings(), description="what cars look like")
    tracking: TrackingSettings = Field(default=TrackingSettings(), description="linking plates")
    reads: ReadSettings = Field(default=ReadSettings(), description="the reads that are kept")
    events: EventSettings = Field(default=EventSettings(), description="events for other programs")
    reassembly: ReassemblySettings = Field(default=ReassemblySettings(), description="order of frames")
    window: WindowSettings = Field(default=WindowSettings(), description="the window")
    web: WebSettings = Field(default=WebSettings(), description="the web page")
    recording: RecordingSettings = Field(default=RecordingSettings(), description="the original video")
    record: RecordSettings = Field(default=RecordSettings(), description="the video file")
    privacy: PrivacySettings = Field(default=PrivacySettings(), description="what pictures give away")
