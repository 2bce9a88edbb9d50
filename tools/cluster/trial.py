"""A local cluster with an S3 server and the shipped models in it, on which APIs are tried: by tests and benchmarks."""

from __future__ import annotations

import contextlib
import fcntl
import os
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from unittest import mock

import psutil

from cloud_apis.model_files import packaged_models
from cloud_apis.names import MODELS_OF, Api
from deploy.archive.archive import Archive, code_archive
from deploy.archive.store import code_uri, publish
from deploy.cluster_api.client import ClusterApi
from deploy.cluster_api.state import Application, Replica, Serving
from deploy.errors import ClusterError
from deploy.registry.objects import Objects, Place
from deploy.registry.registry import Registry
from deploy.serving.description import Description, application, deployment
from deploy.serving.keys import hashed
from deploy.settings import DeploySettings
from tools.cluster.errors import LocalClusterError
from tools.cluster.local import LocalCluster, down, load, up
from tools.cluster.nodes import aws_config
from tools.cluster.s3 import ANYBODY, running_s3, tell_nodes

KEY = "correct-horse-battery-staple"
HTTP_PORT = 8000
BUCKET = "cluster-models"
_ANY_ADDRESS = "0.0.0.0"  # noqa: S104 - of the cluster's own network
# So long a loaded machine may take for what takes an idle one ten seconds.
PATIENCE_S = 300.0
_CREDENTIALS = dict(zip(("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"), ANYBODY, strict=True))
"""For boto3 in this process."""
_LOCK = Path(tempfile.gettempdir()) / "plates-test-cluster.lock"


@dataclass(eq=False)
class TrialCluster:
    """A cluster with token and Redis, an S3 server, and the shipped models in a registry there."""

    local: LocalCluster
    s3_url: str
    api: ClusterApi
    registry: Registry
    code: Archive = field(default_factory=code_archive)
    apis: Mapping[str, Any] = field(default_factory=dict)
    """What was applied last."""

    @property
    def url(self) -> str:
        """Where the APIs are to be asked: the proxy of the head, which always runs."""
        return f"http://{self.local.head}:{HTTP_PORT}"

    def settings(self, apis: Mapping[str, Any]) -> DeploySettings:
        """Settings of a deployment on this cluster."""
        place = self.registry.objects.place
        return DeploySettings.model_validate(
            {
                "registry": {"url": str(place), "endpoint_url": place.endpoint_url, "region": place.region},
                "target": {
                    "kind": "ray",
                    "address": self.local.dashboard,
                    "http_host": _ANY_ADDRESS,
                    "http_port": HTTP_PORT,
                    "token_file": self.local.token_file,
                },
                "api_key": "env:PLATE_KEY",
                "apis": apis,
            }
        )

    def describe(self, apis: Mapping[str, Any], code: Archive | None = None) -> Description:
        """The description of these APIs, with models, code and key as a deployment has them."""
        settings = self.settings(apis)
        archive = code or self.code
        publish(self.registry.objects, archive)
        applications = [
            application(
                api,
                settings,
                [self.registry.resolve(reference) for reference in chosen.references(api)],
                code_uri=code_uri(self.registry.objects.place, archive.sha256),
                key=hashed(KEY, settings.registry.url),
            )
            for api, chosen in settings.apis.items()
        ]
        return deployment(settings, applications, http_host=_ANY_ADDRESS, http_port=HTTP_PORT)

    def apply(self, apis: Mapping[str, Any], code: Archive | None = None) -> None:
        """Let these APIs run, and wait until they do."""
        before = {name: app.deployed_s for name, app in self.serving().applications.items()}
        self.api.apply(self.describe(apis, code))
        self.apis = apis
        for name in apis:
            self.wait_for(
                name,
                lambda app, name=name: (  # type: ignore[misc]
                    app.deployed_s != before.get(name) and app.status == "RUNNING"
                ),
            )

    def serving(self) -> Serving:
        """What Serve runs; the head may be away for a moment."""
        deadline = time.monotonic() + PATIENCE_S
        while True:
            try:
                return self.api.serving()
            except ClusterError:
                if time.monotonic() > deadline:
                    raise
                time.sleep(0.5)

    def wait_for(self, name: str, reached: Callable[[Application], bool], limit_s: float = PATIENCE_S) -> Application:
        """Ask until an application is as it shall be; raises `LocalClusterError` when it takes too long."""
        deadline = time.monotonic() + limit_s
        while True:
            app = self.serving().applications.get(name)
            if app is not None and reached(app):
                return app
            if time.monotonic() > deadline:
                raise LocalClusterError(f"{name} is {app and (app.status, app.replicas, app.message[-2000:])}")
            time.sleep(0.25)

    def wait_for_proxies(self, count: int) -> None:
        """Wait until the proxies of so many nodes listen."""
        deadline = time.monotonic() + PATIENCE_S
        while sum(proxy.status == "HEALTHY" for proxy in self.serving().proxies) < count:
            if time.monotonic() > deadline:
                raise LocalClusterError(f"of the nodes listen only {self.serving().proxies}")
            time.sleep(0.25)

    def process_of(self, replica: Replica) -> psutil.Process:
        """The process of a replica, which its own node knows under another number."""
        node = next(node for node in self.local.nodes if node.address == replica.node_ip)
        for process in psutil.Process(node.pid).children(recursive=True):
            with contextlib.suppress(OSError):
                status = Path(f"/proc/{process.pid}/status").read_text(encoding="utf-8")
                numbers = next(line for line in status.splitlines() if line.startswith("NSpid:")).split()[1:]
                if numbers[-1] == str(replica.pid):
                    return process
        raise LocalClusterError(f"{replica} has no process")


@contextlib.contextmanager
def trial_cluster(nodes: int = 2) -> Iterator[TrialCluster]:
    """A cluster of its own, of so many nodes, for as long as it is needed; there is one on a machine at a time."""
    with _LOCK.open("w") as lock, tempfile.TemporaryDirectory(prefix="pt", dir="/tmp") as folder:
        fcntl.flock(lock, fcntl.LOCK_EX)
        local = up(Path(folder) / "c", nodes=nodes, token=True, redis=True)
        try:
            with running_s3(local.host, 0, BUCKET) as s3_url:
                tell_nodes(aws_config(local.folder), s3_url)
                with mock.patch.dict(os.environ, _CREDENTIALS):
                    yield _with_models(local, s3_url)
        finally:
            down(load(local.folder) or local)


def _with_models(local: LocalCluster, s3_url: str) -> TrialCluster:
    registry = Registry(Objects(Place(BUCKET, "plates", s3_url, "us-east-1")))
    for name in {name for api in Api for name in MODELS_OF[api]}:
        registry.push(packaged_models(), name, ("latest",), lambda _: None)
    return TrialCluster(local, s3_url, local.api(), registry)
