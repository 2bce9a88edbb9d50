"""`cloud-deploy logs`: what the replicas wrote."""

from __future__ import annotations

import argparse
import queue
import threading
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from cloud_apis.names import Api
from deploy.cluster_api.client import ClusterApi
from deploy.cluster_api.state import Replica
from deploy.commands.changing import opened
from deploy.errors import ClusterError, MissingError, SettingsError
from deploy.rollout.ownership import is_ours
from deploy.settings import load_settings

_LINES = 100


@dataclass(frozen=True, slots=True)
class _Source:
    """One replica's log file."""

    prefix: str
    node_id: str
    file: str


def add_parser(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the subcommand with all its options."""
    it = commands.add_parser(
        "logs",
        help="what the replicas wrote",
        description="The last lines of the log of each replica, each line with API and replica before it. Requests, "
        "keys and pictures are never in it.",
    )
    it.add_argument("api", nargs="?", metavar="API", help=f"{', '.join(Api)} (default: all that run)")
    it.add_argument("--config", type=Path, metavar="FILE", help="settings file (default: the shipped one)")
    it.add_argument("--replica", metavar="ID", help="only this one; the beginning of its id will do")
    it.add_argument("--lines", type=int, default=_LINES, help="how many lines of each (default: %(default)s)")
    it.add_argument("--follow", action="store_true", help="go on with new lines until Ctrl-C")
    it.set_defaults(run=_logs)


def _logs(arguments: argparse.Namespace) -> None:
    if arguments.api is not None and arguments.api not in set(Api):
        raise SettingsError(f"there is no API {arguments.api!r}; there are {', '.join(Api)}")
    with opened(load_settings(arguments.config)) as session:
        sources = _sources(session.cluster, session.settings.name, arguments.api, arguments.replica)
        if arguments.follow:
            _follow(session.cluster, sources, arguments.lines)
            return
        for source in sources:
            for line in session.cluster.log(source.node_id, source.file, lines=arguments.lines):
                print(f"{source.prefix} {line}")


def _sources(cluster: ClusterApi, deployment: str, api: str | None, replica_id: str | None) -> list[_Source]:
    found = [
        (name, replica)
        for name, app in sorted(cluster.serving().applications.items())
        if is_ours(app.described, deployment) and api in (None, name)
        for replica in app.replicas
    ]
    chosen = [_Source(f"{name} {replica.replica_id}", replica.node_id, replica.log_file)
              for name, replica in found
              if _matches(replica, replica_id) and replica.node_id and replica.log_file]  # fmt: skip
    if not chosen:
        known = ", ".join(replica.replica_id for _, replica in found) or "none"
        raise MissingError(f"no such replica runs{f' of {api}' if api else ''}; there are: {known}")
    return chosen


def _matches(replica: Replica, replica_id: str | None) -> bool:
    return replica_id is None or replica.replica_id.startswith(replica_id)


def _follow(cluster: ClusterApi, sources: Sequence[_Source], lines: int) -> None:
    """Print the lines of all sources as they come, until the last of them ends or Ctrl-C."""
    ready: queue.SimpleQueue[str | None] = queue.SimpleQueue()

    def read(source: _Source) -> None:
        try:
            for line in cluster.log(source.node_id, source.file, lines=lines, follow=True):
                ready.put(f"{source.prefix} {line}")
        except ClusterError as error:
            ready.put(f"{source.prefix} (ends: {error})")
        finally:
            ready.put(None)

    for source in sources:
        threading.Thread(target=read, args=(source,), daemon=True).start()
    left = len(sources)
    while left:
        line = ready.get()
        if line is None:
            left -= 1
        else:
            print(line, flush=True)
