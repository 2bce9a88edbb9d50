"""Starting and ending the processes of one node."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import psutil

from deploy.serving.environment import NODE_ENVIRONMENT
from tools.cluster.errors import LocalClusterError
from tools.cluster.network import Network, entered

GCS_PORT, DASHBOARD_PORT = 6379, 8265
_OBJECT_STORE_BYTES = 100_000_000
# So long a worker serves on without a head that can come back.
_HEAD_GONE_S = 900


@dataclass(frozen=True, slots=True)
class NodePlan:
    """What a node is: the first one (0) is the head. ``folder`` holds its temporary files; its path must be short."""

    number: int
    address: str
    head: str
    folder: Path
    cpus: int
    gcs_port: int = GCS_PORT
    dashboard_port: int = DASHBOARD_PORT


def ray_command(plan: NodePlan) -> list[str]:
    """`ray start` for this node, which runs until it is ended."""
    command = [
        str(Path(sys.executable).with_name("ray")),
        "start",
        "--block",
        f"--node-ip-address={plan.address}",
        f"--num-cpus={plan.cpus}",
        f"--object-store-memory={_OBJECT_STORE_BYTES}",
        "--disable-usage-stats",
        "--include-log-monitor=false",  # it hands logs to drivers, and there are none
    ]
    if plan.number > 0:
        return [*command, f"--address={plan.head}:{plan.gcs_port}"]
    return [
        *command,
        "--head",
        f"--port={plan.gcs_port}",
        f"--dashboard-host={plan.address}",
        f"--dashboard-port={plan.dashboard_port}",
        f"--temp-dir={plan.folder}",
    ]


def node_environment(
    plan: NodePlan, given: Mapping[str, str], token_file: Path | None, redis: str | None
) -> dict[str, str]:
    """The environment of a node's processes: the caller's, what Serve needs, and files of the node's own."""
    own = plan.folder / "h"  # HAProxy takes sockets' paths of 97 characters, and Serve adds 70 to this one
    environment = {
        **given,
        **NODE_ENVIRONMENT,
        "RAY_SERVE_HAPROXY_CONFIG_FILE_LOC": str(own / "haproxy.cfg"),
        "RAY_SERVE_HAPROXY_SOCKET_PATH": str(own / "admin.sock"),
        "RAY_SERVE_HAPROXY_SERVER_STATE_BASE": str(own),
        "RAY_SERVE_HAPROXY_SERVER_STATE_FILE": str(own / "server-state"),
        "RAY_SERVE_HAPROXY_METRICS_SOCKET_PATH": str(own / "metrics.sock"),
        "PLATE_MODEL_CACHE": str(plan.folder / "models"),
        "AWS_CONFIG_FILE": str(aws_config(plan.folder.parent)),
        "RAY_TMPDIR": str(plan.folder),
        "RAY_AUTH_MODE": "disabled" if token_file is None else "token",
        # Machines that try things out are busy: what takes a second elsewhere may take a minute.
        "RAY_DASHBOARD_STARTUP_TIMEOUT_S": "180",
        "RAY_SERVE_PROXY_READY_CHECK_TIMEOUT_S": "60",
    }
    if token_file is not None:
        environment["RAY_AUTH_TOKEN_PATH"] = str(token_file)
    if redis is not None:
        environment["RAY_gcs_rpc_server_reconnect_timeout_s"] = str(_HEAD_GONE_S)
        if plan.number == 0:
            environment["RAY_REDIS_ADDRESS"] = redis
    # The nodes' code comes with what is deployed, as on machines that have no checkout.
    environment.pop("PYTHONPATH", None)
    for name in ("RAY_ADDRESS", "HTTP_PROXY", "HTTPS_PROXY", "http_proxy", "https_proxy"):
        environment.pop(name, None)
    return environment


def aws_config(folder: Path) -> Path:
    """The file that tells the nodes of the cluster in ``folder`` where S3 is, and credentials for it."""
    return folder / "aws-config"


def start_node(plan: NodePlan, network: Network | None, environment: Mapping[str, str]) -> int:
    """Start a node in the background; gives the process to end it by. Its output goes to ``ray.log`` in its folder."""
    plan.folder.mkdir(parents=True, exist_ok=True)
    command = ray_command(plan)
    if network is not None:
        command = entered(network.namespace(plan.number), command)
    with (plan.folder / "ray.log").open("ab") as log:
        process = subprocess.Popen(
            command,
            env=dict(environment),
            cwd=plan.folder,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    return process.pid


def end_node(pid: int, *, timeout_s: float = 20.0) -> None:
    """End all processes of a node at once, as when its machine loses power; gone already is no error."""
    try:
        top = psutil.Process(pid)
        family = [*top.children(recursive=True), top]
    except psutil.NoSuchProcess:
        return
    for process in family:
        with contextlib.suppress(psutil.NoSuchProcess):
            process.kill()
    with contextlib.suppress(ChildProcessError):
        os.waitpid(pid, os.WNOHANG)
    _, left = psutil.wait_procs(family, timeout=timeout_s)
    if any(process.is_running() and process.status() != psutil.STATUS_ZOMBIE for process in left):
        raise LocalClusterError(f"process {left[0].pid} of the node does not end")


def is_running(pid: int) -> bool:
    """Whether a node's process is there."""
    try:
        return psutil.Process(pid).status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


def end_process(pid: int) -> None:
    """Ask one process to end; gone already is no error."""
    with contextlib.suppress(ProcessLookupError):
        os.kill(pid, signal.SIGTERM)
