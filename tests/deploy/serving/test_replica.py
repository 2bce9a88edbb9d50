"""A replica's application without a cluster: models from a real registry, real requests below its prefix."""

from __future__ import annotations

import asyncio
from pathlib import Path

import httpx
import pytest

from cloud_apis.model_files import packaged_models
from cloud_apis.names import MODELS_OF, Api
from cloud_apis.settings import load_settings
from deploy.errors import CorruptError, MissingError
from deploy.registry.reference import ModelReference
from deploy.registry.registry import Registry, blob_key
from deploy.serving.arguments import Arguments
from deploy.serving.keys import hashed
from deploy.serving.replica import is_ready, load, settings_of
from tests.cloud_apis.pictures import grey_jpeg, scene
from tests.cloud_apis.serving import running

KEY = "correct-horse-battery"


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("PLATE_MODEL_CACHE", str(tmp_path / "cache"))
    return tmp_path / "cache"


def push(registry: Registry, api: Api) -> list[ModelReference]:
    return [registry.push(packaged_models(), name, (), _quietly).reference for name in MODELS_OF[api]]


def arguments(registry: Registry, api: Api, models: list[ModelReference], key: str | None = None) -> Arguments:
    place = registry.objects.place
    return Arguments(
        api=api,
        models=[str(model) for model in models],
        registry_url=str(place),
        registry_endpoint_url=place.endpoint_url,
        registry_region=place.region,
        key=None if key is None else hashed(key, str(place)),
    )


def test_an_api_answers_below_its_prefix(registry: Registry) -> None:
    app = load(arguments(registry, Api.YOLOV3, push(registry, Api.YOLOV3), KEY))
    assert asyncio.run(is_ready(app, "/yolov3"))
    assert not asyncio.run(is_ready(app, "/crnn"))
    with running(app) as url, httpx.Client(base_url=url, timeout=60) as client:
        client.headers["Content-Type"] = "image/jpeg"
        picture = grey_jpeg(scene())
        assert client.post("/yolov3", content=picture).status_code == 401
        client.headers["X-API-Key"] = KEY
        for path in ("/yolov3", "/yolov3/"):
            answer = client.post(path, content=picture)
            assert answer.status_code == 200 and "boxes" in answer.json()
            assert answer.headers["Server-Timing"].startswith("app;dur=")
        assert client.get("/yolov3/v2/health/ready").json() == {"ready": True}
        assert client.get("/yolov3/v2/models/yolov3").json()["name"] == "yolov3"
        assert 'cloud_apis_requests_total{api="yolov3",status="200"} 2.0' in client.get("/yolov3/metrics").text
        assert client.get("/yolov3/docs").status_code == 200
        assert "/yolov3" in client.get("/yolov3/openapi.json").json()["paths"]
        missing = client.get("/yolov3/nothing")
        assert missing.status_code == 404 and missing.json()["error"]["code"] == "not_found"
        del client.headers["X-API-Key"]
        assert client.get("/yolov3/v2/health/live").status_code == 200
        assert client.get("/yolov3/metrics").status_code == 401


def test_without_a_key_it_answers_to_the_names_of_its_own_machine_alone(registry: Registry) -> None:
    models = push(registry, Api.YOLOV3)
    for key, status in ((None, 403), (KEY, 200)):
        with running(load(arguments(registry, Api.YOLOV3, models, key))) as url, httpx.Client(base_url=url) as client:
            assert client.get("/yolov3/v2/health/ready").status_code == 200
            foreign = client.get("/yolov3/v2/health/ready", headers={"Host": "plates.example.org"})
            assert foreign.status_code == status


def test_a_model_that_is_not_what_its_digest_says_is_refused(registry: Registry, cache: Path) -> None:
    models = push(registry, Api.YOLOV3)
    network = next(file for file in registry.descriptor(models[0]).files if file.name == "yolov3.onnx")
    registry.objects.write(blob_key(network.sha256), b"x" * network.size)
    with pytest.raises(CorruptError, match=r"yolov3\.onnx .* is not what its hash sha256:\w+ says"):
        load(arguments(registry, Api.YOLOV3, models))
    assert not list(cache.glob("sets/*"))


def test_a_model_that_is_not_there_is_named(registry: Registry) -> None:
    nowhere = ModelReference("yolov3", digest="ab" * 32)
    with pytest.raises(MissingError, match="there is no model yolov3@sha256:abab"):
        load(arguments(registry, Api.YOLOV3, [nowhere]))


def test_what_the_deployment_says_holds_for_every_model_of_the_api(registry: Registry) -> None:
    models = [ModelReference(name, digest="ab" * 32) for name in MODELS_OF[Api.READER]]
    told = arguments(registry, Api.READER, models).model_copy(update={"threads": 3, "workers": 4, "queue": 5})
    settings = settings_of(told, load_settings(), "/models")
    assert settings.models == "/models"
    assert settings.yolov3.threads == settings.craft.threads == settings.crnn.threads == 3
    assert (settings.crnn.workers, settings.crnn.queue) == (settings.yolov3.workers, settings.yolov3.queue) == (4, 5)
    assert settings.yolov3.net_h == load_settings().yolov3.net_h


def _quietly(count: int) -> None:
    pass
