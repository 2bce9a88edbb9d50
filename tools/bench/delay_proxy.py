"""A TCP proxy on loopback that makes the far end far away: every byte arrives half a round trip later."""

from __future__ import annotations

import asyncio
import contextlib
import threading
from collections.abc import Coroutine, Iterator
from dataclasses import dataclass
from typing import Any, Final

CHUNK: Final = 65536
CLOSE: Final = b""


@dataclass(frozen=True, slots=True)
class _Link:
    """One direction of a connection: what was read waits in `queue` until its time has come."""

    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter
    delay_s: float
    queue: asyncio.Queue[tuple[float, bytes]]

    async def take(self) -> None:
        """Reads without delay, so that the delay does not limit the bandwidth."""
        clock = asyncio.get_running_loop().time
        try:
            while data := await self.reader.read(CHUNK):
                await self.queue.put((clock() + self.delay_s, data))
        except ConnectionError:
            self.writer.transport.abort()
        await self.queue.put((clock() + self.delay_s, CLOSE))

    async def give(self) -> None:
        """Writes each chunk when it is due, in order; then closes this direction."""
        clock = asyncio.get_running_loop().time
        with contextlib.suppress(ConnectionError):
            while True:
                due, data = await self.queue.get()
                await asyncio.sleep(max(0.0, due - clock()))
                if data == CLOSE:
                    break
                self.writer.write(data)
                await self.writer.drain()
            if self.writer.can_write_eof():
                self.writer.write_eof()


class _Server:
    def __init__(self, host: str, port: int, round_trip_s: float) -> None:
        self._target = (host, port)
        self._delay_s = round_trip_s / 2

    async def connect(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Serves one connection until both sides have closed it."""
        await asyncio.sleep(2 * self._delay_s)  # the handshake crosses the distance too
        try:
            far_reader, far_writer = await asyncio.open_connection(*self._target)
        except OSError:
            writer.transport.abort()
            return
        links = (
            _Link(reader, far_writer, self._delay_s, asyncio.Queue()),
            _Link(far_reader, writer, self._delay_s, asyncio.Queue()),
        )
        parts: list[Coroutine[Any, Any, None]] = [p for link in links for p in (link.take(), link.give())]
        try:
            await asyncio.gather(*parts)
        finally:
            writer.close()
            far_writer.close()


@contextlib.contextmanager
def delayed(host: str, port: int, round_trip_s: float) -> Iterator[int]:
    """A port on 127.0.0.1 that leads to that server, `round_trip_s` away; open within the `with` block.

    A new connection costs one round trip more. Bandwidth is not limited.
    """
    loop = asyncio.new_event_loop()
    started = threading.Event()
    server: list[asyncio.Server] = []

    async def serve() -> None:
        server.append(await asyncio.start_server(_Server(host, port, round_trip_s).connect, "127.0.0.1", 0))
        started.set()

    def run() -> None:
        asyncio.set_event_loop(loop)
        loop.run_until_complete(serve())
        loop.run_forever()
        for task in asyncio.all_tasks(loop):
            task.cancel()
        loop.run_until_complete(loop.shutdown_asyncgens())
        loop.run_until_complete(asyncio.sleep(0))

    thread = threading.Thread(target=run, name="delay-proxy", daemon=True)
    thread.start()
    started.wait()
    try:
        yield int(server[0].sockets[0].getsockname()[1])
    finally:
        loop.call_soon_threadsafe(server[0].close)
        loop.call_soon_threadsafe(loop.stop)
        thread.join()
        loop.close()
