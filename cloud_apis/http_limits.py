"""uvicorn's protocol for HTTP/1.1 with bounds that it lacks: heads that grow or never end, and bodies nobody wants.

Bodies that are read have their own bounds (`cloud_apis.web.body`).
"""

from __future__ import annotations

import asyncio
from typing import Any, Final

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

MAX_HEAD_BYTES: Final = 64 * 1024
"""Request line and headers together; also what a client may send in between that belongs to no body."""
HEAD_S: Final = 10.0
"""How long a connection may take for a request's head, from its beginning."""
MAX_UNREAD_BYTES: Final = 16 * 2**20
"""So much of a body is still taken and thrown away after it was answered, so that the client gets to read that."""
UNREAD_S: Final = 10.0

_TOO_LARGE: Final = "431 Request Header Fields Too Large", "the request's head is larger than 65536 bytes"
_TOO_SLOW: Final = "408 Request Timeout", "the request's head did not arrive in time"


class BoundedHttp(HttpToolsProtocol):
    """One connection. Whoever breaks a bound is told so where he can be, and hung up on."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._timer: asyncio.TimerHandle | None = None
        self._moved = False
        self._idle_bytes = self._head_bytes = self._unread_bytes = 0
        self._flooded = False

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Await the first head."""
        super().connection_made(transport)
        self._give(HEAD_S, self._head_is_late)

    def connection_lost(self, exc: Exception | None) -> None:
        """Await nothing any more."""
        self._stop()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """Parse, and count what brought neither a body nor a head to its end."""
        self._moved = False
        super().data_received(data)
        self._idle_bytes = 0 if self._moved else self._idle_bytes + len(data)
        if self._idle_bytes > MAX_HEAD_BYTES and not self.transport.is_closing():
            self._hang_up(*_TOO_LARGE)

    def on_message_begin(self) -> None:
        """A head begins."""
        super().on_message_begin()
        self._head_bytes = self._unread_bytes = 0
        if self._timer is None:
            self._give(HEAD_S, self._head_is_late)

    def on_url(self, url: bytes) -> None:
        """A part of the request line."""
        self._count(len(url))
        super().on_url(url)

    def on_header(self, name: bytes, value: bytes) -> None:
        """A header, or a trailer behind the body."""
        self._count(len(name) + len(value) + 4)
        super().on_header(name, value)

    def on_headers_complete(self) -> None:
        """The head has ended."""
        self._stop()
        self._moved = True
        super().on_headers_complete()

    def on_body(self, body: bytes) -> None:
        """A part of the body."""
        self._moved = True
        if self.cycle.response_complete:
            self._unread_bytes += len(body)
            if self._unread_bytes > MAX_UNREAD_BYTES:
                self.transport.close()
        super().on_body(body)

    def on_message_complete(self) -> None:
        """The body has ended."""
        self._stop()
        self._moved = True
        super().on_message_complete()
        self.cycle.more_body = False

    def on_response_complete(self) -> None:
        """It is answered; what is still to come of the body has to come soon."""
        super().on_response_complete()
        if self.cycle.more_body and not self.transport.is_closing():
            self._give(UNREAD_S, self.transport.close)

    def send_400_response(self, msg: str) -> None:
        """Refuse what cannot be parsed, or was too much."""
        if self._flooded:
            self._hang_up(*_TOO_LARGE)
        else:
            super().send_400_response(msg)

    def _count(self, size: int) -> None:
        self._head_bytes += size
        if self._head_bytes > MAX_HEAD_BYTES:
            self._flooded = True
            raise ValueError("the head is too large")  # ends the parser, which leads to send_400_response

    def _head_is_late(self) -> None:
        self._timer = None
        if not self.transport.is_closing():
            self._hang_up(*_TOO_SLOW)

    def _hang_up(self, status: str, message: str) -> None:
        code = "too_large" if status.startswith("431") else "too_slow"
        body = f'{{"error":{{"code":"{code}","message":"{message}"}}}}'
        head = f"HTTP/1.1 {status}\r\ncontent-type: application/json\r\ncontent-length: {len(body)}\r\n"
        self.transport.write(f"{head}connection: close\r\n\r\n{body}".encode("ascii"))
        self.transport.close()

    def _give(self, seconds: float, then: Any) -> None:
        self._stop()
        self._timer = self.loop.call_later(seconds, then)

    def _stop(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
