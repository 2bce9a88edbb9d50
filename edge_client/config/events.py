"""Events of reads for other programs: MQTT and webhooks."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

from pydantic import Field, field_validator, model_validator

from edge_client.config.addresses import http_url
from edge_client.config.base import Seconds, Section

EventName = Literal["new", "update", "end", "alert"]


class EventSettings(Section):
    """Which events go where; they wait in the reads file until they are delivered."""

    kinds: tuple[EventName, ...] = Field(
        default=("new", "update", "end", "alert"),
        description="which are sent: new, update and end of a track, alert for a plate of your list",
    )
    webhooks: tuple[str, ...] = Field(
        default=(), description="URL or URLs that get each event by POST, as JSON with the header Idempotency-Key"
    )
    webhook_secret_file: Path | None = Field(
        default=None,
        description="file with a secret that signs webhooks (header webhook-signature of the Standard Webhooks)",
    )
    ca_file: Path | None = Field(
        default=None, description="certificates to trust for webhooks and MQTT instead of the usual ones, PEM"
    )
    mqtt_host: str | None = Field(
        default=None,
        description="MQTT broker, None for none; it is reached from apis.source_address (webhooks by apis.interface "
        "too)",
    )
    mqtt_port: int | None = Field(default=None, ge=1, le=65535, description="its port, None for 1883, with TLS 8883")
    mqtt_tls: bool = Field(default=False, description="talk to the broker by TLS")
    mqtt_user: str | None = Field(default=None, description="user at the broker")
    mqtt_password_file: Path | None = Field(
        default=None,
        description="file that holds the user's password; the variable DASHCAM_MQTT_PASSWORD goes before it",
    )
    mqtt_topic: str = Field(
        default="dashcam/reads", description="topic below which new, update, end and alert are published (QoS 1)"
    )
    timeout_s: Seconds = Field(default=10.0, description="how long a delivery may take")
    max_pause_s: Seconds = Field(
        default=300.0, description="longest pause after a failed delivery; pauses begin at 1 s and double"
    )
    max_waiting: int = Field(
        default=10_000, ge=1, le=1_000_000, description="events that wait per receiver at most; then the oldest go"
    )

    @field_validator("webhooks", mode="before")
    @classmethod
    def _one_alone(cls, value: object) -> object:
        return (value,) if isinstance(value, str) else value

    @field_validator("webhooks")
    @classmethod
    def _are_http(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        for url in value:
            http_url(url)
        if len(set(value)) < len(value):
            raise ValueError("names a receiver twice")
        return value

    @field_validator("mqtt_topic")
    @classmethod
    def _is_topic(cls, value: str) -> str:
        if not value.strip("/") or any(c in value for c in "+#\0") or value.startswith("$"):
            raise ValueError("must be a topic without + and #")
        return value.rstrip("/")

    @model_validator(mode="after")
    def _user_has_a_broker(self) -> EventSettings:
        if self.mqtt_host is None and (self.mqtt_user is not None or self.mqtt_tls):
            raise ValueError("mqtt_user and mqtt_tls need mqtt_host")
        return self
