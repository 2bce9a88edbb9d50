"""What the bodies of requests hold, by their content type: pictures for the models."""

from __future__ import annotations

import asyncio
import base64
import binascii
from collections.abc import Callable
from typing import Any, TypeVar

from pydantic import BaseModel, ConfigDict, Field, ValidationError
from starlette.requests import Request

from cloud_apis.contract import MAX_BYTES, MAX_CROPS
from cloud_apis.errors import ApiError, bad_body, too_large, wrong_shape, wrong_type
from cloud_apis.picture_header import HeaderLook
from cloud_apis.web.body import MAX_JSON_BYTES, MAX_MULTIPART_BYTES, read_body
from cloud_apis.web.multipart import PartsLook, parts_named

PICTURE_TYPES = ("image/jpeg", "image/png")
# Bodies up to this size are taken apart at once; larger ones in a thread, beside the other requests.
_INLINE_BYTES = 256 * 1024
_JSON = "application/json"
_MULTIPART = "multipart/form-data"

B = TypeVar("B", bound=BaseModel)
T = TypeVar("T")


class PictureBody(BaseModel):
    """One picture in JSON."""

    model_config = ConfigDict(extra="forbid", strict=True)

    img: str = Field(description="a JPEG or PNG in base64")


class CropsBody(BaseModel):
    """Plate crops in JSON."""

    model_config = ConfigDict(extra="forbid", strict=True)

    imgs: list[str] = Field(description="one JPEG or PNG in base64 per crop", max_length=MAX_CROPS)


async def read_picture(request: Request, timeout_s: float, *, forms: bool = False) -> bytes:
    """The encoded picture of a request: raw, or base64 within JSON, or, where ``forms`` are taken, the part `image`
    of a form. Raises `ApiError`."""
    kind = _content_type(request)
    if kind in PICTURE_TYPES:
        return await read_body(request, MAX_BYTES, timeout_s, HeaderLook())
    if kind == _JSON:
        body = await read_body(request, MAX_JSON_BYTES, timeout_s)
        return await _apart(body, lambda: _base64(_parse(PictureBody, body).img, "img"))
    if forms and kind == _MULTIPART:
        header = request.headers["content-type"]
        body = await read_body(request, MAX_MULTIPART_BYTES, timeout_s, PartsLook(header, 1))
        return await _apart(body, lambda: _one_part(body, header))
    form = "as the part image of multipart/form-data, " if forms else ""
    raise wrong_type(f'send the picture as image/jpeg or image/png, {form}or as JSON {{"img": "<base64>"}}')


async def read_crops(request: Request, timeout_s: float) -> list[bytes]:
    """The encoded crops of a request: parts of a form, or base64 within JSON. Raises `ApiError`."""
    kind = _content_type(request)
    if kind == _MULTIPART:
        header = request.headers["content-type"]
        body = await read_body(request, MAX_MULTIPART_BYTES, timeout_s, PartsLook(header, MAX_CROPS))
        return await _apart(body, lambda: parts_named("imgs", body, header, MAX_CROPS))
    if kind == _JSON:
        body = await read_body(request, MAX_JSON_BYTES, timeout_s)
        return await _apart(body, lambda: _crops_from_json(body))
    raise _no_crops()


def _one_part(body: bytes, content_type: str) -> bytes:
    parts = parts_named("image", body, content_type, 1)
    if not parts:
        raise wrong_shape("the form has no part named image")
    return parts[0]


def _crops_from_json(body: bytes) -> list[bytes]:
    return [_base64(crop, f"imgs[{i}]") for i, crop in enumerate(_parse(CropsBody, body).imgs)]


def _no_crops() -> ApiError:
    return wrong_type(
        "send the crops as multipart/form-data with one part named imgs per crop, "
        'or as JSON {"imgs": ["<base64 JPEG>", ...]}; pickled lists are not taken'
    )


def _content_type(request: Request) -> str:
    return request.headers.get("content-type", "").partition(";")[0].strip().lower()


async def _apart(body: bytes, parse: Callable[[], T]) -> T:
    if len(body) <= _INLINE_BYTES:
        return parse()
    return await asyncio.to_thread(parse)


def _parse(form: type[B], body: bytes) -> B:
    try:
        return form.model_validate_json(body)
    except ValidationError as error:
        problem = error.errors(include_url=False, include_context=False)[0]
    raise _refusal(problem)


def _refusal(problem: Any) -> ApiError:
    place, kind = problem["loc"], problem["type"]
    if kind == "json_invalid":
        return bad_body("the body is not valid JSON")
    if place == ("imgs",) and kind == "list_type" and isinstance(problem["input"], str):
        return _no_crops()  # the original sent its crops pickled, as one string
    if place == ("imgs",) and kind == "too_long":
        return too_large(f"more than {MAX_CROPS} crops in one request")
    where = ".".join(str(p) for p in place) or "the body"
    return wrong_shape(f"{where}: {problem['msg']}")


def _base64(text: str, where: str) -> bytes:
    try:
        return base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError) as error:
        raise bad_body(f"{where} is not valid base64") from error
