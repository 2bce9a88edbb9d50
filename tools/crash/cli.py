"""Kills the device, or a part of it, at random moments (kill -9) and says what was lost."""

from __future__ import annotations

import argparse
import contextlib
import dataclasses
import json
import sys
import tempfile
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

from rich.console import Console
from rich.table import Table

from tools.bench.device import RunError
from tools.bench.instant_apis import instant_apis
from tools.crash.device import LOST_S, Kill, live_and_die, moments
from tools.crash.film import write_film
from tools.crash.reads import Life, kill_often

PASSING_S, GAP_S = 2.0, 0.5
_EPILOG = "Exit status 1 says that something was lost that may not be. More: python -m tools.crash COMMAND --help"


def parser() -> argparse.ArgumentParser:
    """The command line."""
    top = argparse.ArgumentParser(prog="python -m tools.crash", description=__doc__, epilog=_EPILOG)
    commands = top.add_subparsers(metavar="COMMAND", required=True)
    device = _command(commands, "device", "kill the whole device: reads and recordings", 8.0, kill_device)
    device.add_argument(
        "--folder", type=Path, metavar="DIR", help="keep reads and recordings there (default: temporary)"
    )
    device.add_argument("--json", type=Path, metavar="FILE", help="write what was found after each kill there too")
    _command(commands, "reads", "kill a process that only saves reads, as fast as it can", 1.0, kill_list)
    return top


def main(argv: Sequence[str] | None = None) -> int:
    """Kills and looks; 0 when nothing was lost that may not be, 1 otherwise."""
    args = parser().parse_args(argv)
    code: int = args.function(args)
    return code


def kill_device(args: argparse.Namespace) -> int:
    """The whole device, many times, on one disk."""
    found: list[Kill] = []
    try:
        with _folder(args.folder) as folder, instant_apis(PASSING_S, GAP_S) as port:
            film = write_film(folder / "film.mp4", args.longest + 10.0)
            for number, lives_s in enumerate(moments(args.kills, args.seed, args.longest), start=1):
                kill = live_and_die(film, folder, port, lives_s)
                found.append(kill)
                print(f"{number:4}  {_line(kill)}", flush=True)
    except (RunError, OSError) as error:
        print(f"crash: error: {error}", file=sys.stderr)
        return 1
    if args.json is not None:
        args.json.write_text(json.dumps([dataclasses.asdict(k) for k in found], indent=2) + "\n", encoding="utf-8")
    Console(highlight=False).print(summary(found))
    return int(not found or not all(k.good for k in found))


def kill_list(args: argparse.Namespace) -> int:
    """What saves reads, many times, on one file."""
    lives: list[Life] = []
    with _folder(None) as folder:
        for number, life in enumerate(
            kill_often(folder / "reads.db", moments(args.kills, args.seed, args.longest)), start=1
        ):
            lives.append(life)
            print(f"{number:4}  lived {life.lived_s:5.2f} s, {life.reported} reads reported so far", flush=True)
    last = lives[-1] if lives else Life(0.0, 0, sound=True, missing=(), doubled=())
    table = Table(title=f"{len(lives)} kills of what saves reads", title_justify="left", show_header=False)
    for name, value in (
        ("file of the reads intact", f"{sum(life.sound for life in lives)} of {len(lives)}"),
        ("reads reported as written", str(last.reported)),
        ("of these missing", str(len(last.missing))),
        ("there more than once", str(len(last.doubled))),
    ):
        table.add_row(name, value)
    Console(highlight=False).print(table)
    return int(not lives or not all(life.good for life in lives))


def _command(
    commands: argparse._SubParsersAction[argparse.ArgumentParser],
    name: str,
    what: str,
    longest_s: float,
    function: Callable[[argparse.Namespace], int],
) -> argparse.ArgumentParser:
    """A subcommand with the options that all have."""
    command = commands.add_parser(name, help=what, description=f"{what.capitalize()}.")
    add = command.add_argument
    add("--kills", type=_count, default=100, metavar="N", help="how often (default 100)")
    add("--longest", type=float, default=longest_s, metavar="SECONDS", help=f"longest life (default {longest_s:g})")
    add("--seed", type=int, default=1, help="the moments follow it (default 1)")
    command.set_defaults(function=function)
    return command


def _count(text: str) -> int:
    number = int(text)
    if number < 1:
        raise argparse.ArgumentTypeError("at least 1")
    return number


def summary(found: Sequence[Kill]) -> Table:
    """The figures of all kills."""
    table = Table(title=f"{len(found)} kills of the whole device on one disk", title_justify="left", show_header=False)
    cut = sorted(k.lost_s for k in found if k.lost_s is not None)
    for name, value in (
        ("file of the reads intact", f"{sum(k.sound for k in found)} of {len(found)}"),
        ("reads reported as written", str(sum(k.reported for k in found))),
        ("of these missing", str(sum(len(k.missing) for k in found))),
        ("there more than once", str(sum(len(k.doubled) for k in found))),
        ("lives with a recording", f"{len(cut)}, in {sum(k.recorded for k in found)} it was reported"),
        ("recording lost before the kill", f"median {cut[len(cut) // 2]:.2f} s, most {cut[-1]:.2f} s" if cut else "-"),
        ("pace of the film", f"median {sorted(k.pace for k in found)[len(found) // 2]:.2f}" if found else "-"),
        (f"more than {LOST_S:g} s lost, or all of it", str(sum(_cut_badly(k) for k in found))),
    ):
        table.add_row(name, value)
    return table


def _cut_badly(kill: Kill) -> bool:
    return kill.lost_s > LOST_S if kill.lost_s is not None else kill.recorded


def _line(kill: Kill) -> str:
    lost = "nothing recorded yet" if kill.lost_s is None else f"{kill.lost_s:.2f} s of the recording lost"
    verdict = "" if kill.good else "  <-- wrong"
    return (
        f"lived {kill.lived_s:5.2f} s, {kill.reported:2} reads reported, {len(kill.missing)} missing, {lost}{verdict}"
    )


@contextlib.contextmanager
def _folder(named: Path | None) -> Iterator[Path]:
    if named is not None:
        named.mkdir(parents=True, exist_ok=True)
        yield named
        return
    with tempfile.TemporaryDirectory(prefix="crash-") as folder:
        yield Path(folder)
