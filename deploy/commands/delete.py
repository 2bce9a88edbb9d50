"""`cloud-deploy delete`: end APIs."""

from __future__ import annotations

import argparse

from cloud_apis.names import Api
from deploy.commands.changing import Goal, add_options, change, opened
from deploy.errors import SettingsError
from deploy.revisions.revision import Content
from deploy.revisions.store import Revisions
from deploy.rollout.applying import running
from deploy.settings import DeploySettings, load_settings


def add_parser(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the subcommand with all its options."""
    it = commands.add_parser(
        "delete",
        help="end APIs",
        description="Ends the named APIs, or all of this deployment. Requests under way are answered. Models, code and "
        "revisions stay in the registry: `cloud-deploy rollback` brings the APIs back. Applications of others on the "
        "same cluster are left alone.",
    )
    add_options(it)
    it.add_argument("apis", nargs="*", metavar="API", help=f"{', '.join(Api)} (default: all that run)")
    it.set_defaults(run=_delete)


def _delete(arguments: argparse.Namespace) -> None:
    settings = load_settings(arguments.config)
    for name in arguments.apis:
        if name not in set(Api):
            raise SettingsError(f"there is no API {name!r}; there are {', '.join(Api)}")
    with opened(settings) as session:
        before = running(session.cluster, settings, anywhere=True)
        found = {str(each["name"]) for each in before.ours}
        if missing := [name for name in arguments.apis if name not in found]:
            raise SettingsError(
                f"{', '.join(missing)} does not run; what runs: {', '.join(sorted(found)) or 'nothing'}"
            )
        ended = set(arguments.apis) or found
        left = tuple(each for each in before.ours if str(each["name"]) not in ended)
        content = _left_of(Revisions(session.registry.objects, settings.name), settings, {str(e["name"]) for e in left})
        goal = Goal(left, content, f"delete {', '.join(sorted(ended))}".rstrip(), anywhere=True)
        change(session, goal, arguments)


def _left_of(revisions: Revisions, settings: DeploySettings, names: set[str]) -> Content:
    """The last revision's content without what is ended."""
    last = next(revisions.newest_first(), None)
    if last is None:
        return Content({}, {}, None, settings.api_key)
    apis = {api: chosen for api, chosen in last.content.apis.items() if api.value in names}
    return Content(apis, last.content.models, last.content.code, last.content.api_key)
