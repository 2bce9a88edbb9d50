"""Asks a cluster what there is and what it does."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

import requests

from deploy.cluster_api.client import ClusterApi
from deploy.cluster_api.state import Node, Serving
from deploy.errors import ClusterError
from deploy.status.traffic import Totals, totals

PERIOD_S = 10.0
"""Ray's nodes bring their figures up to date every ten seconds: samples nearer to each other tell nothing."""
_TIMEOUT_S = 4.0
_AT_ONCE = 16


@dataclass(frozen=True, slots=True)
class Gpu:
    """One GPU: its name, how busy it is (0..100, None if unknown) and its memory in MB."""

    name: str
    busy_percent: float | None
    used_mb: int
    total_mb: int


@dataclass(frozen=True, slots=True)
class Usage:
    """How busy a node is: processor and memory, 0..100, and its GPUs."""

    cpu_percent: float
    memory_percent: float
    gpus: tuple[Gpu, ...]


@dataclass(frozen=True, slots=True)
class Sample:
    """Everything at one moment. ``counted`` is None when no node's figures can be reached from here."""

    serving: Serving
    nodes: tuple[Node, ...]
    usage: Mapping[str, Usage]
    counted: Mapping[str, Totals] | None
    at_s: float


def sample(cluster: ClusterApi) -> Sample:
    """Ask the dashboard and every node; raises a `ClusterError` when the dashboard does not answer."""
    serving, nodes = cluster.serving(), cluster.nodes()
    pages = _pages(_exporters(cluster))
    return Sample(serving, nodes, _usage(cluster), totals(pages) if pages else None, time.monotonic())


def _exporters(cluster: ClusterApi) -> list[str]:
    try:
        return [str(target) for group in cluster.read("/api/prometheus/sd") for target in group["targets"]]
    except (ClusterError, KeyError, TypeError):
        return []


def _pages(targets: Sequence[str]) -> list[str]:
    with ThreadPoolExecutor(_AT_ONCE) as pool:
        return [page for page in pool.map(_page, targets) if page is not None]


def _page(target: str) -> str | None:
    with requests.Session() as session:
        session.trust_env = False
        try:
            answer = session.get(f"http://{target}/metrics", timeout=_TIMEOUT_S)
        except requests.RequestException:
            return None
        return answer.text if answer.ok else None


def _usage(cluster: ClusterApi) -> dict[str, Usage]:
    try:
        told = cluster.read("/nodes?view=summary")["data"]["summary"]
        return {str(node["raylet"]["nodeId"]): _usage_of(node) for node in told if "cpu" in node}
    except (ClusterError, KeyError, TypeError, ValueError):
        return {}  # only for looking at: not worth failing for


def _usage_of(told: Mapping[str, Any]) -> Usage:
    gpus = tuple(
        Gpu(
            str(gpu.get("name", "GPU")),
            None if gpu.get("utilizationGpu") is None else float(gpu["utilizationGpu"]),
            int(gpu.get("memoryUsed") or 0),
            int(gpu.get("memoryTotal") or 0),
        )
        for gpu in told.get("gpus") or ()
    )
    return Usage(float(told["cpu"]), float(told["mem"][2]), gpus)
