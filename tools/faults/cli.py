"""The command line of the faults."""

from __future__ import annotations

import argparse
import json
import logging
import os
import sys
from collections.abc import Iterator, Sequence
from dataclasses import asdict
from pathlib import Path

from rich.console import Console
from rich.table import Table

from deploy.errors import ClusterError
from tools.cluster.errors import LocalClusterError
from tools.cluster.s3 import ANYBODY
from tools.cluster.trial import TrialCluster, trial_cluster
from tools.faults import serving
from tools.faults.serving import Row
from tools.faults.storage import storage_faults

_SCENARIOS = {
    "overload": serving.overload,
    "update": serving.update,
    "hash": serving.wrong_hash,
    "room": serving.no_room,
    "replica": serving.replica_killed,
    "worker": serving.worker_lost,
    "head": serving.head_lost,
}
_S3 = "s3"


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command; the exit code is 0 when all was reached, 1 when not, 2 for wrong usage."""
    parser = argparse.ArgumentParser(prog="python -m tools.faults", description="Breaks things and shows what happens.")
    commands = parser.add_subparsers(dest="command", required=True)
    cloud = commands.add_parser(
        "cloud",
        help="a cluster and its S3",
        description="Starts a cluster of two nodes with Redis and an S3 server on this machine (which takes root, for "
        "network namespaces), breaks one thing after the other while clients ask, and prints a table. Takes minutes.",
    )
    known = (*_SCENARIOS, _S3)
    cloud.add_argument("faults", nargs="*", metavar="FAULT", help=f"only these: {', '.join(known)} (default: all)")
    cloud.add_argument("--json", type=Path, metavar="FILE", help="write the figures there, too")
    arguments = parser.parse_args(argv)
    if unknown := set(arguments.faults) - set(known):
        parser.error(f"there is no fault {', '.join(sorted(unknown))}; there are {', '.join(known)}")
    logging.getLogger("werkzeug").setLevel(logging.WARNING)
    for name, value in zip(("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"), ANYBODY, strict=True):
        os.environ[name] = value  # of the local S3 server, for boto3 in this process
    try:
        with trial_cluster() as cluster:
            rows = list(_rows(cluster, arguments.faults or known))
    except (LocalClusterError, ClusterError) as error:
        print(f"tools.faults: error: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 130
    _show(rows)
    if arguments.json:
        arguments.json.write_text(json.dumps([asdict(row) for row in rows], indent=2) + "\n", encoding="utf-8")
    return 0 if all(row.reached for row in rows) else 1


def _rows(cluster: TrialCluster, chosen: Sequence[str]) -> Iterator[Row]:
    for name in chosen:
        print(f"{name}…", file=sys.stderr, flush=True)
        found = storage_faults(cluster) if name == _S3 else iter((_SCENARIOS[name](cluster),))
        for row in found:
            print(f"  {row.fault}: {row.result}", file=sys.stderr, flush=True)
            yield row


def _show(rows: Sequence[Row]) -> None:
    table = Table("fault", "what came of it", "asked for", "reached", highlight=False)
    for row in rows:
        table.add_row(row.fault, row.result, row.target, "yes" if row.reached else "no")
    Console().print(table)
