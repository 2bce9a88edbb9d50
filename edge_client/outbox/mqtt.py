"""Events by MQTT 3.1.1, quality of service 1: the broker acknowledges each.

They are published below one topic by kind (`dashcam/reads/new`, `…/update`, `…/end`, `…/alert`), not retained.
"""

from __future__ import annotations

import hashlib
import ssl
import threading
from collections.abc import Sequence
from dataclasses import dataclass

import paho.mqtt.client as paho
from paho.mqtt.enums import CallbackAPIVersion
from paho.mqtt.reasoncodes import ReasonCode

from edge_client.outbox.box import QueuedEvent
from edge_client.outbox.receiver import DeliveryError

_KEEP_ALIVE_S = 60
_BATCH = 20


@dataclass(frozen=True, slots=True)
class Broker:
    """Which broker, as whom, and from which address of this machine.

    `ca_file` is a PEM file of certificates to trust instead of the usual ones.
    """

    host: str
    port: int
    topic: str
    tls: bool = False
    ca_file: str | None = None
    user: str | None = None
    password: str | None = None
    source_address: str | None = None


class MqttReceiver:
    """One broker that gets events. The connection is made with the first delivery, and again after a failure."""

    def __init__(self, broker: Broker, *, timeout_s: float) -> None:
        """`timeout_s` is how long a connection, and how long an acknowledgement, may take."""
        self._broker = broker
        self._timeout_s = timeout_s
        self._client: paho.Client | None = None
        self._lock = threading.Lock()
        place = f"{broker.host}:{broker.port}/{broker.topic}"
        self.name = f"mqtt-{hashlib.sha256(place.encode()).hexdigest()[:12]}"
        self.shown_name = f"the MQTT broker {broker.host}"
        self.batch = _BATCH

    def deliver(self, events: Sequence[QueuedEvent]) -> int:
        """Publishes events, and waits for their acknowledgements; see `Receiver`."""
        arrived = 0
        try:
            if self._client is not None and not self._client.is_connected():
                self.close()  # the way was lost while there was nothing to send
            client = self._client or self._connect()
            sent = [client.publish(f"{self._broker.topic}/{e.kind}", e.body, qos=1) for e in events]
            for message in sent:
                message.wait_for_publish(self._timeout_s)
                if not message.is_published():
                    raise DeliveryError("it does not acknowledge")
                arrived += 1
        except (DeliveryError, OSError, ValueError, RuntimeError) as error:
            # Whatever this client still holds would be sent twice: begin anew.
            self.close()
            if not arrived:
                raise error if isinstance(error, DeliveryError) else DeliveryError(_reason(error)) from None
        return arrived

    def close(self) -> None:
        """Gives the connection up."""
        with self._lock:
            client, self._client = self._client, None
        if client is not None:
            client.disconnect()
            client.loop_stop()

    def _connect(self) -> paho.Client:
        broker = self._broker
        client = paho.Client(CallbackAPIVersion.VERSION2, protocol=paho.MQTTv311, reconnect_on_failure=False)
        client.connect_timeout = self._timeout_s
        if broker.user is not None:
            client.username_pw_set(broker.user, broker.password)
        if broker.tls:
            client.tls_set_context(ssl.create_default_context(cafile=broker.ca_file))
        answered = threading.Event()
        refusals: list[str] = []

        def on_connect(
            _client: paho.Client, _data: object, _flags: object, code: ReasonCode, _properties: object
        ) -> None:
            if code.is_failure:
                refusals.append(str(code))
            answered.set()

        client.on_connect = on_connect
        client.connect(broker.host, broker.port, keepalive=_KEEP_ALIVE_S, bind_address=broker.source_address or "")
        client.loop_start()
        if not answered.wait(self._timeout_s) or refusals:
            client.disconnect()
            client.loop_stop()
            raise DeliveryError(f"it refuses: {refusals[0].lower()}" if refusals else "it does not answer in time")
        with self._lock:
            self._client = client
        return client


def _reason(error: Exception) -> str:
    if isinstance(error, ssl.SSLError):
        return "its certificate is not trusted, or TLS failed"
    if isinstance(error, TimeoutError):
        return "it does not answer in time"
    if isinstance(error, OSError):
        return error.strerror or "there is no connection to it"
    return str(error)
