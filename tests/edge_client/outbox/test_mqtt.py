"""Events through a real MQTT broker."""

from __future__ import annotations

import json
import socket
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import paho.mqtt.client as paho
import pytest
from paho.mqtt.enums import CallbackAPIVersion

from edge_client.outbox.box import QueuedEvent
from edge_client.outbox.mqtt import Broker, MqttReceiver
from edge_client.outbox.receiver import DeliveryError
from tests.edge_client.doctor.test_apis import certificate
from tests.edge_client.outbox.servers import free_port, mqtt_broker


class Listener:
    """A client that hears everything below one topic."""

    def __init__(self) -> None:
        self.condition = threading.Condition()
        self.messages: list[tuple[str, Any]] = []

    def wait_for(self, count: int) -> list[tuple[str, Any]]:
        with self.condition:
            assert self.condition.wait_for(lambda: len(self.messages) >= count, 20), self.messages
            return list(self.messages)


@contextmanager
def listening(port: int) -> Iterator[Listener]:
    listener = Listener()
    subscribed = threading.Event()
    client = paho.Client(CallbackAPIVersion.VERSION2)

    def on_message(_client: paho.Client, _data: object, message: paho.MQTTMessage) -> None:
        with listener.condition:
            listener.messages.append((message.topic, json.loads(message.payload)))
            listener.condition.notify_all()

    client.on_message = on_message
    client.on_subscribe = lambda *_: subscribed.set()
    client.connect("127.0.0.1", port)
    client.loop_start()
    client.subscribe("car/#", qos=1)
    assert subscribed.wait(20)
    try:
        yield listener
    finally:
        client.disconnect()
        client.loop_stop()


def events(*kinds: str) -> list[QueuedEvent]:
    return [QueuedEvent(n, kind, f"t:{n}", json.dumps({"n": n}).encode()) for n, kind in enumerate(kinds)]


def test_events_arrive_in_order_by_kind_also_after_the_broker_was_away() -> None:
    port = free_port()
    receiver = MqttReceiver(Broker("127.0.0.1", port, "car/reads"), timeout_s=10)
    with pytest.raises(DeliveryError, match="refused"):
        receiver.deliver(events("new"))
    with mqtt_broker(port), listening(port) as heard:
        assert receiver.deliver(events("new", "update", "end")) == 3
        assert receiver.deliver(events("alert")) == 1
        assert heard.wait_for(4) == [
            ("car/reads/new", {"n": 0}),
            ("car/reads/update", {"n": 1}),
            ("car/reads/end", {"n": 2}),
            ("car/reads/alert", {"n": 0}),
        ]
    with pytest.raises(DeliveryError):
        receiver.deliver(events("new"))
    with mqtt_broker(port), listening(port) as heard:
        assert receiver.deliver(events("new")) == 1
        assert heard.wait_for(1) == [("car/reads/new", {"n": 0})]
    receiver.close()
    receiver.close()


def test_a_connection_that_was_lost_meanwhile_is_made_anew() -> None:
    port = free_port()
    receiver = MqttReceiver(Broker("127.0.0.1", port, "car/reads"), timeout_s=10)
    with mqtt_broker(port):
        assert receiver.deliver(events("new")) == 1
        client = receiver._client
        assert client is not None
        lost = threading.Event()
        client.on_disconnect = lambda *_: lost.set()
    assert lost.wait(20)
    with mqtt_broker(port), listening(port) as heard:
        assert receiver.deliver(events("end")) == 1
        heard.wait_for(1)
    receiver.close()


def test_a_broker_that_says_nothing_is_given_up() -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        receiver = MqttReceiver(Broker("127.0.0.1", silent.getsockname()[1], "car/reads"), timeout_s=0.2)
        with pytest.raises(DeliveryError, match="in time"):
            receiver.deliver(events("new"))
        receiver.close()


def test_user_and_password_are_given_and_a_refusal_is_told() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server, ThreadPoolExecutor(1) as pool:

        def refuse() -> bytes:
            connection, _ = server.accept()
            with connection:
                greeting = connection.recv(4096)
                connection.sendall(b"\x20\x02\x00\x05")  # CONNACK: not authorised
                connection.recv(4096)
            return greeting

        greeting = pool.submit(refuse)
        place = server.getsockname()[1]
        receiver = MqttReceiver(Broker("127.0.0.1", place, "t", user="me", password="hunter2"), timeout_s=10)
        with pytest.raises(DeliveryError, match="not authorized") as error:
            receiver.deliver(events("new"))
        receiver.close()
        assert b"\x00\x02me\x00\x07hunter2" in greeting.result(20)
        assert "hunter2" not in str(error.value)


def test_tls_with_a_certificate_that_is_trusted_and_one_that_is_not(tmp_path: Path) -> None:
    cert_file, key_file = certificate(tmp_path, 30)
    port = free_port()
    tls = {"ssl": True, "certfile": str(cert_file), "keyfile": str(key_file)}
    with mqtt_broker(port, **tls):
        trusting = MqttReceiver(Broker("localhost", port, "car/reads", tls=True, ca_file=str(cert_file)), timeout_s=10)
        assert trusting.deliver(events("new", "end")) == 2
        trusting.close()
        doubting = MqttReceiver(Broker("localhost", port, "car/reads", tls=True), timeout_s=10)
        with pytest.raises(DeliveryError, match="not trusted"):
            doubting.deliver(events("new"))
        doubting.close()


def test_names_hold_no_secret() -> None:
    receiver = MqttReceiver(Broker("host", 1883, "t", user="me", password="hunter2"), timeout_s=1)
    assert receiver.name.startswith("mqtt-")
    assert receiver.shown_name == "the MQTT broker host"
