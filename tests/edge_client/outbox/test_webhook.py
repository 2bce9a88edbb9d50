"""Events through a real HTTP server."""

from __future__ import annotations

import base64
import hashlib
import hmac
import socket
from collections.abc import Iterator

import pytest

from edge_client.outbox.box import QueuedEvent
from edge_client.outbox.receiver import DeliveryError, RefusedEventError
from edge_client.outbox.webhook import Webhook, signature
from edge_client.requests.routing import WayOut
from tests.edge_client.outbox.servers import Inbox, free_port, web_server

EVENT = QueuedEvent(1, "new", "t:1:new", b'{"id": "t:1:new", "plate": "B1"}')


@pytest.fixture
def inbox() -> Iterator[Inbox]:
    with web_server(Inbox()) as running:
        yield running


def test_an_event_is_posted_with_its_key(inbox: Inbox) -> None:
    webhook = Webhook(inbox.url, timeout_s=10)
    assert webhook.deliver([EVENT, EVENT]) == 1
    webhook.close()
    assert inbox.events == [{"id": "t:1:new", "plate": "B1"}]
    assert inbox.headers[0]["Idempotency-Key"] == '"t:1:new"'
    assert inbox.headers[0]["Content-Type"] == "application/json"
    assert "webhook-signature" not in inbox.headers[0]


def test_a_signature_can_be_checked_by_the_receiver(inbox: Inbox) -> None:
    webhook = Webhook(inbox.url, timeout_s=10, secret=b"secret")
    webhook.deliver([EVENT])
    webhook.close()
    headers = inbox.headers[0]
    signed = f"{headers['webhook-id']}.{headers['webhook-timestamp']}.".encode() + inbox.bodies[0]
    expected = base64.b64encode(hmac.new(b"secret", signed, hashlib.sha256).digest()).decode()
    assert headers["webhook-id"] == "t:1:new"
    assert headers["webhook-signature"] == f"v1,{expected}"


def test_the_signature_is_that_of_the_specification() -> None:
    # The example of the Standard Webhooks' libraries.
    secret = base64.b64decode("MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw")
    headers = signature(secret, "msg_p5jXN8AQM9LWM0D4loKWxJek", 1614265330, b'{"test": 2432232314}')
    assert headers["webhook-signature"] == "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="


@pytest.mark.parametrize("status", [300, 301, 304, 307, 401, 404, 409, 429, 500, 503])
def test_some_answers_mean_not_now(inbox: Inbox, status: int) -> None:
    inbox.answers = [(status, {"Retry-After": "7", "Location": "http://127.0.0.1:9/"})]
    with pytest.raises(DeliveryError, match=str(status)) as error:
        Webhook(inbox.url, timeout_s=10).deliver([EVENT])
    assert error.value.retry_after_s == 7


@pytest.mark.parametrize("status", [400, 413, 415, 422])
def test_some_answers_mean_never(inbox: Inbox, status: int) -> None:
    inbox.answers = [(status, {})]
    with pytest.raises(RefusedEventError, match=str(status)):
        Webhook(inbox.url, timeout_s=10).deliver([EVENT])


def test_nobody_there_and_nobody_who_answers() -> None:
    secret_url = f"http://me:hunter2@127.0.0.1:{free_port()}/token"
    webhook = Webhook(secret_url, timeout_s=10)
    with pytest.raises(DeliveryError, match="no connection") as error:
        webhook.deliver([EVENT])
    assert "hunter2" not in f"{error.value} {webhook.name} {webhook.shown_name}"
    with socket.create_server(("127.0.0.1", 0)) as silent, pytest.raises(DeliveryError, match="in time"):
        Webhook(f"http://127.0.0.1:{silent.getsockname()[1]}/", timeout_s=0.1).deliver([EVENT])


def test_events_leave_from_the_address_that_is_set() -> None:
    with web_server(Inbox(), host="127.0.0.2") as inbox:
        for address in ("127.0.0.3", "127.0.0.4"):
            webhook = Webhook(inbox.url, timeout_s=10, way_out=WayOut(source_address=address))
            assert webhook.deliver([EVENT]) == 1
            webhook.close()
    assert inbox.senders == ["127.0.0.3", "127.0.0.4"]


def test_a_receiver_keeps_its_name(inbox: Inbox) -> None:
    assert Webhook(inbox.url, timeout_s=1).name == Webhook(inbox.url, timeout_s=9).name
    assert Webhook(inbox.url, timeout_s=1).name != Webhook(inbox.url + "2", timeout_s=1).name
