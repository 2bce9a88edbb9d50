"""Applying what is wanted, so that the cluster ends with all of it or with all that ran before.

Serve starts the new replicas of an application beside its old ones and moves on only when they answer (see
`deploy.serving.description`). What is left to do here: whatever goes wrong on the way, down to Ctrl-C, the former
description is put again, under which the old replicas have served all the time.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Protocol

from deploy.cluster_api.state import Node, Serving
from deploy.errors import (
    ClusterDeniedError,
    ClusterError,
    ClusterRefusedError,
    ClusterUnreachableError,
    ClusterVersionError,
    ConflictError,
    DeployError,
    RegistryError,
    RolloutError,
    SettingsError,
)
from deploy.registry.registry import Registry
from deploy.revisions.lock import Lock
from deploy.revisions.revision import Content, Revision
from deploy.revisions.store import Revisions
from deploy.rollout.difference import ApplicationDifference, Kind, differences, is_same
from deploy.rollout.following import Follower, Watch
from deploy.rollout.ownership import is_ours, refuse_conflicts
from deploy.serving.description import deployment
from deploy.settings import ClusterAddress, DeploySettings

Description = Mapping[str, Any]
_RESTORE_S = 120.0
_TRIES = 3


class Cluster(Protocol):
    """What a rollout asks of the cluster."""

    def serving(self) -> Serving:
        """What Serve runs now."""

    def nodes(self) -> tuple[Node, ...]:
        """The machines."""

    def apply(self, description: Description) -> None:
        """Let Serve run this and nothing else."""

    def shut_down(self) -> None:
        """Stop Serve."""


@dataclass(frozen=True, slots=True)
class Running:
    """What runs before a rollout: our applications, and those that others have put on the same cluster."""

    serving: Serving
    ours: tuple[Description, ...]
    others: tuple[Description, ...]


def running(cluster: Cluster, settings: DeploySettings, *, anywhere: bool = False) -> Running:
    """What runs now; raises `SettingsError` when Serve listens elsewhere than the settings say, unless ``anywhere``."""
    serving = cluster.serving()
    described = [app.described for app in serving.applications.values() if app.described]
    ours = tuple(each for each in described if is_ours(each, settings.name))
    others = tuple(each for each in described if not is_ours(each, settings.name))
    target = settings.cluster()
    found = listening(serving, target)
    if not anywhere and (found.http_host, found.http_port) != (target.http_host, target.http_port):
        raise SettingsError(
            f"Serve listens on {found.http_host}:{found.http_port} and that cannot be changed while it runs: set "
            "target.http_host and target.http_port to that, or `cloud-deploy delete` first"
        )
    return Running(serving, ours, others)


def listening(serving: Serving, target: ClusterAddress) -> ClusterAddress:
    """The target with the host and port that Serve listens on while something runs there; else the target's own."""
    if not serving.applications or (serving.http_host, serving.http_port) == (None, None):
        return target
    return target.model_copy(update={"http_host": serving.http_host, "http_port": serving.http_port})


@dataclass(frozen=True, slots=True, eq=False)
class Rollout:
    """Changes one deployment; every method raises a `DeployError` and has then changed nothing that serves."""

    cluster: Cluster
    registry: Registry
    settings: DeploySettings
    watch: Watch
    timeout_s: float
    by: str
    anywhere: bool = False
    """Whether Serve may listen elsewhere than the settings say, as it may where nothing of it is to be new."""

    @property
    def revisions(self) -> Revisions:
        """The revisions of this deployment."""
        return Revisions(self.registry.objects, self.settings.name)

    def apply(
        self,
        wanted: Sequence[Description],
        content: Content,
        shown: Running,
        *,
        reason: str,
        prepare: Callable[[], object],
        confirm_ready: Callable[[Serving], object],
    ) -> Revision:
        """Let exactly these applications of ours run, and record them as the next revision.

        ``shown`` is what ran when the operator was asked; if that is no longer so, `ConflictError`. ``prepare``
        uploads what is missing; ``confirm_ready`` asks the APIs themselves once Serve says that they run.
        """
        with Lock(self.registry.objects, self.settings.name, self.by) as lock:
            before = running(self.cluster, self.settings, anywhere=self.anywhere)
            refuse_conflicts(wanted, before.others, self.settings.name)
            found = differences(wanted, before.ours)
            if found != differences(wanted, shown.ours):
                raise ConflictError("what runs has changed since it was shown: look at it again")
            prepare()
            nonce = secrets.token_hex(8)
            revision = self.revisions.add(
                lambda number: Revision(number, datetime.now(UTC), self.by, reason, content, nonce)
            )
            try:
                lock.check()
            except BaseException:
                self.revisions.withdraw(revision)
                raise
            try:
                self._change(wanted, before, found, confirm_ready)
            except BaseException as error:
                self._put_back(before, found, revision, lock, error)
                raise
            return revision

    def _change(
        self,
        wanted: Sequence[Description],
        before: Running,
        found: Sequence[ApplicationDifference],
        confirm_ready: Callable[[Serving], object],
    ) -> None:
        self._put(wanted, before)
        follower = Follower(self.cluster, self.watch, self.timeout_s)
        since = _times(before.serving)
        serving = follower.until_running(_names(found, Kind.ADDED, Kind.CHANGED, Kind.SAME), since)
        confirm_ready(serving)
        follower.until_gone(_names(found, Kind.REMOVED))

    def _put_back(
        self,
        before: Running,
        found: Sequence[ApplicationDifference],
        revision: Revision,
        lock: Lock,
        error: BaseException,
    ) -> None:
        """Restore what ran; what cannot be done of it is said with the error that led here.

        Where someone else has taken the lock meanwhile, what runs is theirs to decide on.
        """
        try:
            with suppress(RegistryError):  # an S3 that is away is no reason to leave a version that failed
                lock.check()
            if is_same(found):  # it was applied again since it did not run: there is nothing else to go back to
                self.revisions.withdraw(revision)
                return
            since = _times(self.cluster.serving())
            self._put(before.ours, before)
            follower = Follower(self.cluster, self.watch, _RESTORE_S)
            follower.until_gone(_names(found, Kind.ADDED))
            follower.until_running(_names(found, Kind.CHANGED, Kind.REMOVED, Kind.SAME), since)
            self.revisions.withdraw(revision)
        except DeployError as second:
            what = str(error) or "interrupted"
            raise RolloutError(f"{what}; and what ran before could not be put back: {second}") from error

    def _put(self, ours: Sequence[Description], before: Running) -> None:
        """Let these run beside what others have there at this moment, which Serve would stop if it were left out."""
        others = running(self.cluster, self.settings, anywhere=True).others
        refuse_conflicts(ours, others, self.settings.name)
        if not ours and not others:
            self.cluster.shut_down()
            return
        target = listening(before.serving, self.settings.cluster())
        described = deployment(self.settings, [*ours, *others], http_host=target.http_host, http_port=target.http_port)
        for left in reversed(range(_TRIES)):
            try:
                self.cluster.apply(described)
                return
            except (ClusterUnreachableError, ClusterDeniedError, ClusterVersionError, ClusterRefusedError):
                raise
            except ClusterError:  # Serve itself did not start in time, as on a head that is busy
                if not left:
                    raise


def _times(serving: Serving) -> dict[str, float]:
    return {name: app.deployed_s for name, app in serving.applications.items()}


def _names(found: Sequence[ApplicationDifference], *kinds: Kind) -> list[str]:
    return [each.name for each in found if each.kind in kinds]
