"""Counting requests: plain ASGI around the application, since wrapping each response in tasks costs time."""

from __future__ import annotations

import time
from collections.abc import Mapping

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from cloud_apis.metrics import Metrics


class Measured:
    """An ASGI application whose requests are counted and timed by API; ``apis`` names that of each path.

    Their answers state the time between the last byte received and the first one sent, in milliseconds, in a
    ``Server-Timing`` header (W3C Server Timing): clients can tell a slow network from a busy server.
    """

    def __init__(self, app: ASGIApp, metrics: Metrics, apis: Mapping[str, str]) -> None:
        self._app = app
        self._metrics = metrics
        self._apis = apis

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle one ASGI connection."""
        path = scope.get("path", "").removeprefix(scope.get("root_path", ""))
        if scope["type"] != "http" or path not in self._apis:
            await self._app(scope, receive, send)
            return
        api, begun, status = self._apis[path], time.monotonic(), 500
        complete = begun

        async def received() -> Message:
            nonlocal complete
            message = await receive()
            if message["type"] == "http.request" and not message.get("more_body", False):
                complete = time.monotonic()
            return message

        async def watched(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                took_ms = 1000 * (time.monotonic() - complete)
                timing = (b"server-timing", f"app;dur={took_ms:.1f}".encode("ascii"))
                message = {**message, "headers": [*message.get("headers", ()), timing]}
            await send(message)

        self._metrics.begin(api)
        try:
            await self._app(scope, received, watched)
        finally:
            self._metrics.end(api, status, time.monotonic() - begun)
