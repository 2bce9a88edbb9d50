"""Each fault through real sockets, as a client meets it."""

from __future__ import annotations

import http.client
import json
import socket
import time
from collections.abc import Iterator
from typing import Any

import pytest

from tests.edge_client.fake_apis import Answer, FakeApis, fake_apis
from tools.faults.proxy.schedule import Schedule
from tools.faults.proxy.server import Proxy, faulty

BODY = bytes(range(256)) * 400  # several pieces
ANSWER = json.dumps({"boxes": [[n, 2, 3, 4, 0.5, [0.5]] for n in range(4000)]}).encode()


@pytest.fixture
def apis() -> Iterator[FakeApis]:
    with fake_apis(FakeApis(instead=lambda _path, _number: Answer(200, ANSWER, {"X-Own": "kept"}))) as running:
        yield running


def schedule(*faults: dict[str, Any], **more: Any) -> Schedule:
    return Schedule.model_validate({"faults": faults, **more})


class Client:
    def __init__(self, port: int, timeout_s: float = 20.0) -> None:
        self.connection = http.client.HTTPConnection("127.0.0.1", port, timeout=timeout_s)

    def ask(self, body: bytes = BODY) -> tuple[int, dict[str, str], bytes]:
        self.connection.request("POST", "/yolov3", body)
        answer = self.connection.getresponse()
        return answer.status, dict(answer.getheaders()), answer.read()


def test_without_a_fault_all_passes_unchanged_over_one_connection(apis: FakeApis) -> None:
    with faulty(apis.url, schedule()) as (port, proxy):
        client = Client(port)
        for _ in range(3):
            status, headers, body = client.ask()
            assert (status, headers["X-Own"], body) == (200, "kept", ANSWER)
    assert apis.bodies == [BODY] * 3
    assert (proxy.requests, proxy.met.total()) == (3, 0)


def test_latency_and_bandwidth_take_their_time(apis: FakeApis) -> None:
    with faulty(apis.url, schedule({"fault": "latency", "delay_s": 0.15, "jitter_s": 0.05})) as (port, _):
        began_s = time.monotonic()
        assert Client(port).ask()[2] == ANSWER
        assert time.monotonic() - began_s >= 0.1
    rate_bps = 8e6
    with faulty(apis.url, schedule({"fault": "bandwidth", "rate_bps": rate_bps})) as (port, _):
        began_s = time.monotonic()
        assert Client(port).ask()[2] == ANSWER
        assert time.monotonic() - began_s >= 0.95 * 8 * (len(BODY) + len(ANSWER)) / rate_bps
    assert apis.bodies == [BODY, BODY]


@pytest.mark.parametrize(("fault", "reached"), [({"fault": "timeout"}, 1), ({"fault": "black_hole"}, 0)])
def test_no_answer_comes(apis: FakeApis, fault: dict[str, Any], reached: int) -> None:
    with faulty(apis.url, schedule(fault)) as (port, proxy):
        with pytest.raises(TimeoutError):
            Client(port, 0.5).ask()
        assert proxy.met == {fault["fault"]: 1}
    assert len(apis.bodies) == reached


def test_a_held_answer_ends_with_the_connection(apis: FakeApis) -> None:
    with (
        faulty(apis.url, schedule({"fault": "timeout", "hold_s": 0.05})) as (port, _),
        pytest.raises(http.client.RemoteDisconnected),
    ):
        Client(port).ask()


@pytest.mark.parametrize("during", ["request", "answer"])
def test_connections_are_reset(apis: FakeApis, during: str) -> None:
    with (
        faulty(apis.url, schedule({"fault": "reset", "during": during})) as (port, _),
        pytest.raises((ConnectionResetError, BrokenPipeError)),
    ):
        Client(port).ask()
    assert len(apis.bodies) == (during == "answer")


def test_an_answer_that_ends_too_soon(apis: FakeApis) -> None:
    with (
        faulty(apis.url, schedule({"fault": "truncate", "keep": 0.25})) as (port, _),
        pytest.raises(http.client.IncompleteRead) as cut,
    ):
        Client(port).ask()
    assert cut.value.partial == ANSWER[: len(ANSWER) // 4]


def test_an_answer_without_a_length_whose_connection_closes_late(apis: FakeApis) -> None:
    with faulty(apis.url, schedule({"fault": "slow_close", "close_s": 0.3})) as (port, _):
        began_s = time.monotonic()
        status, headers, body = Client(port).ask()
        assert time.monotonic() - began_s >= 0.3
    assert (status, body) == (200, ANSWER)
    assert "Content-Length" not in headers
    assert headers["X-Own"] == "kept"


@pytest.mark.parametrize("of", ["answer", "request"])
def test_bytes_change_on_the_way(apis: FakeApis, of: str) -> None:
    with faulty(apis.url, schedule({"fault": "corrupt", "of": of, "count": 5})) as (port, _):
        _, _, body = Client(port).ask()
    changed, whole = (body, ANSWER) if of == "answer" else (apis.bodies[0], BODY)
    assert len(changed) == len(whole)
    assert sum(a != b for a, b in zip(changed, whole, strict=True)) == 5
    assert (body == ANSWER) == (of == "request")


@pytest.mark.parametrize(("code", "retry_after_s"), [(429, 2), (500, None), (503, 1)])
def test_storms_of_refusals(apis: FakeApis, code: int, retry_after_s: int | None) -> None:
    fault = {"fault": "status", "code": code, "retry_after_s": retry_after_s}
    with faulty(apis.url, schedule(fault)) as (port, _):
        client = Client(port)
        for _ in range(2):  # over one connection
            status, headers, body = client.ask()
            assert (status, headers.get("Retry-After")) == (code, None if retry_after_s is None else str(retry_after_s))
            assert json.loads(body)["error"]["code"] == code
    assert apis.bodies == []


def test_several_faults_meet_one_request(apis: FakeApis) -> None:
    both = schedule({"fault": "corrupt", "of": "request"}, {"fault": "truncate", "keep": 0.5})
    with faulty(apis.url, both) as (port, proxy), pytest.raises(http.client.IncompleteRead):
        Client(port).ask()
    assert apis.bodies[0] != BODY
    assert proxy.met == {"corrupt": 1, "truncate": 1}


def met(apis: FakeApis, seed: int) -> list[bool]:
    refused = {"fault": "status", "code": 500, "share": 0.3}
    with faulty(apis.url, schedule(refused, seed=seed)) as (port, _):
        client = Client(port)
        return [client.ask(b"x")[0] == 500 for _ in range(60)]


def test_a_share_of_requests_is_met_and_the_seed_says_which(apis: FakeApis) -> None:
    one = met(apis, 1)
    assert one == met(apis, 1) != met(apis, 2)
    assert 6 <= sum(one) <= 30


def test_a_fault_acts_in_its_time_alone(apis: FakeApis) -> None:
    never = schedule({"fault": "status", "code": 500, "from_s": 1000}, {"fault": "reset", "from_s": 900})
    with faulty(apis.url, never) as (port, _):
        assert Client(port).ask()[0] == 200


def test_a_server_that_is_not_there_or_a_client_that_speaks_no_http() -> None:
    with socket.create_server(("127.0.0.1", 0)) as free:
        nobody = int(free.getsockname()[1])
    with faulty(f"http://127.0.0.1:{nobody}", schedule()) as (port, _):
        with pytest.raises((ConnectionResetError, BrokenPipeError)):
            Client(port).ask(b"x")
        with socket.create_connection(("127.0.0.1", port), timeout=20) as client:
            client.sendall(b"\x16\x03\x01 this is no HTTP\r\n\r\n")
            with pytest.raises(ConnectionResetError):
                client.recv(100)


def test_what_is_no_url_is_refused() -> None:
    with pytest.raises(ValueError, match="ftp://there is not a URL"):
        Proxy("ftp://there", schedule())
