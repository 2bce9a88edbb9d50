"""`cloud-deploy models` and `cloud-apis serve --models s3://…` against a real S3 server."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
import requests

from cloud_apis.errors import StartError
from cloud_apis.model_files import packaged_models
from cloud_apis.model_sources import models_folder
from deploy.cli import main
from deploy.registry.objects import Place
from tests.deploy.conftest import write_model


def at(place: Place) -> list[str]:
    """The options that name the registry."""
    assert place.endpoint_url is not None and place.region is not None
    return ["--registry", str(place), "--endpoint-url", place.endpoint_url, "--region", place.region]


def test_push_list_tag_and_pull(place: Place, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    write_model(tmp_path / "in", "yolov3", b"network", "1.2.0")
    assert main(["models", "push", "--folder", str(tmp_path / "in"), "--tag", "v1", *at(place)]) == 0
    assert "1.2.0  v1" in capsys.readouterr().out
    assert main(["models", "ls", "--json", *at(place)]) == 0
    (listed,) = json.loads(capsys.readouterr().out)
    assert listed["name"] == "yolov3" and listed["tags"] == ["v1"]
    assert main(["models", "tag", listed["reference"], "stable", *at(place)]) == 0
    assert capsys.readouterr().out == f"yolov3:stable is {listed['reference']}\n"
    assert main(["models", "pull", "yolov3:stable", "--cache", str(tmp_path / "cache"), *at(place)]) == 0
    folder = Path(capsys.readouterr().out.strip())
    assert (folder / "yolov3.onnx").read_bytes() == b"network"
    assert main(["models", "ls", *at(place)]) == 0
    assert "yolov3" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [
        (["push", "--folder", "/nowhere"], 2, "there is no folder /nowhere"),
        (["push", "--tag", "a b"], 2, "is no tag"),
        (["pull", "yolov3:none"], 1, "push it first"),
        (["pull", "Yolo"], 2, "names no model"),
        (["tag", "yolov3", "x"], 1, "there is no model yolov3:latest"),
    ],
)
def test_what_is_wrong_is_said_in_one_line(
    place: Place, arguments: list[str], code: int, words: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["models", *arguments, *at(place)]) == code
    told = capsys.readouterr().err
    assert told.startswith("cloud-deploy: error: ") and words in told and told.count("\n") == 1


@pytest.mark.parametrize("command", [["models", "ls"], ["--help"]])
def test_without_the_extra_it_says_what_to_install(command: list[str]) -> None:
    script = "import sys; sys.modules['boto3'] = None; from deploy.cli import main; sys.exit(main(sys.argv[1:]))"
    line = [sys.executable, "-c", script, *command]
    done = subprocess.run(line, capture_output=True, text=True, check=False, timeout=60)
    assert done.returncode == 1
    assert done.stderr == "cloud-deploy: error: boto3 is not installed: pip install 'plate-dashcam[ray]'\n"


def test_sources_that_nobody_knows_are_named() -> None:
    with pytest.raises(StartError, match=r"cannot be fetched from ftp://"):
        models_folder("ftp://somewhere", ["yolov3"])
    assert models_folder("/some/folder", ["yolov3"]) == Path("/some/folder")
    assert models_folder(None, ["yolov3"]) == packaged_models()


def test_the_apis_take_their_models_from_the_registry(place: Place, tmp_path: Path) -> None:
    assert main(["models", "push", "--tag", "tried", *at(place)]) == 0
    port_file = tmp_path / "port"
    environment = {
        **os.environ,
        "AWS_ENDPOINT_URL_S3": str(place.endpoint_url),
        "AWS_REGION": "us-east-1",
        "PLATE_MODEL_CACHE": str(tmp_path / "cache"),
    }
    serve = [sys.executable, "-m", "cloud_apis", "serve", "--port", "0", "--port-file", str(port_file)]
    tags = [f"--model={name}:tried" for name in ("yolov3", "craft", "crnn")]
    with subprocess.Popen(
        [*serve, "--models", str(place), *tags], env=environment, stdout=subprocess.PIPE, text=True
    ) as running:
        try:
            assert running.stdout is not None and "serving on" in running.stdout.readline()
            url = f"http://127.0.0.1:{port_file.read_text().strip()}"
            for name in ("yolov3", "craft", "crnn"):
                stated = json.loads((packaged_models() / f"{name}.json").read_text())
                answer = requests.get(f"{url}/v2/models/{name}", timeout=30)
                assert answer.status_code == 200
                assert stated["version"] in answer.text
        finally:
            running.terminate()
    assert len(list((tmp_path / "cache" / "sets").iterdir())) == 1


def test_a_registry_without_the_model_keeps_the_apis_from_starting(place: Place, tmp_path: Path) -> None:
    environment = {
        **os.environ,
        "AWS_ENDPOINT_URL_S3": str(place.endpoint_url),
        "AWS_REGION": "us-east-1",
        "PLATE_MODEL_CACHE": str(tmp_path / "cache"),
    }
    done = subprocess.run(
        [sys.executable, "-m", "cloud_apis", "serve", "--port", "0", "--models", str(place)],
        env=environment,
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )
    assert done.returncode == 1
    assert "there is no model yolov3:latest" in done.stderr
