"""The routes that predict. Bodies are read here; pictures are decoded by the workers, off the event loop."""

from __future__ import annotations

from fastapi import APIRouter, Request
from starlette.responses import JSONResponse, Response

from cloud_apis.contract import CRNN_PATH, READER_PATH, YOLOV3_PATH, crnn_answer, reader_answer, yolov3_answer
from cloud_apis.services import CropsPool, DetectorPool, PicturesPool
from cloud_apis.services.plates import PictureRequest
from cloud_apis.web import schemas
from cloud_apis.web.accept import prefers_jpeg
from cloud_apis.web.payloads import read_crops, read_picture


def add_yolov3(router: APIRouter, pool: DetectorPool, timeout_s: float) -> None:
    """Add `POST /yolov3`."""

    @router.post(
        YOLOV3_PATH,
        summary="Find licence plates in a picture",
        openapi_extra=schemas.picture_body(),
        responses={200: {"model": schemas.BoxesAnswer, "description": "The plates found"}, **schemas.errors()},
    )
    async def yolov3(request: Request) -> Response:
        boxes = await pool.run(await read_picture(request, timeout_s))
        return JSONResponse(yolov3_answer(boxes))


def add_crnn(router: APIRouter, pool: CropsPool, timeout_s: float) -> None:
    """Add `POST /crnn`."""

    @router.post(
        CRNN_PATH,
        summary="Read the words on crops of licence plates",
        openapi_extra=schemas.crops_body(),
        responses={200: {"model": schemas.WordsAnswer, "description": "The words read"}, **schemas.errors()},
    )
    async def crnn(request: Request) -> Response:
        crops = await read_crops(request, timeout_s)
        return JSONResponse(crnn_answer(await pool.run(crops) if crops else []))


def add_reader(router: APIRouter, pool: PicturesPool, timeout_s: float) -> None:
    """Add `POST /license-plate-reader`."""

    @router.post(
        READER_PATH,
        summary="Find and read all licence plates in a picture",
        description="The answer is JSON, or the annotated picture for a client that prefers image/jpeg.",
        openapi_extra=schemas.picture_body(),
        responses={
            200: {
                "model": schemas.ReadsAnswer,
                "description": "The plates found and read, or the picture with them",
                "content": {"image/jpeg": {"schema": {"type": "string", "format": "binary"}}},
            },
            **schemas.errors(),
        },
    )
    async def license_plate_reader(request: Request) -> Response:
        annotated = prefers_jpeg(request.headers.get("accept", ""))
        data = await read_picture(request, timeout_s)
        reads = await pool.run(PictureRequest(data, annotated))
        headers = {"Vary": "Accept"}
        if reads.jpeg is not None:
            return Response(reads.jpeg, media_type="image/jpeg", headers=headers)
        return JSONResponse(reader_answer(reads.plates), headers=headers)
