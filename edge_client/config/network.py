"""The prediction APIs and how they are asked."""

from __future__ import annotations

from pathlib import Path

from pydantic import Field, field_validator, model_validator

from edge_client.config.base import Seconds, Section


class ApiSettings(Section):
    """Which prediction APIs are asked."""

    yolov3_endpoint: str | None = Field(default=None, description="URL of the detector, None for the embedded APIs")
    crnn_endpoint: str | None = Field(default=None, description="URL of the reader, None for the embedded APIs")
    api_key_file: Path | None = Field(
        default=None, description="file that holds the API key; the variable DASHCAM_API_KEY goes before it"
    )
    ca_file: Path | None = Field(default=None, description="certificates to trust besides the usual ones, PEM")
    embedded_config: Path | None = Field(default=None, description="configuration handed to the embedded APIs")
    embedded_start_timeout_s: Seconds = Field(default=60.0, description="how long the embedded APIs may take to start")
    embedded_restarts: int = Field(default=5, ge=0, description="how often dead embedded APIs are started again")
    embedded_log: Path | None = Field(
        default=None, description="where the embedded APIs write their log, None for a temporary file"
    )

    @field_validator("yolov3_endpoint", "crnn_endpoint")
    @classmethod
    def _is_http(cls, value: str | None) -> str | None:
        if value is not None and not value.startswith(("http://", "https://")):
            raise ValueError("must begin with http:// or https://")
        return value

    @model_validator(mode="after")
    def _both_or_none(self) -> ApiSettings:
        if (self.yolov3_endpoint is None) != (self.crnn_endpoint is None):
            raise ValueError("set both yolov3_endpoint and crnn_endpoint, or none for the embedded APIs")
        return self


class PoolSettings(Section):
    """How the APIs are asked."""

    max_in_flight: int = Field(default=8, ge=1, le=64, description="requests in flight at most, both APIs together")
    waiting_frames: int = Field(default=2, ge=1, le=64, description="realtime: frames that wait for a free request")
    connect_timeout_s: Seconds = Field(default=2.0, description="how long a connection may take")
    read_timeout_s: Seconds = Field(default=10.0, description="how long an answer may take")
    retry_jitter_s: Seconds = Field(default=0.1, description="a dropped connection is retried once within this time")
    failures_to_pause: int = Field(default=4, ge=1, description="failures in a row after which an API is left alone")
    pause_s: Seconds = Field(default=0.5, description="first pause of a failing API; doubles with each failed probe")
    max_pause_s: Seconds = Field(default=8.0, description="longest pause of a failing API")
    outage_wait_s: float = Field(
        default=10.0,
        ge=0.0,
        description="full rate: how long frames wait for an unreachable API before going plain",
    )
