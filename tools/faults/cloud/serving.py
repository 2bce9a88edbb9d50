"""Faults of a cluster under load: what dies and what is broken; each with its figures."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

from cloud_apis.model_files import packaged_models
from deploy.registry.registry import blob_key
from tools.cluster.errors import LocalClusterError
from tools.cluster.local import join, kill
from tools.cluster.s3 import ANYBODY
from tools.cluster.trial import HTTP_PORT, KEY, TrialCluster
from tools.faults.cloud.load import Load
from tools.faults.row import Row

API = "yolov3"
ONE: dict[str, Any] = {API: {"replicas": {"min": 1, "max": 1}}}
TWO: dict[str, Any] = {API: {"replicas": {"min": 2, "max": 2}}}
_BACK_S = 60.0
_PLACINGS = 6
_ATTEMPTS = 10


def replica_killed(cluster: TrialCluster) -> Row:
    """One of two replicas is killed."""
    url = _two(cluster)
    victim = cluster.serving().applications[API].running[0]
    with Load(url, 1, again=False) as bare, Load(url, 1) as patient:
        cluster.process_of(victim).kill()
        took_s = _seconds(lambda: _back(cluster, lambda ids: victim.replica_id not in ids))
        bare.wait_for(10)
    result = (
        f"{len(bare.failed)} of {bare.asked} requests failed, with one retry {len(patient.failed)} of {patient.asked}; "
        f"two replicas again after {took_s:.0f} s"
    )
    return Row("replica killed", "≤ 1 failed, none with a retry", result, len(bare.failed) <= 1 and not patient.failed)


def worker_lost(cluster: TrialCluster) -> Row:
    """The node of one of two replicas loses power."""
    url = _two(cluster)
    lost = cluster.local.nodes[1].address
    with Load(url, 1) as load:
        kill(cluster.local, 1)
        begun_s = time.monotonic()
        cluster.wait_for(API, lambda app: len(app.running) == 2 and all(r.node_ip != lost for r in app.running))
        took_s = time.monotonic() - begun_s
        load.wait_for(10)
    cluster.local = join(cluster.local, 1, nodes=2)
    result = f"both replicas on the other node after {took_s:.0f} s; {_failed(load)}"
    return Row("worker node lost", f"back within {_BACK_S:g} s", result, took_s <= _BACK_S)


def head_lost(cluster: TrialCluster) -> Row:
    """The head loses power and starts again; clients ask the worker."""
    _two(cluster)
    url = f"http://{cluster.local.nodes[1].address}:{HTTP_PORT}/{API}"
    _wait_for_answer(cluster, url)
    with Load(url, 1) as load:
        kill(cluster.local, 0)
        load.wait_for(20)
        begun_s = time.monotonic()
        cluster.local = join(cluster.local, 0, nodes=2)
        app = cluster.wait_for(API, lambda app: app.status == "RUNNING" and len(app.running) == 2)
        took_s = time.monotonic() - begun_s
        load.wait_for(10)
    known = app.described.get("name") == API
    result = f"{_failed(load)}; all is known again {took_s:.0f} s after its start"
    return Row("head killed, Redis", "none failed, state back", result, not load.failed and known)


def update(cluster: TrialCluster) -> Row:
    """A new version replaces the old one."""
    cluster.apply(ONE)
    with Load(f"{cluster.url}/{API}", 2, again=False) as load:
        begun_s = time.monotonic()
        cluster.apply({API: {**ONE[API], "queue": 40}})
        took_s = time.monotonic() - begun_s
        load.wait_for(10)
    result = f"{_failed(load)} in {took_s:.0f} s"
    return Row("update under load", "none failed", result, not load.failed)


def wrong_hash(cluster: TrialCluster) -> Row:
    """`cloud-deploy deploy` of a model whose file in the registry was changed."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        for suffix in ("onnx", "json"):
            (folder / f"{API}.{suffix}").write_bytes((packaged_models() / f"{API}.{suffix}").read_bytes())
        (folder / f"{API}.md").write_text("# Another card\n", encoding="utf-8")
        pushed = cluster.registry.push(folder, API, ("broken",), lambda _: None)
    card = next(file for file in pushed.descriptor.files if file.name == f"{API}.md")
    cluster.registry.objects.write(blob_key(card.sha256), b"x" * card.size)
    return _refused(cluster, "wrong model hash", {"models": {API: f"{API}:broken"}}, "is not what its hash")


def no_room(cluster: TrialCluster) -> Row:
    """`cloud-deploy deploy` of replicas that no machine has room for."""
    return _refused(cluster, "no machine large enough", {"resources": {"cpus": 64}}, "64 CPUs", ("--timeout", "20"))


def _refused(
    cluster: TrialCluster, fault: str, detector: dict[str, Any], words: str, options: tuple[str, ...] = ()
) -> Row:
    cluster.apply(ONE)
    before = cluster.serving().applications[API].described
    with Load(f"{cluster.url}/{API}", 1, again=False) as load:
        begun_s = time.monotonic()
        ended = cloud_deploy(cluster, detector, *options)
        took_s = time.monotonic() - begun_s
        load.wait_for(5)
    same = cluster.serving().applications[API].described["args"] == before["args"]
    last = (ended.stderr.strip().splitlines() or [""])[-1]
    result = (
        f"deploy ends with {ended.returncode} after {took_s:.0f} s: “{last}”; {len(load.failed)} of {load.asked} failed"
    )
    reached = ended.returncode == 1 and words in last and not load.failed and same
    return Row(fault, "old version serves on, deploy says why", result, reached)


def cloud_deploy(cluster: TrialCluster, detector: dict[str, Any], *options: str) -> subprocess.CompletedProcess[str]:
    """`cloud-deploy deploy` with these settings of the detector."""
    with tempfile.TemporaryDirectory() as name:
        file = Path(name) / "deploy.yaml"
        file.write_text(cluster.settings({API: detector}).model_dump_json(), encoding="utf-8")
        return run_deploy(["deploy", "--yes", "--config", str(file), *options])


def run_deploy(arguments: list[str], **environment: str) -> subprocess.CompletedProcess[str]:
    """`cloud-deploy` with credentials that the local S3 takes."""
    own = {"AWS_ACCESS_KEY_ID": ANYBODY[0], "AWS_SECRET_ACCESS_KEY": ANYBODY[1], "PLATE_KEY": KEY}
    return subprocess.run(
        [sys.executable, "-m", "deploy", *arguments],
        env={**os.environ, **own, "AWS_EC2_METADATA_DISABLED": "true", **environment},
        capture_output=True,
        text=True,
        check=False,
        timeout=600,
    )


def _two(cluster: TrialCluster) -> str:
    """Two replicas, one on each node: Serve spreads them as well as it happens to know, so not always."""
    for _ in range(_PLACINGS):
        cluster.apply(TWO)
        app = cluster.wait_for(API, lambda app: len(app.running) == 2)
        if len({replica.node_id for replica in app.running}) == 2:
            return f"{cluster.url}/{API}"
        cluster.api.shut_down()
        while cluster.serving().applications:
            time.sleep(0.25)
    raise LocalClusterError(f"Serve put both replicas on one node, {_PLACINGS} times")


def _wait_for_answer(cluster: TrialCluster, url: str) -> None:
    """Until a node that was just given a replica has a proxy, and that knows the way to the API."""
    cluster.wait_for_proxies(2)
    for _ in range(_ATTEMPTS):
        with Load(url, 1) as load:
            pass
        if not load.failed:
            return
    raise LocalClusterError(f"{url} does not answer: {load.failed[-1]}")


def _failed(load: Load) -> str:
    """How many of the requests failed, and what most of those came to."""
    often = "".join(f" ({words})" for words, _ in Counter(load.failed).most_common(1))
    return f"{len(load.failed)} of {load.asked} requests failed{often}"


def _back(cluster: TrialCluster, without: Callable[[set[str]], bool]) -> None:
    cluster.wait_for(API, lambda app: len(app.running) == 2 and without({r.replica_id for r in app.running}))


def _seconds(work: Callable[[], object]) -> float:
    begun_s = time.monotonic()
    work()
    return time.monotonic() - begun_s
