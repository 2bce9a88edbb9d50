"""What runs on a cluster, as far as deployments are concerned."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Replica:
    """One copy of an API. ``state`` is Serve's: STARTING, RUNNING, STOPPING, …; times are seconds since the epoch."""

    replica_id: str
    state: str
    node_id: str | None
    node_ip: str | None
    actor_id: str | None
    pid: int | None
    log_file: str | None
    started_s: float


@dataclass(frozen=True, slots=True)
class Application:
    """One API as Serve knows it.

    ``status`` is NOT_STARTED, DEPLOYING, DEPLOY_FAILED, RUNNING, UNHEALTHY or DELETING. ``message`` says why in
    Serve's words, tracebacks and all; `reason` makes one line of it. ``described`` is the description that was put.
    """

    name: str
    status: str
    message: str
    route_prefix: str | None
    deployed_s: float
    wanted_replicas: int
    replicas: tuple[Replica, ...]
    described: Mapping[str, Any]

    @property
    def running(self) -> tuple[Replica, ...]:
        """The replicas that answer requests."""
        return tuple(replica for replica in self.replicas if replica.state == "RUNNING")


@dataclass(frozen=True, slots=True)
class Proxy:
    """The process that listens on one node. ``status``: STARTING, HEALTHY, UNHEALTHY, DRAINING or DRAINED."""

    node_id: str
    node_ip: str | None
    status: str


@dataclass(frozen=True, slots=True)
class Serving:
    """All that Serve runs; nothing, where it has never been told to."""

    applications: Mapping[str, Application]
    proxies: tuple[Proxy, ...]
    http_host: str | None
    http_port: int | None


@dataclass(frozen=True, slots=True)
class Node:
    """A machine of the cluster, with what it has altogether: processor cores, GPUs, bytes of memory."""

    node_id: str
    ip: str
    alive: bool
    head: bool
    cpus: float
    gpus: float
    memory_bytes: int


def parse_serving(answer: Mapping[str, Any]) -> Serving:
    """Read what ``GET /api/serve/applications/`` answers; unknown keys are passed over.

    Raises `KeyError`, `TypeError` or `ValueError` for something else.
    """
    http = answer.get("http_options") or {}
    return Serving(
        applications={name: _application(name, told) for name, told in answer["applications"].items()},
        proxies=tuple(
            Proxy(node_id, told.get("node_ip"), str(told["status"])) for node_id, told in answer["proxies"].items()
        ),
        http_host=http.get("host"),
        http_port=http.get("port"),
    )


def _application(name: str, told: Mapping[str, Any]) -> Application:
    deployments = list((told.get("deployments") or {}).values())
    messages = [str(told.get("message") or ""), *(str(each.get("message") or "") for each in deployments)]
    return Application(
        name=name,
        status=str(told["status"]),
        message="\n".join(message for message in messages if message),
        route_prefix=told.get("route_prefix"),
        deployed_s=float(told.get("last_deployed_time_s") or 0.0),
        wanted_replicas=sum(int(each.get("target_num_replicas") or 0) for each in deployments),
        replicas=tuple(_replica(replica) for each in deployments for replica in each.get("replicas") or ()),
        described=told.get("deployed_app_config") or {},
    )


def _replica(told: Mapping[str, Any]) -> Replica:
    return Replica(
        replica_id=str(told["replica_id"]),
        state=str(told["state"]),
        node_id=told.get("node_id"),
        node_ip=told.get("node_ip"),
        actor_id=told.get("actor_id"),
        pid=told.get("pid"),
        log_file=told.get("log_file_path"),
        started_s=float(told.get("start_time_s") or 0.0),
    )


def parse_nodes(answer: Mapping[str, Any]) -> tuple[Node, ...]:
    """Read what ``GET /api/v0/nodes`` answers; raises as `parse_serving` does."""
    return tuple(_node(told) for told in answer["data"]["result"]["result"])


def _node(told: Mapping[str, Any]) -> Node:
    total = told.get("resources_total") or {}
    return Node(
        node_id=str(told["node_id"]),
        ip=str(told["node_ip"]),
        alive=told["state"] == "ALIVE",
        head=bool(told["is_head_node"]),
        cpus=float(total.get("CPU", 0.0)),
        gpus=float(total.get("GPU", 0.0)),
        memory_bytes=int(total.get("memory", 0)),
    )


def reason(message: str) -> str:
    """The line of one of Serve's messages that says what is wrong: the error at the end of a traceback.

    Our own errors come first, since they are written to say what to do; else the last line that names an exception.
    """
    lines = [line.strip() for line in message.splitlines()]
    errors = [line for line in lines if _names_error(line)]
    ours = [line for line in errors if line.startswith(("deploy.errors.", "cloud_apis.errors."))]
    if chosen := (ours or errors):
        return chosen[-1].partition(": ")[2] if ours else chosen[-1]
    return next((line for line in lines if line), "")


def _names_error(line: str) -> bool:
    name, colon, _ = line.partition(": ")
    return bool(colon) and name.replace(".", "").replace("_", "").isalnum() and name.endswith(("Error", "Exception"))
