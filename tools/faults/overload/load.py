"""Requests at a rate that does not depend on the answers, or as fast as answers come; what became of each."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Sequence
from dataclasses import dataclass

import h11
import numpy as np

from tools.faults.proxy.peer import Peer


@dataclass(frozen=True, slots=True)
class Answer:
    """What became of a request; ``status`` is 0 where there was no answer."""

    status: int
    took_s: float
    retry_after: str = ""


class Server:
    """Where requests go; connections are kept and used again, one request each at a time."""

    def __init__(self, port: int, path: str, body: bytes) -> None:
        self._port = port
        self._request = h11.Request(
            method="POST",
            target=path,
            headers=[
                ("Host", f"127.0.0.1:{port}"),
                ("Content-Type", "image/jpeg"),
                ("Content-Length", str(len(body))),
            ],
        )
        self._body = body
        self._idle: list[Peer] = []

    async def ask(self) -> Answer:
        """One request."""
        began_s = time.perf_counter()
        try:
            peer = self._idle.pop() if self._idle else await self._connected()
            answer, retry_after = await self._asked(peer)
        except (OSError, h11.ProtocolError):
            return Answer(0, time.perf_counter() - began_s)
        return Answer(answer, time.perf_counter() - began_s, retry_after)

    def close(self) -> None:
        """End the connections that nobody uses."""
        while self._idle:
            self._idle.pop().close()

    async def _connected(self) -> Peer:
        return Peer(h11.CLIENT, *await asyncio.open_connection("127.0.0.1", self._port))

    async def _asked(self, peer: Peer) -> tuple[int, str]:
        await peer.send(self._request)
        await peer.send(h11.Data(data=self._body))
        await peer.send(h11.EndOfMessage())
        answer = await peer.next()
        if not isinstance(answer, h11.Response):
            raise ConnectionError("no answer")
        while isinstance(await peer.next(), h11.Data):
            pass
        if peer.goes_on():
            self._idle.append(peer)
        else:
            peer.close()
        retry_after = dict(answer.headers).get(b"retry-after", b"")
        return answer.status_code, retry_after.decode("latin-1")


async def closed_loop(server: Server, clients: int, seconds: float) -> list[Answer]:
    """So many clients, each with its next request as soon as its answer is there."""
    end_s = time.monotonic() + seconds
    answers: list[Answer] = []

    async def client() -> None:
        while time.monotonic() < end_s:
            answers.append(await server.ask())

    await asyncio.gather(*(client() for _ in range(clients)))
    return answers


async def open_loop(server: Server, rate_hz: float, seconds: float) -> list[Answer]:
    """Requests at even distances, however long the answers take; returns when all of them have come."""
    began_s = time.monotonic()
    tasks: list[asyncio.Task[Answer]] = []
    while (due_s := began_s + len(tasks) / rate_hz) < began_s + seconds:
        await asyncio.sleep(max(due_s - time.monotonic(), 0.0))
        tasks.append(asyncio.create_task(server.ask()))
    return list(await asyncio.gather(*tasks))


def p99_s(answers: Sequence[Answer]) -> float:
    """Of the answers with 200; NaN without any."""
    took_s = [answer.took_s for answer in answers if answer.status == 200]
    return float(np.percentile(took_s, 99)) if took_s else float("nan")
