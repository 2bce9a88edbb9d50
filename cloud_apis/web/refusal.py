"""Answering before the whole body is there, and still so that a client which is busy sending gets to read it."""

from __future__ import annotations

import asyncio
from typing import Final

from starlette.responses import JSONResponse
from starlette.types import Receive, Scope, Send

DRAIN_BYTES: Final = 16 * 2**20
DRAIN_S: Final = 5.0
"""So much of the body is still taken and thrown away; then the connection is closed on it."""


class EarlyRefusal(JSONResponse):
    """An answer that is sent whole, then waits within bounds for the rest of the body before it closes."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Send it."""
        self.headers["connection"] = "close"
        await send({"type": "http.response.start", "status": self.status_code, "headers": self.raw_headers})
        await send({"type": "http.response.body", "body": bytes(self.body), "more_body": True})
        try:
            async with asyncio.timeout(DRAIN_S):
                await _drain(receive)
        except TimeoutError:
            pass
        await send({"type": "http.response.body", "body": b"", "more_body": False})


async def _drain(receive: Receive) -> None:
    size = 0
    while size <= DRAIN_BYTES:
        message = await receive()
        if message["type"] == "http.disconnect" or not message.get("more_body", False):
            return
        size += len(message.get("body", b""))
