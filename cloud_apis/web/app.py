"""The ASGI application of the prediction APIs, for uvicorn or anything else that serves ASGI."""

from __future__ import annotations

import hmac
from collections.abc import AsyncIterator, Callable, Collection
from contextlib import asynccontextmanager

from fastapi import APIRouter, FastAPI, Security
from fastapi.exceptions import RequestValidationError
from fastapi.security import APIKeyHeader
from starlette.exceptions import HTTPException
from starlette.requests import HTTPConnection, Request
from starlette.responses import JSONResponse, Response

from cloud_apis.contract import API_KEY_HEADER, error_body
from cloud_apis.errors import ApiError, unauthorised
from cloud_apis.metrics import Metrics
from cloud_apis.model_sources import offered
from cloud_apis.names import Api
from cloud_apis.services import Services, load_services
from cloud_apis.settings import ApiSettings
from cloud_apis.web.docs import add_docs, add_redirect
from cloud_apis.web.health import add_health, add_metrics, add_models
from cloud_apis.web.measure import Measured
from cloud_apis.web.origins import OwnPagesOnly
from cloud_apis.web.pages import add_page
from cloud_apis.web.predictions import add_crnn, add_reader, add_yolov3
from cloud_apis.web.refusal import EarlyRefusal
from cloud_apis.web.vehicles import add_colours, add_make_model, add_report, add_vehicles

_CODES = {404: "not_found", 405: "method_not_allowed"}
_DESCRIPTION = """Finds and reads licence plates, and tells what the vehicles look like.

Pictures are JPEG or PNG, at most 8 MB, 25 megapixels and 65,500 pixels on a side. Coordinates are pixels of the
picture as people see it, turned as its EXIF data says. Of an animated PNG the still picture counts; transparency is
dropped. Confidences are chances to be right: of reads at 0.9, nine in ten are. Errors are
`{"error": {"code", "message"}}`."""


def create_app(
    settings: ApiSettings,
    *,
    apis: Collection[Api] | None = None,
    api_key: str | Callable[[str], bool] | None = None,
    local: bool = False,
) -> FastAPI:
    """Load the models and build the application that offers the named APIs; None: `offered` tells which.

    With `api_key`, predictions, metadata of models and metrics want it in the header X-API-Key; health and
    documentation stay open. Who does not know the key itself gives a test of those that are sent, which must take the
    same time for all of them. With `local`, requests that name another host than this machine are refused. Raises
    `StartError` when a model is missing or does not fit the settings.
    """
    services = load_services(settings, offered(settings.models) if apis is None else apis)
    metrics = Metrics()
    for api, pool in services.queues().items():
        metrics.watch(api, lambda p=pool: p.waiting, lambda p=pool: p.running)  # type: ignore[misc]

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        yield
        services.close()

    app = FastAPI(
        title="Licence plate and vehicle APIs",
        description=_DESCRIPTION,
        docs_url=None,
        redoc_url=None,
        lifespan=lifespan,
        redirect_slashes=False,
    )
    app.add_middleware(OwnPagesOnly, local=local)
    app.add_middleware(Measured, metrics=metrics, apis=_paths(services))
    _add_errors(app)
    guarded = APIRouter(dependencies=[Security(_KeyCheck(api_key))] if api_key else [])
    _add_plates(guarded, services, settings.body_timeout_s)
    _add_vehicles(guarded, services, settings.body_timeout_s)
    add_models(guarded, services.models)
    add_metrics(guarded, metrics)
    free = APIRouter()
    add_health(free)
    add_docs(free)
    if services.reports:
        add_page(free)
    else:
        add_redirect(free)
    app.include_router(guarded)
    app.include_router(free)
    return app


def _paths(services: Services) -> dict[str, str]:
    """The API behind each path that predicts."""
    paths = {f"/{api}": str(api) for api in services.queues()}
    return paths | ({"/": str(Api.COLOURS)} if services.colours_alone else {})


class _KeyCheck(APIKeyHeader):
    """Compares the key in constant time, before anything of the body is read."""

    def __init__(self, key: str | Callable[[str], bool]) -> None:
        super().__init__(name=API_KEY_HEADER, auto_error=False)
        self._accepts = _equals(key) if isinstance(key, str) else key

    async def __call__(self, request: HTTPConnection) -> str | None:
        if not self._accepts(request.headers.get(API_KEY_HEADER, "")):
            raise unauthorised()
        return None


def _equals(key: str) -> Callable[[str], bool]:
    return lambda sent: hmac.compare_digest(sent.encode("latin-1"), key.encode())


def _add_plates(router: APIRouter, services: Services, timeout_s: float) -> None:
    if services.detector:
        add_yolov3(router, services.detector, timeout_s)
    if services.crops:
        add_crnn(router, services.crops, timeout_s)
    if services.pictures:
        add_reader(router, services.pictures, timeout_s)


def _add_vehicles(router: APIRouter, services: Services, timeout_s: float) -> None:
    if services.vehicles:
        add_vehicles(router, services.vehicles, timeout_s)
    if services.colours:
        add_colours(router, services.colours, timeout_s, at_root=services.colours_alone)
    if services.makes:
        add_make_model(router, services.makes, services.facts_of, timeout_s)
    if services.reports:
        add_report(router, services.reports, services.facts_of, timeout_s)


def _add_errors(app: FastAPI) -> None:
    @app.exception_handler(ApiError)
    async def refused(_: Request, error: ApiError) -> Response:
        kind = EarlyRefusal if error.early else JSONResponse
        return kind(error_body(error.code, error.message), error.status, headers=error.headers)

    @app.exception_handler(HTTPException)
    async def not_routed(request: Request, error: HTTPException) -> Response:
        message = f"{request.method} {request.url.path}: {error.detail}"
        code = _CODES.get(error.status_code, "http_error")
        return JSONResponse(error_body(code, message), error.status_code, headers=error.headers)

    @app.exception_handler(RequestValidationError)
    async def wrong_query(_: Request, error: RequestValidationError) -> Response:
        first = error.errors()[0]
        place = ".".join(str(part) for part in first["loc"][1:])
        return JSONResponse(error_body("wrong_shape", f"{place}: {first['msg']}"), 422)

    @app.exception_handler(500)
    async def broken(_: Request, __: Exception) -> Response:
        # The server's log has the traceback; the client has no use for it.
        return JSONResponse(error_body("internal", "the server failed to answer; its log says why"), 500)
