"""What requests and answers look like, for the OpenAPI page. Handlers write the answers themselves."""

from __future__ import annotations

from typing import Any

from pydantic import BaseModel, ConfigDict, Field

from cloud_apis.contract import MAX_CROPS
from cloud_apis.web.payloads import CropsBody, PictureBody

Box = tuple[float, float, float, float, float, list[float]]
Corner = tuple[float, float]
PlateWord = tuple[str, tuple[Corner, Corner, Corner, Corner]]


class BoxesAnswer(BaseModel):
    """Plates found in a picture."""

    boxes: list[Box] = Field(
        description="xmin, ymin, xmax, ymax in pixels of the picture sent, objectness 0..1, score 0..1 per class"
    )


class WordsAnswer(BaseModel):
    """Words read on each crop."""

    license_plates: list[list[PlateWord]] = Field(
        alias="license-plates",
        description="per crop, in the order sent: words with their corners in crop pixels, clockwise from the "
        "top left; top line first, then left to right",
    )
    confidences: list[list[list[float]]] = Field(
        description="per crop and word: for each character the chance that it is right, 0..1"
    )
    plate_confidences: list[float] = Field(
        alias="plate-confidences",
        description="per crop: the chance that all its words are right, 0..1; 0 where nothing was read",
    )


class ReadWord(BaseModel):
    """A word on a plate."""

    text: str
    quad: tuple[Corner, Corner, Corner, Corner] = Field(description="corners in pixels of the picture sent")
    confidences: list[float] = Field(description="for each character the chance that it is right, 0..1")


class ReadPlate(BaseModel):
    """A plate found and read."""

    box: tuple[float, float, float, float] = Field(description="xmin, ymin, xmax, ymax in pixels")
    score: float = Field(description="objectness times class score, 0..1")
    text: str = Field(description="the words without spaces; empty when nothing could be read")
    confidence: float = Field(description="the chance that the whole text is right, 0..1")
    words: list[ReadWord]


class ReadsAnswer(BaseModel):
    """Plates found and read in a picture."""

    plates: list[ReadPlate]


class ErrorDetail(BaseModel):
    """What went wrong."""

    code: str = Field(description="for programs, such as not_an_image or busy")
    message: str = Field(description="for people")


class ErrorAnswer(BaseModel):
    """The body of every answer that is not a success."""

    error: ErrorDetail


class Alive(BaseModel):
    """Whether the server lives, by the Open Inference Protocol."""

    live: bool


class Ready(BaseModel):
    """Whether the server can take requests, by the Open Inference Protocol."""

    ready: bool


class Tensor(BaseModel):
    """An input or output of a model."""

    name: str
    datatype: str
    shape: list[int] = Field(description="-1 where free")


class ServerMetadata(BaseModel):
    """What the server is, by the Open Inference Protocol."""

    name: str
    version: str
    extensions: list[str]


class ModelMetadata(BaseModel):
    """What a model is, by the Open Inference Protocol."""

    model_config = ConfigDict(protected_namespaces=())

    name: str
    versions: list[str]
    platform: str
    inputs: list[Tensor]
    outputs: list[Tensor]


_ERRORS = {
    400: "Not a picture, or a broken body",
    401: "No API key or a wrong one",
    408: "The body did not arrive in time",
    413: "Too many bytes, pixels or crops",
    415: "A content type that is not taken",
    422: "Well formed, but not what was asked for",
    500: "The server failed; its log says why",
    503: "The queue is full; come back after Retry-After seconds",
}
_BINARY = {"schema": {"type": "string", "format": "binary"}}


def errors(*statuses: int) -> dict[int | str, dict[str, Any]]:
    """Documentation of error answers; all of them if none is named."""
    documented: dict[int | str, dict[str, Any]] = {}
    for status in statuses or tuple(_ERRORS):
        documented[status] = {"model": ErrorAnswer, "description": _ERRORS[status]}
    if 503 in documented:
        seconds = {"description": "Seconds to wait", "schema": {"type": "integer"}}
        documented[503]["headers"] = {"Retry-After": seconds}
    return documented


def picture_body(*, forms: bool = False) -> dict[str, Any]:
    """Documentation of a body that holds one picture, also as the part `image` of a form where these are taken."""
    content: dict[str, Any] = {"image/jpeg": _BINARY, "image/png": _BINARY}
    content["application/json"] = {"schema": PictureBody.model_json_schema()}
    if forms:
        form: dict[str, Any] = {"type": "object", "properties": {"image": _BINARY["schema"]}, "required": ["image"]}
        form["additionalProperties"] = False
        content["multipart/form-data"] = {
            "schema": form,
            "encoding": {"image": {"contentType": "image/jpeg, image/png"}},
        }
    return _body(content)


def crops_body() -> dict[str, Any]:
    """Documentation of a body that holds plate crops."""
    part = {"type": "array", "items": {"type": "string", "format": "binary"}, "maxItems": MAX_CROPS}
    form = {
        "schema": {"type": "object", "properties": {"imgs": part}, "additionalProperties": False},
        "encoding": {"imgs": {"contentType": "image/jpeg, image/png"}},
    }
    return _body({"multipart/form-data": form, "application/json": {"schema": CropsBody.model_json_schema()}})


def _body(content: dict[str, Any]) -> dict[str, Any]:
    return {"requestBody": {"required": True, "content": content}}
