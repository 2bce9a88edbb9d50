"""All receivers that the settings name, each with its courier."""

from __future__ import annotations

import os
import time
from collections.abc import Mapping, Sequence
from pathlib import Path

from edge_client.config.events import EventSettings
from edge_client.errors import ConfigError
from edge_client.outbox.box import Mailing
from edge_client.outbox.courier import Courier
from edge_client.outbox.mqtt import Broker, MqttReceiver
from edge_client.outbox.receiver import Receiver
from edge_client.outbox.webhook import Webhook
from edge_client.paths import is_file
from edge_client.requests.routing import WayOut

_PASSWORD_VARIABLE = "DASHCAM_MQTT_PASSWORD"  # noqa: S105


class Office:
    """Starts, wakes and ends the couriers of a drive."""

    def __init__(self, couriers: Sequence[Courier], mailing: Mailing) -> None:
        """`mailing` says what is queued for them."""
        self._couriers = tuple(couriers)
        self.mailing = mailing

    def start(self) -> None:
        """Begins to deliver, also what waits from before."""
        for courier in self._couriers:
            courier.start()

    def wake(self) -> None:
        """There are new events; returns at once."""
        for courier in self._couriers:
            courier.wake()

    def close(self, timeout_s: float) -> None:
        """Ends all couriers, together within that time; what waits then is delivered after the next start."""
        until_s = time.monotonic() + timeout_s
        for courier in self._couriers:
            courier.finish(until_s)
        for courier in self._couriers:
            courier.close(max(until_s - time.monotonic(), 0.05))


def open_office(
    settings: EventSettings,
    reads_file: Path,
    environment: Mapping[str, str] = os.environ,
    *,
    way_out: WayOut | None = None,
) -> Office:
    """The receivers of the settings, not started yet; `way_out` is how deliveries leave this machine.

    Raises:
        ConfigError: a secret, password or certificate cannot be read.
    """
    ca_file = str(settings.ca_file) if settings.ca_file is not None else None
    if settings.ca_file is not None and not is_file(settings.ca_file):
        raise ConfigError(f"there is no file of certificates {settings.ca_file}; see events.ca_file")
    way_out = way_out or WayOut()
    secret = _line_of(settings.webhook_secret_file, "events.webhook_secret_file")
    receivers: list[Receiver] = [
        Webhook(
            url,
            timeout_s=settings.timeout_s,
            secret=secret.encode() if secret else None,
            ca_file=ca_file,
            way_out=way_out,
        )
        for url in settings.webhooks
    ]
    if settings.mqtt_host is not None:
        password = environment.get(_PASSWORD_VARIABLE, "").strip()
        broker = Broker(
            settings.mqtt_host,
            settings.mqtt_port or (8883 if settings.mqtt_tls else 1883),
            settings.mqtt_topic,
            tls=settings.mqtt_tls,
            ca_file=ca_file,
            user=settings.mqtt_user,
            password=password or _line_of(settings.mqtt_password_file, "events.mqtt_password_file"),
            source_address=way_out.source_address,
        )
        receivers.append(MqttReceiver(broker, timeout_s=settings.timeout_s))
    couriers = [Courier(reads_file, receiver, max_pause_s=settings.max_pause_s) for receiver in receivers]
    names = tuple(receiver.name for receiver in receivers)
    return Office(couriers, Mailing(names, frozenset(settings.kinds), settings.max_waiting))


def _line_of(file: Path | None, key: str) -> str | None:
    if file is None:
        return None
    try:
        text = file.read_text(encoding="utf-8").strip()
    except OSError as error:
        raise ConfigError(f"cannot read the file of {key}, {file}: {error.strerror}") from None
    except UnicodeDecodeError:
        raise ConfigError(f"the file of {key}, {file}, is not text") from None
    if not text:
        raise ConfigError(f"the file of {key}, {file}, is empty")
    return text
