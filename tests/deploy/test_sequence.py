"""The documented sequence of commands, and failing versions, on a real cluster with a real S3 server."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import deploy.commands.deploy
from cloud_apis.model_files import packaged_models
from deploy.archive.archive import pack
from deploy.archive.contents import collect, package_roots
from deploy.cli import main
from deploy.registry.registry import blob_key
from edge_client.config import PoolSettings
from edge_client.requests.transport import Body, Transport
from tests.cloud_apis.pictures import grey_jpeg, scene
from tests.deploy.clusters import Asking
from tools.cluster.trial import KEY, TrialCluster
from tools.sequence.cli import environment, place_on
from tools.sequence.running import run
from tools.sequence.steps import steps

pytestmark = [pytest.mark.ray, pytest.mark.xdist_group("ray"), pytest.mark.timeout(1800)]

Capture = pytest.CaptureFixture[str]
PICTURE = grey_jpeg(scene())


@pytest.fixture
def empty(cluster: TrialCluster) -> TrialCluster:
    """The cluster with nothing on it."""
    cluster.api.shut_down()
    return cluster


def test_the_documented_sequence(empty: TrialCluster, tmp_path: Path) -> None:
    place = place_on(empty.local, tmp_path, f"s3://{empty.registry.objects.place.bucket}/sequence", empty.s3_url)
    said: list[str] = []
    done = run(steps(place), tmp_path, environment(os.environ), said.append)
    assert [each.title for each in done][-3:] == ["Ask again", "See the revisions", "End it"]
    assert place.key_file.read_text(encoding="ascii") not in "\n".join(said)
    assert empty.serving().applications == {}


@pytest.fixture
def command(
    empty: TrialCluster, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest
) -> Callable[..., int]:
    """Runs `cloud-deploy COMMAND` on the cluster, with settings of the detector; revisions are the test's own."""
    monkeypatch.setenv("PLATE_KEY", KEY)

    def run_command(name: str, *options: str, **detector: Any) -> int:
        content = json.loads(empty.settings({"yolov3": detector}).model_dump_json())
        content["name"] = request.node.name.replace("_", "-")[:40]
        file = tmp_path / "deploy.yaml"
        file.write_text(json.dumps(content))
        return main([name, *options, "--config", str(file)])

    return run_command


def test_updates_that_fail_and_one_that_does_not_lose_no_request(
    empty: TrialCluster,
    command: Callable[..., int],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: Capture,
) -> None:
    assert command("deploy", "--yes") == 0
    before = empty.serving().applications["yolov3"].described
    over = Transport(PoolSettings(read_timeout_s=60), {"X-API-Key": KEY})

    def ask() -> object:
        return over.ask(f"{empty.url}/yolov3", Body(data=PICTURE, content_type="image/jpeg"), again=True).answer

    with Asking(ask, clients=2) as asking:
        asking.wait_for_answers(5)
        push_broken(empty, tmp_path)
        assert command("deploy", "--yes", models={"yolov3": "yolov3:broken"}) == 1
        assert "is not what its hash" in capsys.readouterr().err.splitlines()[-1]
        with monkeypatch.context() as patched:
            patched.setattr(deploy.commands.deploy, "code_archive", broken_code)
            assert command("deploy", "--yes") == 1
        assert "this version is broken" in capsys.readouterr().err.splitlines()[-1]
        assert empty.serving().applications["yolov3"].described == before
        assert command("deploy", "--yes", queue=7) == 0
        assert "revision 2 runs" in capsys.readouterr().out
        assert command("status", "--json", queue=7) == 0
        asking.wait_for_answers(5)
    assert asking.failed == []
    status = json.loads(capsys.readouterr().out)
    assert status["revision"]["number"] == 2 and status["revision"]["is_what_runs"]
    (api,) = status["apis"]
    assert api["state"] == "RUNNING" and api["replicas"]["running"] == 1
    assert api["traffic"]["requests_hz"] > 0 and api["traffic"]["errors_hz"] == 0
    assert 0 < api["traffic"]["p50_ms"] <= api["traffic"]["p99_ms"]
    assert api["endpoint"] == f"{empty.url}/yolov3"
    assert {node["head"] for node in status["nodes"]} == {True, False}
    assert command("logs", "yolov3", "--lines", "5", queue=7) == 0
    told = capsys.readouterr().out
    assert told.startswith("yolov3 ") and KEY not in told


def push_broken(cluster: TrialCluster, folder: Path) -> None:
    """Push a detector whose file in the registry is then changed."""
    for suffix in ("onnx", "json", "md"):
        shutil.copy(packaged_models() / f"yolov3.{suffix}", folder)
    card = folder / "yolov3.md"
    card.write_text(card.read_text(encoding="utf-8") + "\nAnother.\n", encoding="utf-8")
    pushed = cluster.registry.push(folder, "yolov3", ("broken",), lambda _: None)
    file = next(file for file in pushed.descriptor.files if file.name == "yolov3.md")
    cluster.registry.objects.write(blob_key(file.sha256), b"x" * file.size)


def broken_code(_catalogue: object) -> Any:
    """An archive whose application cannot be imported."""
    files = collect(package_roots())
    files["deploy/serving/replica.py"] = b"raise RuntimeError('this version is broken')\n"
    return pack(files)
