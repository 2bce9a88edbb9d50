"""Following a rollout: what each application does, until all are there or one cannot be.

Serve has nothing to wait on over REST, so it is asked twice a second.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from deploy.cluster_api.state import Application, Serving, reason
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
                raise RolloutError(_too_long(names, found, self._timeout_s) if not complete else _NO_PROXY)
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


def _too_long(names: Sequence[str], found: Sequence[Application | None], timeout_s: float) -> str:
    late = [(name, app) for name, app in zip(names, found, strict=True) if not _is_complete(app)]
    said = "; ".join(f"{name}: {reason(app.message) if app else 'nothing heard of it'}" for name, app in late)
    return f"{', '.join(name for name, _ in late)} not ready within {timeout_s:g} s ({said})"
