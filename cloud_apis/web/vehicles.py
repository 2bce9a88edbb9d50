"""The routes that look at vehicles. Bodies are read here; pictures are decoded by the workers, off the event loop."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query, Request
from starlette.responses import JSONResponse, Response

from cloud_apis.contract.vehicles import (
    COLOURS_PATH,
    MAKE_MODEL_PATH,
    REPORT_PATH,
    VEHICLES_PATH,
    FactsOf,
    colours_answer,
    make_model_answer,
    report_answer,
    vehicles_answer,
)
from cloud_apis.services import ColoursPool, LooksPool, ReportsPool, VehiclesPool
from cloud_apis.services.vehicles import LookRequest, ReportRequest
from cloud_apis.web import schemas, vehicle_schemas
from cloud_apis.web.accept import prefers_jpeg
from cloud_apis.web.payloads import read_picture

TopK = Annotated[
    int, Query(ge=1, le=50, description="how many makes, models and classes of one's own to name, most likely first")
]


def add_vehicles(router: APIRouter, pool: VehiclesPool, timeout_s: float) -> None:
    """Add `POST /vehicles`."""

    @router.post(
        VEHICLES_PATH,
        summary="Find vehicles in a picture",
        openapi_extra=schemas.picture_body(forms=True),
        responses={
            200: {"model": vehicle_schemas.VehiclesAnswer, "description": "The vehicles found"},
            **schemas.errors(),
        },
    )
    async def vehicles(request: Request) -> Response:
        found = await pool.run(await read_picture(request, timeout_s, forms=True))
        return JSONResponse(vehicles_answer(found))


def add_colours(router: APIRouter, pool: ColoursPool, timeout_s: float, *, at_root: bool) -> None:
    """Add `POST /colors`, and the same as `POST /` if it is to be ``at_root``."""

    async def colours(request: Request) -> Response:
        return JSONResponse(colours_answer(await pool.run(await read_picture(request, timeout_s, forms=True))))

    for path in (COLOURS_PATH, "/") if at_root else (COLOURS_PATH,):
        router.add_api_route(
            path,
            colours,
            methods=["POST"],
            summary="Tell the colour of a car that fills the picture",
            openapi_extra=schemas.picture_body(forms=True),
            responses={
                200: {"model": vehicle_schemas.ColoursAnswer, "description": "The three likeliest colours"},
                **schemas.errors(),
            },
        )


def add_make_model(router: APIRouter, pool: LooksPool, facts_of: FactsOf, timeout_s: float) -> None:
    """Add `POST /make-model`."""

    @router.post(
        MAKE_MODEL_PATH,
        summary="Tell make and model of a car that fills the picture",
        openapi_extra=schemas.picture_body(forms=True),
        responses={
            200: {"model": vehicle_schemas.MakeModelAnswer, "description": "Makes and models, likeliest first"},
            **schemas.errors(),
        },
    )
    async def make_model(request: Request, top_k: TopK = 5) -> Response:
        looks = await pool.run(LookRequest(await read_picture(request, timeout_s, forms=True), top_k))
        return JSONResponse(make_model_answer(looks, facts_of, top_k))


def add_report(router: APIRouter, pool: ReportsPool, facts_of: FactsOf, timeout_s: float) -> None:
    """Add `POST /vehicle-report`."""

    @router.post(
        REPORT_PATH,
        summary="Describe all vehicles of a picture",
        description="Box, type, colour, make and model, what is known of the model, and plates, of every vehicle. "
        "The answer is JSON, or the annotated picture for a client that prefers image/jpeg.",
        openapi_extra=schemas.picture_body(forms=True),
        responses={
            200: {
                "model": vehicle_schemas.ReportAnswer,
                "description": "The vehicles with their plates, or the picture with them",
                "content": {"image/jpeg": {"schema": {"type": "string", "format": "binary"}}},
            },
            **schemas.errors(),
        },
    )
    async def vehicle_report(request: Request, top_k: TopK = 5) -> Response:
        annotated = prefers_jpeg(request.headers.get("accept", ""))
        data = await read_picture(request, timeout_s, forms=True)
        report = await pool.run(ReportRequest(data, annotated, top_k))
        headers = {"Vary": "Accept"}
        if report.jpeg is not None:
            return Response(report.jpeg, media_type="image/jpeg", headers=headers)
        return JSONResponse(report_answer(report.vehicles, report.plates, facts_of, top_k), headers=headers)
