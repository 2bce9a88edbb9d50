"""The command line of the faults."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path

from deploy.errors import ClusterError
from tools.cluster.errors import LocalClusterError
from tools.faults.cloud.command import FAULTS, cloud_rows
from tools.faults.proxy.command import add_proxy
from tools.faults.row import Row, all_kept, show, write
from tools.faults.running import run_trials
from tools.faults.trials import TRIALS


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command; the exit code is 0 when all promises were kept, 1 when not, 2 for wrong usage."""
    arguments = _parser().parse_args(argv)
    function: Callable[[argparse.Namespace], int] = arguments.function
    try:
        return function(arguments)
    except (LocalClusterError, ClusterError, OSError) as error:
        print(f"tools.faults: error: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 130


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m tools.faults", description="Breaks things and shows what happens.")
    commands = parser.add_subparsers(dest="command", required=True)
    run = commands.add_parser(
        "run",
        help="the device and the APIs, on this machine alone",
        description="Tries to break the dashcam and the APIs, prints one table: fault, what was promised, what was "
        "measured. Trials: " + "; ".join(f"{trial.name}: {trial.about}" for trial in TRIALS) + ".",
    )
    names = [trial.name for trial in TRIALS]
    run.add_argument("trials", nargs="*", type=_one_of(names), metavar="TRIAL", help="only these (default: all)")
    run.add_argument("--short", action="store_true", help="fewer cases and no long runs: minutes instead of an hour")
    run.add_argument(
        "--part",
        type=_part,
        default=1.0,
        metavar="SHARE",
        help="so much of the whole's counts and times, such as 0.1 (default: 1)",
    )
    run.add_argument("--seed", type=int, default=1, metavar="N", help="of all chance (default: 1)")
    run.set_defaults(function=_run)
    cloud = commands.add_parser(
        "cloud",
        help="a cluster and its S3",
        description="Starts a cluster of two nodes with Redis and an S3 server on this machine (which takes root, for "
        "network namespaces), breaks one thing after the other while clients ask, and prints a table. Takes minutes.",
    )
    cloud.add_argument(
        "faults",
        nargs="*",
        type=_one_of(FAULTS),
        metavar="FAULT",
        help=f"only these: {', '.join(FAULTS)} (default: all)",
    )
    cloud.set_defaults(function=_cloud)
    add_proxy(commands)
    for command in (run, cloud):
        command.add_argument("--json", type=Path, metavar="FILE", help="write the table there, too")
    return parser


def _one_of(known: Sequence[str]) -> Callable[[str], str]:
    """What argparse takes for one of the known names (its own choices refuse an empty list)."""

    def name(text: str) -> str:
        if text not in known:
            raise argparse.ArgumentTypeError(f"there is no {text}; there are {', '.join(known)}")
        return text

    return name


def _part(text: str) -> float:
    share = float(text)
    if not 0 < share <= 1:
        raise argparse.ArgumentTypeError("more than 0 and at most 1")
    return share


def _run(arguments: argparse.Namespace) -> int:
    chosen = [
        trial
        for trial in TRIALS
        if (trial.name in arguments.trials if arguments.trials else trial.in_short or not arguments.short)
    ]
    found = run_trials(chosen, arguments.short, arguments.seed, part=arguments.part)
    return _told((row for _, row in found), arguments.json)


def _cloud(arguments: argparse.Namespace) -> int:
    return _told(cloud_rows(arguments.faults or FAULTS), arguments.json)


def _told(found: Iterable[Row], file: Path | None) -> int:
    rows = []
    for row in found:
        print(f"{row.verdict}  {row.fault}: {row.measured}", file=sys.stderr, flush=True)
        rows.append(row)
    show(rows)
    if file:
        write(rows, file)
    return 0 if all_kept(rows) else 1
