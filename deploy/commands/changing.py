"""What `deploy`, `rollback` and `delete` share: show the difference, ask, apply, follow, tell the endpoints."""

from __future__ import annotations

import argparse
import json
import signal
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from types import FrameType
from typing import Any

from rich.console import Console
from tqdm import tqdm

from cloud_apis.model_files import packaged_models
from deploy.cluster_api.client import ClusterApi
from deploy.commands.asking import confirmed
from deploy.errors import RolloutError, SettingsError
from deploy.registry.registry import Registry
from deploy.revisions.revision import Content, Revision
from deploy.rollout import report
from deploy.rollout.applying import Rollout, Running, listening, running
from deploy.rollout.connection import connect, open_registry, operator
from deploy.rollout.difference import ApplicationDifference, Kind, differences, is_same
from deploy.rollout.endpoints import edge_settings, endpoints
from deploy.rollout.live import watching
from deploy.rollout.ownership import refuse_conflicts
from deploy.rollout.readiness import Answered, base_urls, confirm
from deploy.rollout.wanted import Wanted, send, size
from deploy.settings import DeploySettings


@dataclass(frozen=True, slots=True, eq=False)
class Session:
    """A deployment with its registry and cluster, for one command."""

    settings: DeploySettings
    registry: Registry
    cluster: ClusterApi


def add_options(parser: argparse.ArgumentParser) -> None:
    """Add the options of every command that changes what runs."""
    parser.add_argument("--config", type=Path, metavar="FILE", help="settings file (default: the shipped one)")
    parser.add_argument("--plan", action="store_true", help="show the difference and change nothing")
    parser.add_argument("--yes", action="store_true", help="do not ask")
    parser.add_argument("--json", action="store_true", help="for programs")
    parser.add_argument(
        "--timeout",
        type=_seconds,
        default=300.0,
        metavar="SECONDS",
        help="how long the new version may take to answer, before what ran is put back (default: %(default)g)",
    )


@contextmanager
def opened(settings: DeploySettings) -> Iterator[Session]:
    """Connections, of which the cluster's is tried at once."""
    cluster = connect(settings)
    try:
        cluster.version()
        yield Session(settings, open_registry(settings), cluster)
    finally:
        cluster.close()


@dataclass(frozen=True, slots=True)
class Goal:
    """What shall run, as Serve is told and as it is recorded, and what has to be uploaded for it."""

    applications: tuple[Mapping[str, Any], ...]
    content: Content
    reason: str
    wanted: Wanted | None = None
    folder: Path | None = None
    anywhere: bool = False
    """Whether Serve may listen elsewhere than the settings say: what is only ended may."""


def change(session: Session, goal: Goal, arguments: argparse.Namespace) -> None:
    """Bring the cluster to the goal, unless it is there already or the operator does not want it."""
    if arguments.json and not (arguments.yes or arguments.plan):
        raise SettingsError("--json needs --plan or --yes: nobody can be asked")
    before = running(session.cluster, session.settings, anywhere=goal.anywhere)
    refuse_conflicts(goal.applications, before.others, session.settings.name)
    found = differences(goal.applications, before.ours)
    ailing = [f"{name} is {state}" for name, state in _not_running(before, [each.name for each in found]).items()]
    if is_same(found) and not ailing:
        _finish(session, found, arguments, "nothing to do: what runs is what is wanted")
        return
    if not arguments.json:
        _show(found, goal.wanted)
        if is_same(found):
            print(f"{', '.join(ailing)}: the same will be applied again")
    if arguments.plan:
        _finish(session, found, arguments, report.summary(found))
        return
    if not confirmed("Apply this?", yes=arguments.yes):
        raise RolloutError("nothing was changed")
    revision, answered = _apply(session, goal, before, arguments)
    told = f"revision {revision.number} runs" if goal.applications else f"nothing runs (revision {revision.number})"
    if goal.applications and answered.base_url is None:
        told += "; Serve says so, the APIs themselves cannot be reached from this machine"
    _finish(session, found, arguments, told, revision, session.settings.cluster().public_url or answered.base_url)


def _not_running(before: Running, names: list[str]) -> dict[str, str]:
    """Serve's word for each of these that it knows and that does not run."""
    known = {name: before.serving.applications[name].status for name in names if name in before.serving.applications}
    return {name: status for name, status in known.items() if status != "RUNNING"}


def _apply(session: Session, goal: Goal, before: Running, arguments: argparse.Namespace) -> tuple[Revision, Answered]:
    names = [str(each["name"]) for each in goal.applications]
    answers = [Answered(None)]

    def confirm_ready(_: object) -> None:
        if names:
            target = listening(before.serving, session.settings.cluster())
            answers.append(confirm(base_urls(target, session.cluster.nodes()), names))

    def prepare() -> None:
        if goal.wanted is not None:
            _send(session.registry, goal.wanted, goal.folder or packaged_models())

    with watching() as watch, _terminated_like_interrupted():
        rollout = Rollout(
            session.cluster,
            session.registry,
            session.settings,
            watch,
            arguments.timeout,
            operator(),
            anywhere=goal.anywhere,
        )
        revision = rollout.apply(
            goal.applications, goal.content, before, reason=goal.reason, prepare=prepare, confirm_ready=confirm_ready
        )
    return revision, answers[-1]


def _send(registry: Registry, wanted: Wanted, folder: Path) -> None:
    silent = not sys.stderr.isatty()
    with tqdm(total=size(wanted), desc="upload", unit="B", unit_scale=True, leave=False, disable=silent) as bar:

        def advance(count: int) -> None:
            bar.update(count)

        send(wanted, registry, folder, advance)


def _show(found: tuple[ApplicationDifference, ...], wanted: Wanted | None) -> None:
    console = Console()
    console.print(report.table(found))
    if wanted is not None:
        for line in report.uploads(wanted):
            console.print(line, highlight=False)


def _finish(
    session: Session,
    found: tuple[ApplicationDifference, ...],
    arguments: argparse.Namespace,
    told: str,
    revision: Revision | None = None,
    base_url: str | None = None,
) -> None:
    left = [each.name for each in found if each.kind is not Kind.REMOVED]
    urls = endpoints(base_url, left) if base_url else {}
    if arguments.json:
        answer = {
            "deployment": session.settings.name,
            "same": is_same(found),
            "applications": report.plain(found),
            "revision": revision.number if revision else None,
            "endpoints": urls,
        }
        print(json.dumps(answer, indent=2))
        return
    print(told)
    print(edge_settings(urls), end="")


@contextmanager
def _terminated_like_interrupted() -> Iterator[None]:
    """Let SIGTERM, and the end of the terminal (SIGHUP), put back what ran, as Ctrl-C does.

    Who starts the command with nohup has SIGHUP ignored: it stays so.
    """

    def interrupt(number: int, frame: FrameType | None) -> None:
        raise KeyboardInterrupt

    numbers = [signal.SIGTERM]
    if signal.getsignal(signal.SIGHUP) != signal.SIG_IGN:
        numbers.append(signal.SIGHUP)
    former = {number: signal.signal(number, interrupt) for number in numbers}
    try:
        yield
    finally:
        for number, handler in former.items():
            signal.signal(number, handler)


def _seconds(text: str) -> float:
    value = float(text)
    if not 1 <= value <= 86_400:
        raise argparse.ArgumentTypeError(f"{text} is not from 1 to 86400")
    return value
