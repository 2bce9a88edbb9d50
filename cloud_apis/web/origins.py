"""Which pages of a browser may ask: those of this server, and no page of another site.

Other clients send no ``Origin`` and are not touched. See https://fetch.spec.whatwg.org/#origin-header.
"""

from __future__ import annotations

from starlette.datastructures import Headers
from starlette.responses import JSONResponse
from starlette.types import ASGIApp, Receive, Scope, Send

from cloud_apis.contract import error_body, is_loopback

_FOREIGN = "pages of other sites may not ask this server"
_ELSEWHERE = "this server is for its own machine: ask it as localhost"


class OwnPagesOnly:
    """An ASGI application that foreign pages cannot use with a visitor's browser; they get 403.

    With ``local`` the server is one that only its own machine reaches. It refuses requests that name another host: they
    come from a foreign page whose name was bent to this machine (DNS rebinding).
    """

    def __init__(self, app: ASGIApp, *, local: bool) -> None:
        self._app = app
        self._local = local

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle one ASGI connection."""
        problem = self._problem(Headers(scope=scope)) if scope["type"] == "http" else None
        if problem is None:
            await self._app(scope, receive, send)
        else:
            await JSONResponse(error_body("foreign", problem), 403)(scope, receive, send)

    def _problem(self, headers: Headers) -> str | None:
        host = headers.get("host", "").strip().lower()
        if self._local and host and not is_loopback(_name(host)):
            return _ELSEWHERE
        origin = headers.get("origin")
        if headers.get("sec-fetch-site") == "cross-site" and headers.get("sec-fetch-mode") != "navigate":
            return _FOREIGN
        if origin is not None and origin.partition("://")[2].lower() != host:
            return _FOREIGN
        return None


def _name(host: str) -> str:
    """A ``Host`` header without its port, IPv6 addresses without brackets."""
    name, _, port = host.rpartition(":")
    return (name if name and not port.endswith("]") else host).removeprefix("[").removesuffix("]")
