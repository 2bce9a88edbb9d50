"""Pages for people: each one self-contained file, since a car may have no way to the internet."""

from __future__ import annotations

from importlib import resources
from typing import Final

from fastapi import APIRouter
from starlette.responses import HTMLResponse, Response

_HEADERS: Final = {
    "Content-Security-Policy": "default-src 'none'; script-src 'unsafe-inline'; style-src 'unsafe-inline'; "
    "img-src blob: data:; connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
}


def serve_page(router: APIRouter, path: str, file: str) -> None:
    """Add `GET path`, which answers with a file of this package."""
    content = (resources.files("cloud_apis.web") / file).read_text(encoding="utf-8")

    async def page() -> Response:
        return HTMLResponse(content, headers=_HEADERS)

    router.add_api_route(path, page, methods=["GET"], include_in_schema=False)


def add_page(router: APIRouter) -> None:
    """Add `GET /`, where a visitor chooses, drops or photographs a picture and sees what is known of its vehicles."""
    serve_page(router, "/", "report.html")
