"""The page that documents the APIs: one self-contained file, since a car may have no way to the internet."""

from __future__ import annotations

from fastapi import APIRouter
from starlette.responses import RedirectResponse, Response

from cloud_apis.web.pages import serve_page


def add_docs(router: APIRouter) -> None:
    """Add `GET /docs`, which shows `/openapi.json` and lets the visitor try the APIs."""
    serve_page(router, "/docs", "docs.html")


def add_redirect(router: APIRouter) -> None:
    """Lead visitors of `/` to the documentation."""

    @router.get("/", include_in_schema=False)
    async def root() -> Response:
        return RedirectResponse("docs")
