"""One side of the proxy: HTTP/1.1 over a connection, by h11."""

from __future__ import annotations

import asyncio
import contextlib
import socket
import struct

import h11

from tools.faults.proxy.exchange import CHUNK_BYTES

_HEAD_BYTES = 65536


class Peer:
    """The client, or the server; `role` is the one that the proxy plays towards it."""

    def __init__(self, role: type[h11.SERVER | h11.CLIENT], reader: asyncio.StreamReader, writer: asyncio.StreamWriter):
        self.reader = reader
        self._writer = writer
        self._http = h11.Connection(role, max_incomplete_event_size=_HEAD_BYTES)

    async def next(self) -> h11.Event | type[h11.PAUSED]:
        """What comes next. Raises ConnectionError, or h11's RemoteProtocolError for what is not HTTP."""
        while (event := self._http.next_event()) is h11.NEED_DATA:
            if self._http.they_are_waiting_for_100_continue:
                await self.send(h11.InformationalResponse(status_code=100, headers=[]))
            self._http.receive_data(await self.reader.read(CHUNK_BYTES))
        return event  # type: ignore[return-value]  # NEED_DATA it is not

    async def send(self, event: h11.Event) -> None:
        """Sends it. Raises ConnectionError."""
        await self.write(self._http.send(event) or b"")

    async def write(self, data: bytes) -> None:
        """Sends bytes as they are."""
        self._writer.write(data)
        await self._writer.drain()

    def goes_on(self) -> bool:
        """Whether the connection may carry another request, which it is made ready for."""
        if self.reader.at_eof() or self._http.our_state is not h11.DONE or self._http.their_state is not h11.DONE:
            return False
        self._http.start_next_cycle()
        return True

    def reset(self) -> None:
        """Ends the connection with a reset."""
        raw = self._writer.get_extra_info("socket")
        if raw is not None:
            with contextlib.suppress(OSError):
                raw.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self._writer.transport.abort()

    def close(self) -> None:
        """Ends the connection in order."""
        self._writer.close()
