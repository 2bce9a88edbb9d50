"""Two samples and the revisions, put together to what `cloud-deploy status` shows. Pure."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from datetime import UTC
from typing import Any

from cloud_apis.names import Api
from deploy.cluster_api.state import Application, Node, reason
from deploy.revisions.revision import Revision
from deploy.rollout.ownership import is_ours
from deploy.status.sampling import Sample, Usage
from deploy.status.traffic import Totals, Traffic, between


@dataclass(frozen=True, slots=True)
class ApiStatus:
    """One API. ``traffic`` is None when the nodes' figures cannot be reached from here."""

    name: str
    state: str
    note: str
    running: int
    wanted: int
    nodes: tuple[tuple[str, int], ...]
    """Addresses of the nodes with the number of its replicas on each."""
    traffic: Traffic | None


@dataclass(frozen=True, slots=True)
class NodeStatus:
    """One machine that is there."""

    node: Node
    replicas: int
    usage: Usage | None


@dataclass(frozen=True, slots=True)
class Picture:
    """A deployment at one moment. ``exact`` is whether what runs is what the newest revision says."""

    deployment: str
    revision: Revision | None
    exact: bool
    apis: tuple[ApiStatus, ...]
    nodes: tuple[NodeStatus, ...]


def picture(deployment: str, revision: Revision | None, exact: bool, before: Sample, after: Sample) -> Picture:
    """What is the case at ``after``; rates are those since ``before``."""
    ours = [app for name, app in sorted(after.serving.applications.items()) if _is_ours(name, app, deployment)]
    on_node = Counter(replica.node_id for app in ours for replica in app.running)
    return Picture(
        deployment,
        revision,
        exact,
        tuple(_api(app, before, after) for app in ours),
        tuple(
            NodeStatus(node, on_node[node.node_id], after.usage.get(node.node_id))
            for node in sorted(after.nodes, key=lambda node: (not node.head, node.ip))
            if node.alive
        ),
    )


def _is_ours(name: str, app: Application, deployment: str) -> bool:
    """Of an application that is just going Serve knows the name alone."""
    return is_ours(app.described, deployment) if app.described else name in set(Api)


def plain(shown: Picture, endpoints: dict[str, str]) -> dict[str, Any]:
    """The same for programs."""
    revision = shown.revision
    return {
        "deployment": shown.deployment,
        "revision": None
        if revision is None
        else {
            "number": revision.number,
            "applied": revision.applied.astimezone(UTC).isoformat(timespec="seconds"),
            "by": revision.by,
            "reason": revision.reason,
            "is_what_runs": shown.exact,
        },
        "apis": [{**_plain_api(api), "endpoint": endpoints.get(api.name)} for api in shown.apis],
        "nodes": [_plain_node(node) for node in shown.nodes],
    }


def _api(app: Application, before: Sample, after: Sample) -> ApiStatus:
    traffic = None
    if before.counted is not None and after.counted is not None:
        old, new = before.counted.get(app.name, Totals()), after.counted.get(app.name, Totals())
        traffic = between(old, new, max(after.at_s - before.at_s, 1e-3))
    nodes = Counter(replica.node_ip or "?" for replica in app.running)
    note = reason(app.message) if app.status != "RUNNING" else ""
    return ApiStatus(
        app.name, app.status, note, len(app.running), app.wanted_replicas, tuple(sorted(nodes.items())), traffic
    )


def _plain_api(api: ApiStatus) -> dict[str, Any]:
    traffic = api.traffic
    return {
        "name": api.name,
        "state": api.state,
        "note": api.note,
        "replicas": {"running": api.running, "wanted": api.wanted, "on": dict(api.nodes)},
        "traffic": None
        if traffic is None
        else {
            "requests_hz": round(traffic.requests_hz, 2),
            "errors_hz": round(traffic.errors_hz, 3),
            "refused_hz": round(traffic.refused_hz, 3),
            "p50_ms": _rounded(traffic.p50_ms),
            "p99_ms": _rounded(traffic.p99_ms),
            "in_hand": traffic.in_hand,
        },
    }


def _plain_node(status: NodeStatus) -> dict[str, Any]:
    usage = status.usage
    return {
        "ip": status.node.ip,
        "head": status.node.head,
        "replicas": status.replicas,
        "cpus": status.node.cpus,
        "gpus": status.node.gpus,
        "cpu_percent": usage.cpu_percent if usage else None,
        "memory_percent": usage.memory_percent if usage else None,
        "gpu": []
        if usage is None
        else [
            {"name": g.name, "busy_percent": g.busy_percent, "used_mb": g.used_mb, "total_mb": g.total_mb}
            for g in usage.gpus
        ],
    }


def _rounded(value: float | None) -> float | None:
    return None if value is None else round(value, 1)
