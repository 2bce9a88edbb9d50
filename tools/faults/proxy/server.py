"""The proxy itself: passes requests and answers on, and lets the faults of the moment take hold of them."""

from __future__ import annotations

import asyncio
import contextlib
import random
import ssl
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from urllib.parse import SplitResult, urlsplit

import h11

from tools.bench.background import in_background
from tools.faults.proxy.exchange import CutError, Exchange, InsteadError
from tools.faults.proxy.fault import Effect
from tools.faults.proxy.peer import Peer
from tools.faults.proxy.schedule import Schedule

_HOP_BY_HOP = {b"content-length", b"transfer-encoding", b"connection", b"keep-alive"}


class Proxy:
    """Serves connections of one event loop; ``met`` counts the requests that each kind of fault was chosen for."""

    def __init__(self, to: str, schedule: Schedule) -> None:
        """``to`` is where requests go, such as ``http://127.0.0.1:6001``. Raises ValueError when it is no such URL."""
        parts = urlsplit(to)
        if parts.scheme not in {"http", "https"} or not parts.hostname:
            raise ValueError(f"{to} is not a URL such as http://127.0.0.1:6001")
        self._parts: SplitResult = parts
        self._schedule = schedule
        self._effects: list[Effect] = []
        self._began_s = 0.0
        self.requests = 0
        self.met: Counter[str] = Counter()

    async def start(self, host: str = "127.0.0.1", port: int = 0) -> asyncio.Server:
        """Listen, and let the schedule begin. Raises OSError."""
        self._effects = [fault.effect() for fault in self._schedule.faults]
        server = await asyncio.start_server(self._connection, host, port)
        self._began_s = time.monotonic()
        return server

    @property
    def phase_s(self) -> float:
        """The second of the schedule that it is."""
        return self._schedule.phase_s(time.monotonic() - self._began_s)

    async def _connection(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        client = Peer(h11.SERVER, reader, writer)
        far: Peer | None = None
        try:
            while isinstance(request := await client.next(), h11.Request):
                far = await self._exchange(client, request, far)
                if not client.goes_on():
                    break
        except CutError as cut:
            with contextlib.suppress(ConnectionError):
                await client.write(cut.last)
            if cut.reset:
                client.reset()
        except (OSError, h11.ProtocolError, asyncio.CancelledError):
            client.reset()  # one side has gone, or speaks no HTTP: so does the other; or the proxy ends
        finally:
            client.close()
            if far is not None:
                far.close()

    async def _exchange(self, client: Peer, request: h11.Request, far: Peer | None) -> Peer | None:
        """One request and its answer; gives the connection to the server, for the next one."""
        number, self.requests = self.requests, self.requests + 1
        exchange = Exchange(number, client.reader, random.Random(f"{self._schedule.seed}-{number}"))
        effects = self._chosen(exchange)
        try:
            for effect in effects:
                await effect.before(exchange)
        except InsteadError as instead:
            await _answer_instead(client, instead)
            return far
        if far is None or not far.goes_on():
            if far is not None:
                far.close()
            far = await self._far()
        try:
            await _pass_request(client, far, request, exchange, effects)
            await _pass_answer(client, far, exchange, effects)
        except BaseException:
            far.close()
            raise
        return far

    def _chosen(self, exchange: Exchange) -> list[Effect]:
        phase_s, chosen = self.phase_s, []
        for fault, effect in zip(self._schedule.faults, self._effects, strict=True):
            if exchange.chance.random() < fault.share and fault.acts(phase_s):
                self.met[fault.fault] += 1
                chosen.append(effect)
        return chosen

    async def _far(self) -> Peer:
        secure = self._parts.scheme == "https"
        port = self._parts.port or (443 if secure else 80)
        context = ssl.create_default_context() if secure else None
        reader, writer = await asyncio.open_connection(self._parts.hostname, port, ssl=context)
        return Peer(h11.CLIENT, reader, writer)


async def _pass_request(
    client: Peer, far: Peer, request: h11.Request, exchange: Exchange, effects: Sequence[Effect]
) -> None:
    with contextlib.suppress(ConnectionError):  # a server that answers early may have closed: its answer counts
        await far.send(h11.Request(method=request.method, target=request.target, headers=request.headers.raw_items()))
        while isinstance(event := await client.next(), h11.Data):
            data = bytes(event.data)
            for effect in effects:
                data = await effect.request_piece(exchange, data)
            await far.send(h11.Data(data=data))
            exchange.sent_bytes += len(data)
        await far.send(h11.EndOfMessage())


async def _pass_answer(client: Peer, far: Peer, exchange: Exchange, effects: Sequence[Effect]) -> None:
    while isinstance(answer := await far.next(), h11.InformationalResponse):
        pass
    if not isinstance(answer, h11.Response):
        raise ConnectionError("the server closed the connection without an answer")
    lengths = [int(value) for name, value in answer.headers if name == b"content-length"]
    exchange.answer_bytes = lengths[0] if lengths else None
    for effect in effects:
        await effect.answer_head(exchange)
    if exchange.until_close:
        await client.write(_head_without_length(answer))
    else:
        await client.send(
            h11.Response(status_code=answer.status_code, reason=answer.reason, headers=answer.headers.raw_items())
        )
    while isinstance(event := await far.next(), h11.Data):
        data = bytes(event.data)
        for effect in effects:
            data = await effect.answer_piece(exchange, data)
        await (client.write(data) if exchange.until_close else client.send(h11.Data(data=data)))
        exchange.passed_bytes += len(data)
    for effect in effects:
        await effect.answered(exchange)
    if exchange.until_close:
        raise CutError
    await client.send(h11.EndOfMessage())


async def _answer_instead(client: Peer, instead: InsteadError) -> None:
    while isinstance(await client.next(), h11.Data):
        pass
    headers = {**instead.headers, "Content-Length": str(len(instead.body))}
    await client.send(h11.Response(status_code=instead.status, headers=list(headers.items())))
    await client.send(h11.Data(data=instead.body))
    await client.send(h11.EndOfMessage())


def _head_without_length(answer: h11.Response) -> bytes:
    kept = [(name, value) for name, value in answer.headers.raw_items() if name.lower() not in _HOP_BY_HOP]
    lines = [b"HTTP/1.1 %d %s" % (answer.status_code, answer.reason), b"Connection: close"]
    return b"\r\n".join([*lines, *(name + b": " + value for name, value in kept), b"", b""])


@contextlib.contextmanager
def faulty(to: str, schedule: Schedule) -> Iterator[tuple[int, Proxy]]:
    """The proxy on a free port of 127.0.0.1, within the `with` block, in a thread of its own."""
    proxy = Proxy(to, schedule)
    with in_background(proxy.start, "fault-proxy") as port:
        yield port, proxy
