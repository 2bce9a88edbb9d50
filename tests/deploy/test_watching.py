"""What goes on until Ctrl-C: `status --watch` and `logs --follow`, as processes beside a real cluster."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

import pytest

from edge_client.config import PoolSettings
from edge_client.requests.transport import Body, Transport
from tests.cloud_apis.pictures import grey_jpeg, scene
from tools.cluster.s3 import ANYBODY
from tools.cluster.trial import KEY, TrialCluster

pytestmark = [pytest.mark.ray, pytest.mark.xdist_group("ray"), pytest.mark.timeout(1200)]
APIS = {"yolov3": {"replicas": {"min": 1, "max": 1}, "queue": 2}}


@pytest.fixture
def config(cluster: TrialCluster, tmp_path: Path) -> Path:
    """Settings of the detector, which runs."""
    if cluster.apis != APIS:
        cluster.apply(APIS)
    file = tmp_path / "deploy.yaml"
    file.write_text(cluster.settings(APIS).model_dump_json(), encoding="utf-8")
    return file


@contextmanager
def started(*arguments: str) -> Iterator[subprocess.Popen[str]]:
    """`cloud-deploy` with these arguments, until it ends or this does."""
    own = {"AWS_ACCESS_KEY_ID": ANYBODY[0], "AWS_SECRET_ACCESS_KEY": ANYBODY[1], "PLATE_KEY": KEY}
    # A shell's background jobs ignore Ctrl-C, and so would what they start.
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        process = subprocess.Popen(
            [sys.executable, "-m", "deploy", *arguments],
            env={**os.environ, **own, "AWS_EC2_METADATA_DISABLED": "true"},
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
    finally:
        signal.signal(signal.SIGINT, before)
    try:
        yield process
    finally:
        process.kill()
        process.communicate()


def output(process: subprocess.Popen[str]) -> IO[str]:
    assert process.stdout is not None
    return process.stdout


def interrupted(process: subprocess.Popen[str]) -> int:
    """The exit status after Ctrl-C."""
    process.send_signal(signal.SIGINT)
    _, said = process.communicate(timeout=120)
    assert "Traceback" not in said
    return process.returncode


def test_status_watch_tells_again_and_again_until_it_is_interrupted(cluster: TrialCluster, config: Path) -> None:
    transport = Transport(PoolSettings(read_timeout_s=60), {"X-API-Key": KEY})
    with started("status", "--watch", "--json", "--config", str(config)) as process:
        first = json.loads(output(process).readline())
        for _ in range(5):
            transport.ask(f"{cluster.url}/yolov3", Body(data=grey_jpeg(scene()), content_type="image/jpeg"))
        later = [json.loads(output(process).readline()) for _ in range(2)]
        assert interrupted(process) == 130
    assert {app["name"] for app in first["apis"]} == {"yolov3"}
    assert [told["apis"][0]["state"] for told in later] == ["RUNNING", "RUNNING"]


def test_logs_follow_prints_what_is_written_later_until_it_is_interrupted(cluster: TrialCluster, config: Path) -> None:
    (replica,) = cluster.wait_for("yolov3", lambda app: len(app.running) == 1).running
    with started("logs", "yolov3", "--follow", "--lines", "1", "--config", str(config)) as process:
        before = output(process).readline()
        pid = cluster.process_of(replica).pid
        log = next(file for file in cluster.local.folder.rglob(Path(replica.log_file or "").name))
        with log.open("a", encoding="utf-8") as written:
            written.write(f"a line of {pid}\n")
        later = output(process).readline()
        assert interrupted(process) == 130
    assert before.startswith(f"yolov3 {replica.replica_id} ")
    assert later.rstrip() == f"yolov3 {replica.replica_id} a line of {pid}"
