"""`cloud-deploy rollback`: back to a revision; without a number, list or take the one before."""

from __future__ import annotations

import argparse
import json

from rich.console import Console
from rich.table import Table

from deploy.commands.changing import Goal, add_options, change, opened
from deploy.errors import MissingError
from deploy.revisions.revision import Revision
from deploy.revisions.store import Revisions
from deploy.rollout.connection import open_registry
from deploy.rollout.wanted import from_revision
from deploy.settings import load_settings

_LISTED = 50


def add_parser(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the subcommand with all its options."""
    it = commands.add_parser(
        "rollback",
        help="apply an earlier revision again",
        description="Applies APIs, models (by digest) and code of an earlier revision as a new one. Registry, target "
        "and key are those of the settings file. Without a number it is the newest that differs from the last; twice "
        "in a row leads back again.",
    )
    add_options(it)
    it.add_argument("revision", nargs="?", type=int, metavar="REV", help="number of the revision")
    it.add_argument("--list", action="store_true", help=f"show the last {_LISTED} revisions and change nothing")
    it.set_defaults(run=_rollback)


def _rollback(arguments: argparse.Namespace) -> None:
    settings = load_settings(arguments.config)
    if arguments.list:
        _list(Revisions(open_registry(settings).objects, settings.name), arguments.json)
        return
    with opened(settings) as session:
        revisions = Revisions(session.registry.objects, settings.name)
        chosen = _former(revisions) if arguments.revision is None else revisions.read(arguments.revision)
        if not chosen.content.apis:
            raise MissingError(f"revision {chosen.number} is a deletion: nothing runs in it")
        wanted = from_revision(chosen, settings)
        goal = Goal(wanted.applications(), wanted.content, f"rollback to {chosen.number}", wanted)
        change(session, goal, arguments)


def _former(revisions: Revisions) -> Revision:
    """The newest revision whose content differs from the last one's, and in which something runs."""
    newest = None
    for revision in revisions.newest_first():
        newest = newest or revision
        if revision.content.apis and revision.content != newest.content:
            return revision
    raise MissingError("there is no earlier revision that differs from the last")


def _list(revisions: Revisions, as_json: bool) -> None:
    found = [revisions.read(number) for number in revisions.numbers()[-_LISTED:]]
    if as_json:
        print(json.dumps([json.loads(revision.to_bytes()) for revision in found], indent=2))
        return
    table = Table("revision", "applied (UTC)", "by", "why", "APIs", "code", highlight=False)
    for one in found:
        table.add_row(
            str(one.number),
            f"{one.applied:%Y-%m-%d %H:%M:%S}",
            one.by,
            one.reason,
            ", ".join(one.content.apis) or "none",
            f"{one.content.code[:12]}…" if one.content.code else "installed",
        )
    Console().print(table)
