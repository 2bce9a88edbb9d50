"""Lets an application that knows its paths from the root answer below a prefix of its own."""

from __future__ import annotations

from starlette.types import ASGIApp, Receive, Scope, Send


class UnderPrefix:
    """An ASGI application at ``/<api>`` of a server that many APIs share.

    ``POST /yolov3`` is the prediction, as on a server of its own; everything else of that server stands below:
    ``/yolov3/v2/health/ready``, ``/yolov3/v2/models/yolov3``, ``/yolov3/metrics``, ``/yolov3/docs``. Whatever the
    server in front says about a root path is put aside: it may change while requests are under way.
    """

    def __init__(self, app: ASGIApp, prefix: str) -> None:
        self._app = app
        self._prefix = prefix

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle one ASGI connection."""
        if scope["type"] == "http":
            scope = {**scope, **_below(scope["path"], self._prefix)}
        await self._app(scope, receive, send)


def _below(path: str, prefix: str) -> dict[str, str]:
    if path.startswith(f"{prefix}/") and path != f"{prefix}/":
        return {"root_path": prefix, "path": path}
    return {"root_path": "", "path": prefix if path == f"{prefix}/" else path}
