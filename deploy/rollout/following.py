"""Following a rollout: what each application does, until all are there or one cannot be.

Serve has nothing to wait on over REST, so it is asked twice a second.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from deploy.cluster_api.state import Application, Node, Serving, reason
from deploy.errors import ClusterUnreachableError, RolloutError

_PERIOD_S = 0.5
_AWAY_S = 60.0
"""A cluster whose head starts again is away for some time; that alone fails no rollout."""
_FAILED, _LISTENS = "DEPLOY_FAILED", "HEALTHY"
_NO_PROXY = "the APIs run, but no node listens for requests: the logs of Serve's proxies (serve/proxy_*.log) say why"


class Cluster(Protocol):
    """What is asked of the cluster here."""

    def serving(self) -> Serving:
        """What Serve runs now."""

    def nodes(self) -> tuple[Node, ...]:
        """The machines."""


@dataclass(frozen=True, slots=True)
class State:
    """Where one application is: replicas that answer, replicas that shall, and Serve's word for it."""

    name: str
    status: str
    running: int
    wanted: int
    note: str = ""


Watch = Callable[[Sequence[State]], None]
"""Told the state of all followed applications whenever it has been asked for."""


class Follower:
    """Waits for applications, with a time limit over all of its waits."""

    def __init__(self, cluster: Cluster, watch: Watch, timeout_s: float) -> None:
        self._cluster = cluster
        self._watch = watch
        self._timeout_s = timeout_s

    def until_running(self, names: Sequence[str], since: Mapping[str, float]) -> Serving:
        """Wait until all of these run as they were last described, and at least one node listens for requests.

        ``since`` has the time of each one's former description, as the cluster told it: Serve has taken up the new
        one when that time has changed. Raises `RolloutError` with the reason in one line when one of them cannot be
        started or the time is over, `ClusterUnreachableError` when the cluster is away for a minute.
        """
        end_s = time.monotonic() + self._timeout_s
        while True:
            serving = self._ask()
            found = [serving.applications.get(name) for name in names]
            taken_up = [app is not None and app.deployed_s != since.get(app.name) for app in found]
            self._watch([_state(name, app) for name, app in zip(names, found, strict=True)])
            for app, taken in zip(found, taken_up, strict=True):
                if app is not None and taken and app.status == _FAILED:
                    raise RolloutError(f"{app.name} does not start: {reason(app.message)}")
            complete = all(taken and _is_complete(app) for app, taken in zip(found, taken_up, strict=True))
            listens = not names or any(proxy.status == _LISTENS for proxy in serving.proxies)
            if complete and listens:
                return serving
            if time.monotonic() > end_s:
                raise RolloutError(self._too_long(names, found) if not complete else _NO_PROXY)
            time.sleep(_PERIOD_S)

    def until_gone(self, names: Sequence[str]) -> None:
        """Wait until none of these is left; raises as `until_running` does."""
        end_s = time.monotonic() + self._timeout_s
        while True:
            serving = self._ask()
            left = [serving.applications[name] for name in names if name in serving.applications]
            if not left:
                return
            self._watch([_state(app.name, app) for app in left])
            if time.monotonic() > end_s:
                raise RolloutError(f"{', '.join(app.name for app in left)} did not end within {self._timeout_s:g} s")
            time.sleep(_PERIOD_S)

    def _too_long(self, names: Sequence[str], found: Sequence[Application | None]) -> str:
        late = [(name, app) for name, app in zip(names, found, strict=True) if not _is_complete(app)]
        nodes = [node for node in self._cluster.nodes() if node.alive]
        said = "; ".join(f"{name}: {_why_late(app, nodes)}" for name, app in late)
        return f"not ready within {self._timeout_s:g} s: {said}"

    def _ask(self) -> Serving:
        away_s = time.monotonic() + _AWAY_S
        while True:
            try:
                return self._cluster.serving()
            except ClusterUnreachableError:
                if time.monotonic() > away_s:
                    raise
                time.sleep(_PERIOD_S)


def _is_complete(app: Application | None) -> bool:
    return app is not None and app.status == "RUNNING" and len(app.running) >= app.wanted_replicas


def _state(name: str, app: Application | None) -> State:
    if app is None:
        return State(name, "WAITING", 0, 0)
    return State(name, app.status, len(app.running), app.wanted_replicas, reason(app.message))


def _why_late(app: Application | None, nodes: Sequence[Node]) -> str:
    if app is None:
        return "nothing is heard of it"
    without_node = [replica for replica in app.replicas if replica.state == "STARTING" and replica.node_id is None]
    if without_node:
        wants = ", ".join(f"{amount:g} {name}" for name, amount in _takes(app).items() if amount)
        there = ", ".join(f"{node.ip} with {node.cpus:g} CPUs and {node.gpus:g} GPUs" for node in nodes) or "none"
        return f"{len(without_node)} of its replicas wait for a place with {wants}; the nodes are {there}"
    return reason(app.message) or f"{len(app.running)} of {app.wanted_replicas} replicas answer"


def _takes(app: Application) -> dict[str, float]:
    """What one replica takes of its machine."""
    for each in app.described.get("deployments", ()):
        options = each.get("ray_actor_options", {})
        return {"CPUs": float(options.get("num_cpus", 1)), "GPUs": float(options.get("num_gpus", 0))}
    return {}
