"""Where positions come from."""

from __future__ import annotations

from pathlib import Path

from pydantic import Field

from edge_client.config.base import Seconds, Section


class PositionSettings(Section):
    """Where positions come from."""

    nmea_log: Path | None = Field(
        default=None,
        description="NMEA 0183 log replayed beside a recording: its first fix is the recording's start",
    )
    max_age_s: Seconds = Field(default=10.0, description="a fix older than this counts as no position")
