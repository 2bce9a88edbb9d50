"""Health and metadata by the Open Inference Protocol (version 2), and metrics."""

from __future__ import annotations

from collections.abc import Mapping
from importlib import metadata

from fastapi import APIRouter
from starlette.responses import JSONResponse, Response

from cloud_apis.errors import ApiError
from cloud_apis.metrics import Metrics
from cloud_apis.session import Model, TensorInfo
from cloud_apis.web import schemas


def add_health(router: APIRouter) -> None:
    """Add the health routes and the server's metadata. The server listens once its models are loaded."""

    @router.get("/v2/health/live", summary="Does the server live?", response_model=schemas.Alive)
    async def live() -> Response:
        return JSONResponse({"live": True})

    @router.get("/v2/health/ready", summary="Can the server take requests?", response_model=schemas.Ready)
    async def ready() -> Response:
        return JSONResponse({"ready": True})

    @router.get("/v2", summary="What the server is", response_model=schemas.ServerMetadata)
    async def server() -> Response:
        return JSONResponse({"name": "cloud-apis", "version": _version(), "extensions": []})


def add_models(router: APIRouter, models: Mapping[str, Model]) -> None:
    """Add the models' metadata."""
    responses = {404: {"model": schemas.ErrorAnswer, "description": "No such model"}, **schemas.errors(401)}

    def found(name: str) -> Model:
        if name not in models:
            raise ApiError(404, "not_found", f"there is no model {name!r}; there are {', '.join(models)}")
        return models[name]

    @router.get(
        "/v2/models/{name}",
        summary="What a model is",
        response_model=schemas.ModelMetadata,
        responses=responses,
    )
    async def model(name: str) -> Response:
        described = found(name)
        return JSONResponse(
            {
                "name": name,
                "versions": [described.manifest.version],
                "platform": "onnx_onnxruntime",
                "inputs": [_tensor(t) for t in described.inputs],
                "outputs": [_tensor(t) for t in described.outputs],
            }
        )

    @router.get(
        "/v2/models/{name}/ready",
        summary="Can a model take requests?",
        response_model=schemas.Ready,
        responses=responses,
    )
    async def model_ready(name: str) -> Response:
        found(name)
        return JSONResponse({"ready": True})


def add_metrics(router: APIRouter, metrics: Metrics) -> None:
    """Add `GET /metrics`."""

    @router.get(
        "/metrics",
        summary="Figures for Prometheus",
        response_class=Response,
        responses={200: {"content": {"text/plain": {"schema": {"type": "string"}}}}, **schemas.errors(401)},
    )
    async def metrics_text() -> Response:
        return Response(metrics.text(), media_type=metrics.content_type)


def _tensor(info: TensorInfo) -> dict[str, object]:
    return {"name": info.name, "datatype": info.datatype, "shape": list(info.shape)}


def _version() -> str:
    try:
        return metadata.version("plate-dashcam")
    except metadata.PackageNotFoundError:  # run from a checkout that is not installed
        return "0"
