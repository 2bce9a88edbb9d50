"""Requests at a rate that does not depend on the answers, or as fast as answers come; what became of each."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

_BROKEN = (OSError, ValueError, KeyError, asyncio.IncompleteReadError, asyncio.LimitOverrunError)
"""What becomes of a connection on which no answer of the APIs comes."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What became of a request; ``status`` is 0 where there was no answer."""

    status: int
    took_s: float
    retry_after: str = ""


@dataclass(frozen=True, slots=True)
class _Connection:
    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter


class Server:
    """Where requests go; connections are kept and used again, one request each at a time.

    Only as much HTTP as the APIs' answers need: what the clients cost shall not count as the server's.
    """

    def __init__(self, port: int, path: str, body: bytes) -> None:
        self._port = port
        head = f"POST {path} HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nContent-Type: image/jpeg\r\n"
        self._request = f"{head}Content-Length: {len(body)}\r\n\r\n".encode() + body
        self._idle: list[_Connection] = []

    async def ask(self) -> Answer:
        """One request.

        Servers close connections that nobody used for a while, and may do so just when one is used again; then, as the
        dashcam does, a fresh one is tried.
        """
        began_s = time.perf_counter()
        connections = [self._idle.pop()] if self._idle else []
        for connection in (*connections, None):
            try:
                status, headers = await self._asked(connection or await self._connected())
            except _BROKEN:
                continue
            return Answer(status, time.perf_counter() - began_s, headers.get("retry-after", ""))
        return Answer(0, time.perf_counter() - began_s)

    def close(self) -> None:
        """End the connections that nobody uses."""
        while self._idle:
            self._idle.pop().writer.close()

    async def _connected(self) -> _Connection:
        return _Connection(*await asyncio.open_connection("127.0.0.1", self._port))

    async def _asked(self, connection: _Connection) -> tuple[int, dict[str, str]]:
        """Status and headers by lower-case name. ValueError and KeyError for what is no answer of the APIs."""
        connection.writer.write(self._request)
        lines = (await connection.reader.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")
        fields = (line.partition(":") for line in lines[1:] if line)
        headers = {name.lower(): value.strip() for name, _, value in fields}
        await connection.reader.readexactly(int(headers["content-length"]))
        if headers.get("connection") == "close":
            connection.writer.close()
        else:
            self._idle.append(connection)
        return int(lines[0].split()[1]), headers


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
