"""A TCP proxy on loopback that makes the far end far away, behind a narrow road, or behind a tunnel."""

from __future__ import annotations

import asyncio
import contextlib
import threading
from collections.abc import Coroutine, Iterator
from dataclasses import dataclass
from typing import Any, Final

from tools.bench.background import in_background

CHUNK: Final = 65536
PIECE: Final = 1460  # bytes, as Ethernet carries them: connections take turns on a narrow road
CLOSE: Final = b""


class Gate:
    """A tunnel on the way, to be shut and opened from any thread.

    While it is shut nothing passes: what is on its way, and new connections, wait as lost packets do that are
    sent again. With ``refuse`` connections are broken off and refused instead.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._opened: asyncio.Event | None = None
        self._writers: set[asyncio.StreamWriter] = set()
        self._shut = False
        self.refusing = False

    def shut(self, *, refuse: bool = False) -> None:
        """Nothing passes from now on."""
        self._set(shut=True, refuse=refuse)

    def open(self) -> None:
        """All passes again."""
        self._set(shut=False, refuse=False)

    def _set(self, *, shut: bool, refuse: bool) -> None:
        with self._lock:
            self._shut, self.refusing = shut, refuse
            if self._loop is not None:
                asyncio.run_coroutine_threadsafe(self._apply(), self._loop).result(10)

    def attach(self, loop: asyncio.AbstractEventLoop | None) -> None:
        """Serve the connections of this loop; called by the proxy, in the loop's thread, None at its end."""
        with self._lock:
            self._loop = loop
            self._opened = asyncio.Event() if loop is not None else None
            if self._opened is not None and not self._shut:
                self._opened.set()

    async def _apply(self) -> None:
        if self._opened is None:
            return
        if self._shut:
            self._opened.clear()
        else:
            self._opened.set()
        if self.refusing:
            for writer in list(self._writers):
                writer.transport.abort()

    async def passed(self) -> None:
        """Wait until the gate is open."""
        if self._opened is not None:
            await self._opened.wait()

    @contextlib.contextmanager
    def watched(self, *writers: asyncio.StreamWriter) -> Iterator[None]:
        """Have these connections broken off when the gate refuses."""
        self._writers.update(writers)
        try:
            yield
        finally:
            self._writers.difference_update(writers)


class Road:
    """One direction, shared by all connections: a rate in bits a second, and a length in seconds."""

    def __init__(self, delay_s: float, rate_bps: float | None) -> None:
        self.delay_s = delay_s
        self._rate_bps = rate_bps
        self._free_s = 0.0
        self._turn = asyncio.Lock()

    @property
    def narrow(self) -> bool:
        """Whether the rate is limited."""
        return self._rate_bps is not None

    async def enter(self, size: int) -> float:
        """Wait for the turn of so many bytes; gives when they arrive, by the loop's clock."""
        clock = asyncio.get_running_loop().time
        if self._rate_bps is None:
            return clock() + self.delay_s
        async with self._turn:  # in the order of asking
            now = clock()
            self._free_s = max(self._free_s, now) + 8 * size / self._rate_bps
            if self._free_s > now + 0.001:
                await asyncio.sleep(self._free_s - now)
            return self._free_s + self.delay_s


@dataclass(frozen=True, slots=True)
class _Link:
    """One direction of a connection: what was read waits in `queue` until its time has come."""

    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter
    road: Road
    gate: Gate
    queue: asyncio.Queue[tuple[float, bytes]]

    async def take(self) -> None:
        """Reads without delay, so that the delay does not limit the bandwidth."""
        clock = asyncio.get_running_loop().time
        try:
            while data := await self.reader.read(CHUNK):
                pieces = [data]
                if self.road.narrow:
                    pieces = [data[at : at + PIECE] for at in range(0, len(data), PIECE)]
                for piece in pieces:
                    await self.gate.passed()
                    await self.queue.put((await self.road.enter(len(piece)), piece))
        except ConnectionError:
            self.writer.transport.abort()
        await self.queue.put((clock() + self.road.delay_s, CLOSE))

    async def give(self) -> None:
        """Writes each chunk when it is due, in order; then closes this direction."""
        clock = asyncio.get_running_loop().time
        with contextlib.suppress(OSError):  # the far end has gone
            while True:
                due, data = await self.queue.get()
                await asyncio.sleep(max(0.0, due - clock()))
                await self.gate.passed()
                if data == CLOSE:
                    break
                self.writer.write(data)
                await self.writer.drain()
            if self.writer.can_write_eof():
                self.writer.write_eof()


class _Server:
    def __init__(self, host: str, port: int, there: Road, back: Road, gate: Gate) -> None:
        self._target = (host, port)
        self._there, self._back, self._gate = there, back, gate

    async def connect(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Serves one connection until both sides have closed it."""
        if self._gate.refusing:
            writer.transport.abort()
            return
        await asyncio.sleep(self._there.delay_s + self._back.delay_s)  # the handshake crosses the distance too
        await self._gate.passed()
        try:
            far_reader, far_writer = await asyncio.open_connection(*self._target)
        except OSError:
            writer.transport.abort()
            return
        links = (
            _Link(reader, far_writer, self._there, self._gate, asyncio.Queue()),
            _Link(far_reader, writer, self._back, self._gate, asyncio.Queue()),
        )
        parts: list[Coroutine[Any, Any, None]] = [p for link in links for p in (link.take(), link.give())]
        with self._gate.watched(writer, far_writer):
            try:
                await asyncio.gather(*parts)
            except asyncio.CancelledError:
                pass  # the proxy ends; asyncio's streams of Python 3.11 tell of a cancelled connection as of a fault
            finally:
                writer.close()
                far_writer.close()


@contextlib.contextmanager
def delayed(
    host: str, port: int, round_trip_s: float, rate_bps: float | None = None, gate: Gate | None = None
) -> Iterator[int]:
    """A port on 127.0.0.1 that leads to that server, `round_trip_s` away; open within the `with` block.

    A new connection costs one round trip more. `rate_bps` limits each direction, for all connections together.
    """
    gate = gate or Gate()

    async def start() -> asyncio.Server:
        gate.attach(asyncio.get_running_loop())
        there, back = Road(round_trip_s / 2, rate_bps), Road(round_trip_s / 2, rate_bps)
        return await asyncio.start_server(_Server(host, port, there, back, gate).connect, "127.0.0.1", 0)

    with in_background(start, "delay-proxy") as near:
        try:
            yield near
        finally:
            gate.attach(None)
