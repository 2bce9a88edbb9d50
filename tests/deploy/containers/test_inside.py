"""What runs inside the containers: the health check, publishing into a store, secrets, settings for a GPU."""

from __future__ import annotations

import argparse
import http.server
import json
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml

from cloud_apis.cli import _parser
from cloud_apis.names import MODELS_OF, Api
from cloud_apis.settings import default_config, load_settings
from deploy.containers import gpu_settings, healthy, make_secrets, publish
from deploy.registry.objects import Place
from deploy.registry.source import fetch
from tests.deploy.containers.test_files import SERVICES


class _Ready(http.server.BaseHTTPRequestHandler):
    status = 200

    def do_GET(self) -> None:
        self.send_response(self.status if self.path == "/v2/health/ready" else 404)
        self.end_headers()

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002
        pass


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[http.server.HTTPServer]:
    with http.server.HTTPServer(("127.0.0.1", 0), _Ready) as listening:
        thread = threading.Thread(target=listening.serve_forever)
        thread.start()
        monkeypatch.setenv("PORT", str(listening.server_port))
        yield listening
        listening.shutdown()
        thread.join()


def test_health_is_that_of_the_server(server: http.server.HTTPServer, monkeypatch: pytest.MonkeyPatch) -> None:
    assert healthy.main() == 0
    monkeypatch.setattr(_Ready, "status", 503)
    assert healthy.main() == 1


def test_no_server_is_not_healthy(monkeypatch: pytest.MonkeyPatch) -> None:
    with http.server.HTTPServer(("127.0.0.1", 0), _Ready) as taken:
        port = taken.server_port
    monkeypatch.setenv("PORT", str(port))
    assert healthy.main() == 1


def test_secrets_are_made_once_and_for_the_owner(tmp_path: Path) -> None:
    folder = tmp_path / "secrets"
    assert make_secrets.main(["--folder", str(folder)]) == 0
    first = {file.name: file.read_text() for file in folder.iterdir()}
    assert set(first) == set(make_secrets.NAMES)
    assert folder.stat().st_mode & 0o077 == 0
    identity = json.loads(first["store_identities"])["identities"][0]["credentials"][0]
    assert identity["secretKey"] in first["store_credentials"]
    assert identity["accessKey"] in first["store_credentials"]
    assert len(first["api_key"].strip()) >= 32
    assert make_secrets.main(["--folder", str(folder)]) == 0
    assert {file.name: file.read_text() for file in folder.iterdir()} == first


def test_the_models_come_from_the_store_as_the_compose_file_says(
    place: Place, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("AWS_ENDPOINT_URL_S3", str(place.endpoint_url))
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")
    monkeypatch.setenv("PLATE_MODEL_CACHE", str(tmp_path))
    command = SERVICES["publish"]["command"]
    assert publish.main(command) == 0
    assert publish.main(command) == 0  # what is there already is not sent again
    assert "crnn@sha256" in capsys.readouterr().out
    arguments = _parser().parse_args(SERVICES["apis"]["command"])
    needed = {name for api in arguments.api for name in MODELS_OF[api]}
    folder = fetch(arguments.models, sorted(needed))
    assert {path.stem for path in folder.glob("*.onnx")} == needed


def test_the_commands_of_the_compose_file_are_ours() -> None:
    arguments: argparse.Namespace = _parser().parse_args(SERVICES["apis"]["command"])
    assert arguments.port == 8080
    assert arguments.api_key_file == "/run/secrets/api_key"
    assert sorted(arguments.api) == sorted(Api)  # or the page at / and the APIs of vehicles are not there


def test_a_gpu_comes_first_in_its_settings(tmp_path: Path) -> None:
    file = tmp_path / "gpu.yaml"
    assert gpu_settings.main([str(file)]) == 0
    assert load_settings(file).yolov3.providers == gpu_settings.PROVIDERS
    shipped, made = (yaml.safe_load(path.read_text()) for path in (default_config(), file))
    assert set(shipped) == set(made)
    assert gpu_settings.main([]) == 2
