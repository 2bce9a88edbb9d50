"""The description is one that Serve itself takes, and holds what the settings say."""

from __future__ import annotations

import json
from typing import Any

import pytest
from pydantic import ValidationError
from ray.serve.schema import ServeDeploySchema

from cloud_apis.names import MODELS_OF, Api
from deploy.registry.reference import ModelReference
from deploy.serving.arguments import Arguments
from deploy.serving.description import application, deployment
from deploy.serving.keys import hashed
from deploy.settings import DeploySettings

KEY = "correct-horse-battery"
URL = "s3://bucket/plates"


def settings(**api: Any) -> DeploySettings:
    return DeploySettings.model_validate({"registry": {"url": URL}, "apis": {"yolov3": api, "crnn": {}}})


def pinned(api: Api) -> list[ModelReference]:
    return [ModelReference(name, digest="ab" * 32) for name in MODELS_OF[api]]


def described(**api: Any) -> dict[str, Any]:
    chosen = settings(**api)
    key = hashed(KEY, URL)
    apps = [
        application(each, chosen, pinned(each), code_uri="s3://bucket/plates/code/1.zip", key=key)
        for each in chosen.apis
    ]
    return deployment(chosen, apps, http_host="0.0.0.0", http_port=8123)


def test_serve_takes_it() -> None:
    whole = described(
        replicas={"min": 0, "max": 5, "target_ongoing_requests": 3},
        resources={"cpus": 0.5, "gpus": 0.25, "memory_mb": 512},
    )
    taken = ServeDeploySchema.model_validate(json.loads(json.dumps(whole)))
    assert [(app.name, app.route_prefix) for app in taken.applications] == [("yolov3", "/yolov3"), ("crnn", "/crnn")]
    assert taken.http_options.port == 8123
    (replicas,) = taken.applications[0].deployments
    assert replicas.max_surge_percent == 100
    assert replicas.ray_actor_options.memory == 512 * 2**20
    assert replicas.ray_actor_options.num_gpus == 0.25
    scaling = replicas.autoscaling_config
    assert isinstance(scaling, dict)
    assert (scaling["min_replicas"], scaling["max_replicas"], scaling["target_ongoing_requests"]) == (0, 5, 3)
    (fixed,) = taken.applications[1].deployments
    assert fixed.num_replicas == 1


def test_the_key_is_nowhere_in_it() -> None:
    assert KEY not in json.dumps(described())


def test_numbers_of_replicas_start_nothing_anew_but_everything_else_does() -> None:
    def arguments(**api: Any) -> object:
        app = described(**api)["applications"][0]
        return app["args"], app["runtime_env"], app["import_path"]

    assert arguments() == arguments(replicas={"min": 1, "max": 3})
    for change in (
        {"threads": 2},
        {"workers": 2},
        {"queue": 5},
        {"batch": 4},
        {"providers": ["OpenVINOExecutionProvider"]},
    ):
        assert arguments() != arguments(**change)


def test_the_api_refuses_before_serve_does() -> None:
    app = described(queue=100, workers=3)["applications"][0]
    (replicas,) = app["deployments"]
    assert replicas["max_ongoing_requests"] > 100 + 3
    assert app["args"]["queue"] == 100 and app["args"]["workers"] == 3


@pytest.mark.parametrize(
    "change", [{"models": ["yolov3:latest"]}, {"models": []}, {"models": ["Yolo"]}, {"api": "ocr"}, {"color": "red"}]
)
def test_other_arguments_are_refused(change: dict[str, Any]) -> None:
    good = described()["applications"][0]["args"]
    assert Arguments.model_validate(good).place().bucket == "bucket"
    with pytest.raises(ValidationError):
        Arguments.model_validate({**good, **change})
