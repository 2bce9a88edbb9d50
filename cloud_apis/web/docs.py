"""The page that documents the APIs: one self-contained file, since a car may have no way to the internet."""

from __future__ import annotations

from importlib import resources

from fastapi import APIRouter
from starlette.responses import HTMLResponse, RedirectResponse, Response

_POLICY = (
    "default-src 'none'; script-src 'unsafe-inline'; style-src 'unsafe-inline'; "
    "img-src blob: data:; connect-src 'self'; base-uri 'none'; frame-ancestors 'none'"
)


def add_docs(router: APIRouter) -> None:
    """Add `GET /docs`, which shows `/openapi.json` and lets the visitor try the APIs, and `/` leading there."""
    page = (resources.files("cloud_apis.web") / "docs.html").read_text(encoding="utf-8")

    @router.get("/docs", include_in_schema=False)
    async def docs() -> Response:
        return HTMLResponse(page, headers={"Content-Security-Policy": _POLICY})

    @router.get("/", include_in_schema=False)
    async def root() -> Response:
        return RedirectResponse("docs")
