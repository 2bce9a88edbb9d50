"""What can be wrong around a rollout: each with one clear line, and nothing half-applied."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from typing import Any

import boto3
import pytest

from cloud_apis.model_files import packaged_models
from deploy.cli import main
from deploy.registry import objects as objects_module
from deploy.registry.descriptor import describe
from deploy.registry.objects import Place
from deploy.registry.registry import Registry
from deploy.revisions.store import Revisions
from tests.deploy.rollout.conftest import Run
from tests.deploy.rollout.dashboard import Dashboard, served

pytest.importorskip("ray", reason="the ray extra is not installed")
Capture = pytest.CaptureFixture[str]


def only_line(capsys: Capture) -> str:
    """The one line of a failure."""
    told = capsys.readouterr().err
    assert told.startswith("cloud-deploy: error: ") and told.count("\n") == 1
    return told


def test_a_cluster_that_cannot_be_reached(run: Run, capsys: Capture) -> None:
    assert run("deploy", "--yes", target={"address": "http://127.0.0.1:1"}) == 1
    assert "http://127.0.0.1:1 cannot be reached" in only_line(capsys)


def test_what_is_no_cluster(run: Run, place: Place, capsys: Capture) -> None:
    assert run("deploy", "--yes", target={"address": place.endpoint_url}) == 1
    assert "is not the dashboard of a Ray cluster" in only_line(capsys)


def test_a_ray_that_is_too_old(run: Run, dashboard: Dashboard, capsys: Capture) -> None:
    dashboard.version = "2.9.1"
    assert run("deploy", "--yes") == 1
    assert "runs Ray 2.9.1" in only_line(capsys)


def test_tokens(run: Run, dashboard: Dashboard, registry: Registry, tmp_path: Path, capsys: Capture) -> None:
    dashboard.token = "the-token-of-the-cluster"
    file = tmp_path / "token"
    assert run("deploy", "--yes") == 1
    assert "target.token_file" in only_line(capsys)
    assert run("deploy", "--yes", target={"token_file": str(file)}) == 2
    assert "cannot read target.token_file" in only_line(capsys)
    file.write_text("")
    assert run("deploy", "--yes", target={"token_file": str(file)}) == 2
    assert "is empty" in only_line(capsys)
    file.write_text("another")
    assert run("deploy", "--yes", target={"token_file": str(file)}) == 1
    assert "another" not in only_line(capsys).replace("wants another token", "")
    assert dashboard.put == [] and list(registry.objects.keys("")) == []
    file.write_text("the-token-of-the-cluster\n")
    assert run("deploy", "--yes", target={"token_file": str(file)}) == 0


def test_a_key_that_is_not_there(
    run: Run, settings_file: Callable[..., Path], dashboard: Dashboard, monkeypatch: pytest.MonkeyPatch, capsys: Capture
) -> None:
    file = settings_file()
    file.write_text(file.read_text().replace('"apis"', '"api_key": "env:PLATES_KEY", "apis"'))
    monkeypatch.delenv("PLATES_KEY", raising=False)
    options = ["deploy", "--yes", "--config", str(file), "--models", str(file.parent / "models")]
    assert main(options) == 2
    assert "the variable PLATES_KEY is not set" in only_line(capsys)
    secret = "a-key-that-nobody-else-knows"
    monkeypatch.setenv("PLATES_KEY", secret)
    assert main(options) == 0
    told = capsys.readouterr()
    assert secret not in told.out + told.err + repr(dashboard.put)


def test_a_tag_that_nobody_pushed(run: Run, dashboard: Dashboard, registry: Registry, capsys: Capture) -> None:
    assert run("deploy", "--yes", yolov3={"models": {"yolov3": "yolov3:stable"}}) == 1
    assert "there is no model yolov3:stable" in only_line(capsys)
    assert dashboard.put == [] and list(registry.objects.keys("")) == []


def test_a_model_of_which_a_part_is_missing(
    run: Run, dashboard: Dashboard, registry: Registry, models: Path, capsys: Capture
) -> None:
    pushed = registry.push(models, "yolov3", ("latest",), lambda _: None)
    network = next(file for file in pushed.descriptor.files if file.name == "yolov3.onnx")
    registry.objects.delete(f"blobs/{network.sha256}")
    assert run("deploy", "--yes") == 1
    assert "yolov3.onnx of yolov3@sha256:" in capsys.readouterr().err
    assert dashboard.put == [] and Revisions(registry.objects, "plates").numbers() == []


def test_code_of_a_revision_that_is_gone(run: Run, dashboard: Dashboard, registry: Registry, capsys: Capture) -> None:
    assert run("deploy", "--yes") == 0
    assert run("deploy", "--yes", yolov3={"threads": 2}) == 0
    for key in registry.objects.keys("code/"):
        registry.objects.delete(key)
    capsys.readouterr()
    assert run("rollback", "--yes") == 1
    assert "of that revision is not in" in capsys.readouterr().err
    assert dashboard.described("yolov3")["args"]["threads"] == 2


def test_a_bucket_that_is_missing(run: Run, place: Place, settings_file: Callable[..., Path], capsys: Capture) -> None:
    file = settings_file()
    file.write_text(file.read_text().replace(f"s3://{place.bucket}/", "s3://nowhere/"))
    for option in ("--yes", "--plan"):
        assert main(["deploy", option, "--config", str(file)]) == 1
        assert "there is no bucket nowhere: create it" in only_line(capsys)
    pinned = f"yolov3@sha256:{describe(packaged_models(), 'yolov3').digest}"
    file.write_text(
        file.read_text().replace('"yolov3": {}', json.dumps({"yolov3": {"models": {"yolov3": pinned}}})[1:-1])
    )
    assert main(["deploy", "--plan", "--config", str(file)]) == 1
    assert "there is no bucket nowhere: create it" in only_line(capsys)


def test_credentials_that_are_missing(
    run: Run, dashboard: Dashboard, monkeypatch: pytest.MonkeyPatch, capsys: Capture
) -> None:
    monkeypatch.delenv("AWS_ACCESS_KEY_ID")
    monkeypatch.delenv("AWS_SECRET_ACCESS_KEY")
    boto3.DEFAULT_SESSION = None
    assert run("deploy", "--yes") == 1
    assert "AWS_ACCESS_KEY_ID" in only_line(capsys)
    assert dashboard.put == []


@contextmanager
def s3_that(answers: Callable[[BaseHTTPRequestHandler], tuple[int, str]]) -> Iterator[str]:
    """A server that answers as S3 does, with one error or late."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.rfile.read(int(self.headers.get("Content-Length") or 0))
            status, code = answers(self)
            error = f"<Error><Code>{code}</Code><Message>no</Message></Error>"
            body = (code if code.startswith("<") else error).encode()
            self.send_response(status)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            if self.command != "HEAD":
                self.wfile.write(body)

        def do_PUT(self) -> None:
            self.do_GET()

        def do_HEAD(self) -> None:
            self.do_GET()

        def log_message(self, *args: object) -> None:
            """Quiet."""

    with served(Handler) as url:
        yield url


@pytest.mark.parametrize(
    ("status", "code", "words"),
    [
        (403, "AccessDenied", "may not do this: check the policy"),
        (400, "ExpiredToken", "have expired: get new ones"),
        (403, "InvalidAccessKeyId", "check AWS_ACCESS_KEY_ID"),
        (403, "SignatureDoesNotMatch", "check AWS_SECRET_ACCESS_KEY"),
    ],
)
@pytest.mark.parametrize("command", ["deploy", "rollback"])
def test_an_s3_that_denies(
    run: Run, dashboard: Dashboard, capsys: Capture, command: str, status: int, code: str, words: str
) -> None:
    with s3_that(lambda _: (status, code)) as url:
        assert run(command, "--yes", endpoint_url=url) == 1
    told = only_line(capsys)
    assert words in told and "a-secret-of-nobody" not in told
    assert dashboard.put == []


def test_an_s3_that_reads_but_lets_nobody_write(run: Run, dashboard: Dashboard, capsys: Capture) -> None:
    def only_reads(request: BaseHTTPRequestHandler) -> tuple[int, str]:
        if request.command == "PUT":
            return 403, "AccessDenied"
        return (200, "<ListBucketResult></ListBucketResult>") if "list-type" in request.path else (404, "NoSuchKey")

    with s3_that(only_reads) as url:
        assert run("deploy", "--yes", endpoint_url=url) == 1
    assert "may not do this: check the policy" in capsys.readouterr().err
    assert dashboard.put == []


def test_an_s3_that_is_down_or_slow(
    run: Run, dashboard: Dashboard, monkeypatch: pytest.MonkeyPatch, capsys: Capture
) -> None:
    assert run("deploy", "--yes", endpoint_url="http://127.0.0.1:1") == 1
    assert "http://127.0.0.1:1 does not answer" in only_line(capsys)
    monkeypatch.setattr(objects_module, "_READ_S", 0.1)
    ended = threading.Event()

    def late(_: BaseHTTPRequestHandler) -> tuple[int, str]:
        ended.wait(5)
        return 200, ""

    with s3_that(late) as url:
        assert run("deploy", "--yes", endpoint_url=url) == 1
        ended.set()
    assert f"{url} does not answer" in only_line(capsys)
    assert dashboard.put == []


_HEEDING_SIGNALS = (
    "import os, signal, sys; "
    "[signal.signal(each, signal.SIG_DFL) for each in (signal.SIGINT, signal.SIGHUP)]; "
    "os.execv(sys.argv[1], sys.argv[1:])"
)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_an_interrupted_deploy_leaves_what_ran(
    run: Run,
    settings_file: Callable[..., Path],
    dashboard: Dashboard,
    registry: Registry,
    models: Path,
    number: signal.Signals,
) -> None:
    assert run("deploy", "--yes") == 0
    before = dashboard.described("yolov3")
    dashboard.judge = lambda described: "" if described["args"]["threads"] == 2 else None
    dashboard.applied.clear()
    file = settings_file(yolov3={"threads": 2})
    command = [sys.executable, "-m", "deploy", "deploy", "--yes", "--config", str(file), "--models", str(models)]
    # Whoever runs the tests in the background of a shell has SIGINT ignored, with nohup SIGHUP; children inherit that.
    command = [sys.executable, "-c", _HEEDING_SIGNALS, *command]
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True, env=dict(os.environ)) as running:
        assert dashboard.applied.wait(60)
        assert dashboard.described("yolov3")["args"]["threads"] == 2
        running.send_signal(number)
        _, told = running.communicate(timeout=60)
    assert running.returncode == 130, told
    assert dashboard.described("yolov3") == before
    assert Revisions(registry.objects, "plates").numbers() == [1]


def test_what_was_changed_while_the_operator_was_asked_is_not_overwritten(
    run: Run, dashboard: Dashboard, monkeypatch: pytest.MonkeyPatch, capsys: Capture
) -> None:
    assert run("deploy", "--yes") == 0

    def meanwhile(question: str, *, yes: bool) -> bool:
        changed: dict[str, Any] = {**dashboard.described("yolov3")}
        changed["args"] = {**changed["args"], "threads": 7}
        dashboard.apply({"applications": [changed], "http_options": {}})
        return True

    monkeypatch.setattr("deploy.commands.changing.confirmed", meanwhile)
    assert run("deploy", yolov3={"threads": 2}) == 1
    assert "what runs has changed since it was shown" in capsys.readouterr().err
    assert dashboard.described("yolov3")["args"]["threads"] == 7


def test_whoever_took_the_lock_over_decides_what_runs(
    run: Run, dashboard: Dashboard, registry: Registry, capsys: Capture
) -> None:
    assert run("deploy", "--yes") == 0
    dashboard.judge = lambda described: "OSError: no" if described["args"]["threads"] == 2 else None

    def taken_over(puts: int) -> None:
        registry.objects.write("locks/plates.json", b'{"by": "ada@laptop", "nonce": "1"}')

    dashboard.refuse = taken_over
    assert run("deploy", "--yes", yolov3={"threads": 2}) == 1
    told = capsys.readouterr().err
    assert "yolov3 does not start: OSError: no; and what ran before could not be put back: the lock" in told
    assert len(dashboard.put) == 2 and dashboard.described("yolov3")["args"]["threads"] == 2


def test_a_head_that_is_away_for_a_moment_fails_nothing(run: Run, dashboard: Dashboard) -> None:
    asked: list[float] = []
    answer = dashboard.answer

    def sometimes(method: str, path: str, body: bytes, token: str | None) -> tuple[int, str]:
        if dashboard.put and method == "GET" and path.startswith("/api/serve") and len(asked) < 3:
            asked.append(time.monotonic())
            raise ConnectionResetError
        return answer(method, path, body, token)

    dashboard.answer = sometimes  # type: ignore[method-assign]
    assert run("deploy", "--yes") == 0
    assert len(asked) == 3
