"""The prediction APIs and how they are asked."""

from __future__ import annotations

from ipaddress import ip_address
from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field, field_validator, model_validator

from edge_client.config.addresses import http_url
from edge_client.config.base import YAML_OFF, Quality, Seconds, Section


class ApiSettings(Section):
    """Which prediction APIs are asked."""

    yolov3_endpoint: str | None = Field(default=None, description="URL of the detector, None for the embedded APIs")
    crnn_endpoint: str | None = Field(default=None, description="URL of the reader, None for the embedded APIs")
    vehicle_report_endpoint: str | None = Field(
        default=None, description="URL of the vehicle report, None for the one beside the detector"
    )
    api_key_file: Path | None = Field(
        default=None, description="file that holds the API key; the variable DASHCAM_API_KEY goes before it"
    )
    key_unencrypted: bool = Field(
        default=False, description="send the API key over http:// too; for a network that is yours alone"
    )
    ca_file: Path | None = Field(
        default=None,
        description="certificates to trust instead of the usual ones, PEM; the variable DASHCAM_CA_FILE goes before it",
    )
    interface: str | None = Field(
        default=None, description="network interface that requests leave by, such as wwan0; it may come up later"
    )
    source_address: str | None = Field(
        default=None, description="address of this machine that requests leave from, instead of an interface"
    )
    embedded_config: Path | None = Field(default=None, description="configuration handed to the embedded APIs")
    embedded_start_timeout_s: Seconds = Field(default=60.0, description="how long the embedded APIs may take to start")
    embedded_restarts: int = Field(default=5, ge=0, description="how often dead embedded APIs are started again")
    embedded_log: Path | None = Field(
        default=None, description="where the embedded APIs write their log, None for a temporary file"
    )

    @field_validator("yolov3_endpoint", "crnn_endpoint", "vehicle_report_endpoint")
    @classmethod
    def _is_http(cls, value: str | None) -> str | None:
        return value if value is None else http_url(value)

    @field_validator("interface")
    @classmethod
    def _is_interface(cls, value: str | None) -> str | None:
        if value is not None and (
            not 0 < len(value) < 16 or not value.isascii() or any(c in "/ \t\n\0" for c in value)
        ):
            raise ValueError("must be a name of at most 15 characters, as `ip link` shows it")
        return value

    @field_validator("source_address")
    @classmethod
    def _is_address(cls, value: str | None) -> str | None:
        if value is not None:
            try:
                ip_address(value)
            except ValueError:
                raise ValueError("must be an IPv4 or IPv6 address of this machine") from None
        return value

    @model_validator(mode="after")
    def _one_way_out(self) -> ApiSettings:
        if self.interface is not None and self.source_address is not None:
            raise ValueError("set interface or source_address, not both")
        return self

    @model_validator(mode="after")
    def _both_or_none(self) -> ApiSettings:
        if (self.yolov3_endpoint is None) != (self.crnn_endpoint is None):
            raise ValueError("set both yolov3_endpoint and crnn_endpoint, or none for the embedded APIs")
        if self.vehicle_report_endpoint is not None and self.yolov3_endpoint is None:
            raise ValueError("vehicle_report_endpoint needs yolov3_endpoint and crnn_endpoint")
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
    max_pause_s: Seconds = Field(
        default=2.5, description="longest pause of a failing API; with connect_timeout_s it bounds the recovery"
    )
    outage_wait_s: float = Field(
        default=10.0,
        ge=0.0,
        description="full rate: how long frames wait for an unreachable API before going plain",
    )
    adaptive: bool = Field(
        default=True, description="realtime: send as many and as fine frames as the uplink carries in time"
    )
    least_jpeg_quality: Quality = Field(default=40, description="JPEG quality that a weak uplink may go down to")


class OfflineSettings(Section):
    """What happens to what cannot be sent; the mode alone may stand for the section (``offline: embedded``)."""

    mode: Annotated[Literal["spool", "embedded", "off"], YAML_OFF] = Field(
        default="spool",
        description="spool keeps evidence on disk and reads it later; embedded reads on the device meanwhile, "
        "which needs the extra `cloud`; off does neither",
    )
    folder: Path | None = Field(default=None, description="folder of the spool, None for one beside the reads")
    rate_hz: float = Field(default=4.0, gt=0.0, le=30.0, description="frames kept per second without a detector")
    jpeg_quality: Quality = Field(default=85, description="JPEG quality of the frames kept")
    crops_per_track: int = Field(default=3, ge=1, le=30, description="crops kept per plate without a reader")
    max_mb: int = Field(default=1000, ge=1, description="the oldest goes when more is kept")
    min_free_mb: int = Field(default=500, ge=0, description="nothing is kept when less is free on the disk")
    keep_days: float = Field(default=7.0, gt=0.0, description="what is older goes unread, at the start and hourly")
    catch_up_s: float = Field(
        default=20.0, ge=0.0, le=3600.0, description="how long the end of a recording waits for what is kept to be read"
    )

    @model_validator(mode="before")
    @classmethod
    def _mode_alone(cls, value: object) -> object:
        return {"mode": value} if isinstance(value, (str, bool)) else value
