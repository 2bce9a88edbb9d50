"""Streams and cameras, each under its watchdog."""

from __future__ import annotations

from edge_client.config import SourceSettings
from edge_client.sources.opencv import open_camera, open_stream, without_password
from edge_client.sources.watched import WatchedSource

_STREAM_RATE_HZ = 25.0


def stream(url: str, settings: SourceSettings) -> WatchedSource:
    """An RTSP or HTTP stream. Raises `SourceError` when it cannot be opened and is not to be waited for."""
    name = f"stream {without_password(url)}"
    return WatchedSource(name, lambda: open_stream(url, settings), settings, _STREAM_RATE_HZ)


def v4l2_camera(device: str, settings: SourceSettings) -> WatchedSource:
    """A camera at a device node. Raises `SourceError` when it cannot be opened and is not to be waited for."""
    name = f"camera {device}"
    return WatchedSource(name, lambda: open_camera(device, settings), settings, settings.camera_rate_hz)
