"""`cloud-deploy status`: what runs, how busy it is, and where it answers."""

from __future__ import annotations

import argparse
import json
import sys
import time
from pathlib import Path

from rich.console import Console
from rich.live import Live

from deploy.commands.changing import Session, opened
from deploy.errors import RegistryError, SettingsError
from deploy.revisions.revision import Revision
from deploy.revisions.store import Revisions
from deploy.rollout.applying import listening, running
from deploy.rollout.difference import differences, is_same
from deploy.rollout.endpoints import edge_settings, endpoints
from deploy.rollout.ownership import is_ours
from deploy.rollout.readiness import base_urls
from deploy.rollout.wanted import from_revision
from deploy.settings import load_settings
from deploy.status.picture import Picture, picture, plain
from deploy.status.sampling import PERIOD_S, Sample, sample
from deploy.status.tables import tables


def add_parser(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the subcommand with all its options."""
    it = commands.add_parser(
        "status",
        help="what runs, how busy it is, and where it answers",
        description="Replicas, nodes, requests a second, their times, errors and GPUs, the revision that runs, and the "
        f"endpoints as lines for config/edge.yaml. Rates are over {PERIOD_S:g} s, since the nodes count in such steps; "
        "--quick leaves them out. Predictions are counted, health checks are not.",
    )
    it.add_argument("--config", type=Path, metavar="FILE", help="settings file (default: the shipped one)")
    it.add_argument("--watch", action="store_true", help="go on until Ctrl-C")
    it.add_argument("--quick", action="store_true", help="no rates, no waiting")
    it.add_argument("--json", action="store_true", help="for programs; with --watch one object a line")
    it.set_defaults(run=_status)


def _status(arguments: argparse.Namespace) -> None:
    if arguments.watch and arguments.quick:
        raise SettingsError("--watch and --quick exclude each other")
    settings = load_settings(arguments.config)
    with opened(settings) as session:
        before = sample(session.cluster)
        if arguments.watch:
            _watch(session, before, as_json=arguments.json)
            return
        after = before
        if not arguments.quick and before.counted and before.serving.applications:
            if sys.stderr.isatty():
                print(f"measuring for {PERIOD_S:g} s…", end="\r", file=sys.stderr, flush=True)
            after = _later(session, before)
        shown = _picture(session, before, after)
        urls = _endpoints(session, after)
        if arguments.json:
            print(json.dumps(plain(shown, urls), indent=2))
        else:
            Console(highlight=False).print(tables(shown, edge_settings(urls)))


def _watch(session: Session, before: Sample, *, as_json: bool) -> None:
    with Live(console=Console(highlight=False), auto_refresh=False, screen=False) as live:
        after = before
        while True:
            shown, urls = _picture(session, before, after), _endpoints(session, after)
            if as_json:
                print(json.dumps(plain(shown, urls)), flush=True)
            else:
                live.update(tables(shown, edge_settings(urls)), refresh=True)
            before, after = after, _later(session, after)


def _later(session: Session, before: Sample) -> Sample:
    time.sleep(max(0.0, PERIOD_S - (time.monotonic() - before.at_s)))
    return sample(session.cluster)


def _picture(session: Session, before: Sample, after: Sample) -> Picture:
    try:
        revision = next(Revisions(session.registry.objects, session.settings.name).newest_first(), None)
    except RegistryError as error:  # the cluster can be looked at without it
        print(f"cloud-deploy: the revision is not known: {error}", file=sys.stderr)
        revision = None
    return picture(session.settings.name, revision, _is_what_runs(session, revision), before, after)


def _is_what_runs(session: Session, revision: Revision | None) -> bool:
    """Whether a revision describes what runs; the key, which may have been exchanged since, aside."""
    if revision is None:
        return False
    ours = [_without_key(each) for each in running(session.cluster, session.settings, anywhere=True).ours]
    if not revision.content.apis:
        return not ours
    wanted = from_revision(revision, session.settings.model_copy(update={"api_key": None}))
    return is_same(differences([_without_key(each) for each in wanted.applications({})], ours))


def _without_key(described: object) -> dict[str, object]:
    each = dict(described)  # type: ignore[call-overload]
    return {**each, "args": {**each["args"], "key": None}}


def _endpoints(session: Session, after: Sample) -> dict[str, str]:
    applications = after.serving.applications
    names = [name for name in sorted(applications) if is_ours(applications[name].described, session.settings.name)]
    target = listening(after.serving, session.settings.cluster())
    return endpoints(target.public_url or base_urls(target, after.nodes)[0], names)
