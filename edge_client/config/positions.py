"""Where positions come from."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from edge_client.config.base import YAML_OFF, Seconds, Section

PositionKind = Annotated[Literal["off", "serial", "gpsd", "log"], YAML_OFF]


class PositionSettings(Section):
    """Where positions come from."""

    source: PositionKind = Field(
        default="off",
        description="off, serial (an NMEA receiver), gpsd (its daemon), or log (nmea_log, which alone is enough too)",
    )
    nmea_log: Path | None = Field(
        default=None,
        description="NMEA 0183 log replayed beside a recording: its first fix is the recording's start",
    )
    device: str = Field(
        default="/dev/serial0",
        min_length=1,
        description="serial port of the receiver; /dev/serial/by-id/... stays the same when it is plugged in again",
    )
    baud: int = Field(default=9600, ge=300, le=4_000_000, description="speed of that port in bits per second")
    activation_device: str | None = Field(
        default=None, description="serial port on which a modem's GPS is turned on, None where that is not needed"
    )
    activation_command: str = Field(
        default="AT+QGPS=1", min_length=1, max_length=200, description="what turns it on; the answer must be OK"
    )
    gpsd_host: str = Field(default="127.0.0.1", min_length=1, description="where gpsd runs")
    gpsd_port: int = Field(default=2947, ge=1, le=65535, description="TCP port of gpsd")
    max_age_s: Seconds = Field(default=10.0, description="a fix older than this counts as no position")
    carry_on_s: float = Field(
        default=3.0,
        ge=0.0,
        le=60.0,
        description="how long a position is carried on by speed and course while no later fix has come",
    )
    max_speed_mps: float = Field(
        default=100.0, gt=0.0, le=1000.0, description="a fix that nobody could have driven to, in m/s, is a jump"
    )

    @model_validator(mode="after")
    def _log_named(self) -> Self:
        if self.source == "log" and self.nmea_log is None:
            raise ValueError("source is log: name one as nmea_log")
        return self
