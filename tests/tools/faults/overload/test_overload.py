"""The judgement of an overload, and the load itself against a server that refuses."""

from __future__ import annotations

import asyncio
import dataclasses
import socket
import threading

from tests.edge_client.fake_apis import Answer as Reply
from tests.edge_client.fake_apis import FakeApis, fake_apis
from tools.faults.listening import Listening
from tools.faults.overload.load import Answer, Server, closed_loop, open_loop, p99_s
from tools.faults.overload.trial import Measured, latency, memory, recovery, refusals
from tools.faults.soak.growth import Sample

GOOD, POLITE = Answer(200, 0.5), Answer(503, 0.01, "1")
FLAT = tuple(Sample(float(n), 10**8, 20, 9, 0) for n in range(100))
KEPT = Measured([GOOD] * 100, 10.0, [GOOD, POLITE] * 100, 10.0, [Answer(200, 0.1)] * 20, FLAT)


def changed(**parts: object) -> Measured:
    return dataclasses.replace(KEPT, **parts)  # type: ignore[arg-type]


def test_a_server_that_does_as_promised_passes() -> None:
    assert refusals(KEPT).kept
    assert "1.00 of the capacity" in refusals(KEPT).measured
    assert recovery(KEPT, timed=True).kept
    assert latency(KEPT).kept
    assert memory(KEPT).kept


def test_what_is_wrong_is_found() -> None:
    for wrong in (Answer(503, 0.01), Answer(503, 0.01, "soon"), Answer(500, 0.01), Answer(0, 0.01)):
        assert not refusals(changed(heavy=[GOOD, POLITE, wrong])).kept
    assert not refusals(changed(heavy=[GOOD] * 100)).kept  # nobody was refused: no overload
    assert not refusals(changed(heavy=[POLITE] * 100)).kept
    assert not recovery(changed(after=[GOOD, POLITE]), timed=False).kept
    slow = changed(after=[Answer(200, 0.6)])
    assert recovery(slow, timed=False).kept
    assert not recovery(slow, timed=True).kept
    assert not latency(changed(heavy=[Answer(200, 0.8)] * 9)).kept
    assert not latency(changed(heavy=[POLITE])).kept
    grown = tuple(dataclasses.replace(s, resident_bytes=10**8 + n * 10**6) for n, s in enumerate(FLAT))
    assert not memory(changed(memory=grown)).kept


def test_the_load_asks_at_its_rate_and_tells_what_came() -> None:
    apis = FakeApis(instead=lambda _p, n: Reply(503, b"", {"Retry-After": "3"}) if n % 2 else Reply(200, b"{}"))
    with fake_apis(apis):
        port = int(apis.url.rpartition(":")[2])

        async def both() -> tuple[list[Answer], list[Answer]]:
            server = Server(port, "/yolov3", b"picture")
            answers = await open_loop(server, 40.0, 0.5)
            closed = await closed_loop(server, 2, 0.2)
            server.close()
            return answers, closed

        answers, closed = asyncio.run(both())
    assert len(answers) == 20
    assert sorted((a.status, a.retry_after) for a in answers) == [(200, "")] * 10 + [(503, "3")] * 10
    assert {a.status for a in closed} <= {200, 503}
    assert len(closed) >= 2
    assert p99_s(answers) > 0
    assert set(apis.bodies) == {b"picture"}


def test_requests_do_not_wait_for_answers() -> None:
    """An open loop has all requests on their way at once when nothing is answered."""
    with fake_apis(FakeApis(hang=threading.Event())) as apis:
        port = int(apis.url.rpartition(":")[2])

        async def all_at_once() -> int:
            asked = asyncio.create_task(open_loop(Server(port, "/yolov3", b"x"), 100.0, 0.1))
            while apis.at_once < 10:
                await asyncio.sleep(0.01)
            assert apis.hang is not None
            apis.hang.set()
            return len(await asked)

        assert asyncio.run(all_at_once()) == 10
    assert apis.most_at_once == 10


def test_a_server_that_is_gone_is_no_answer() -> None:
    with fake_apis() as apis:
        port = int(apis.url.rpartition(":")[2])
    assert asyncio.run(Server(port, "/yolov3", b"x").ask()).status == 0


class OneEach(Listening):
    """Closes every connection after its first answer, without having said so."""

    def answer(self, connection: socket.socket) -> None:
        """As `Listening` has it."""
        connection.recv(65536)
        connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}")


def test_a_kept_connection_that_was_closed_meanwhile_costs_no_request() -> None:
    async def ask_thrice(port: int) -> list[int]:
        asking = Server(port, "/yolov3", b"x")
        return [(await asking.ask()).status for _ in range(3)]

    with OneEach() as server:
        assert asyncio.run(ask_thrice(server.port)) == [200, 200, 200]
