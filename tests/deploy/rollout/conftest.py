"""A dashboard, a registry with small models, and a settings file that names both."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from deploy.cli import main
from deploy.registry.objects import Place
from tests.deploy.conftest import write_model
from tests.deploy.rollout.dashboard import Dashboard, running_dashboard

Run = Callable[..., int]


@pytest.fixture
def dashboard() -> Iterator[Dashboard]:
    """A cluster's dashboard on loopback."""
    with running_dashboard() as running:
        yield running


@pytest.fixture
def settings_file(tmp_path: Path, dashboard: Dashboard, place: Place) -> Callable[..., Path]:
    """Writes settings for the dashboard and the registry; keywords are an API's settings."""

    def write(endpoint_url: str | None = place.endpoint_url, target: dict[str, Any] | None = None, **apis: Any) -> Path:
        content = {
            "registry": {"url": str(place), "endpoint_url": endpoint_url, "region": place.region},
            "target": {
                "kind": "ray",
                "address": f"http://127.0.0.1:{dashboard.port}",
                "http_port": dashboard.port,
                **(target or {}),
            },
            "apis": apis or {"yolov3": {}},
        }
        file = tmp_path / "deploy.yaml"
        file.write_text(json.dumps(content))
        return file

    return write


@pytest.fixture
def models(tmp_path: Path) -> Path:
    """A folder of small models, in place of the package's."""
    for name in ("yolov3", "craft", "crnn"):
        write_model(tmp_path / "models", name, name.encode())
    return tmp_path / "models"


@pytest.fixture
def run(settings_file: Callable[..., Path], models: Path) -> Run:
    """Runs `cloud-deploy COMMAND` with settings of these APIs."""

    def deploy(command: str, *options: str, **settings: Any) -> int:
        folder = ["--models", str(models)] if command == "deploy" else []
        return main([command, *options, "--config", str(settings_file(**settings)), *folder])

    return deploy
