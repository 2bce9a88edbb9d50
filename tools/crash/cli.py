"""The command: kills the device so many times and says what was lost."""

from __future__ import annotations

import argparse
import contextlib
import dataclasses
import json
import sys
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path

from rich.console import Console
from rich.table import Table

from tools.bench.device import RunError
from tools.bench.instant_apis import instant_apis
from tools.crash.device import LOST_S, Kill, live_and_die, moments
from tools.crash.film import write_film

PASSING_S, GAP_S = 2.0, 0.5


def parser() -> argparse.ArgumentParser:
    """The command line."""
    top = argparse.ArgumentParser(prog="python -m tools.crash", description=__doc__)
    top.add_argument("--kills", type=int, default=100, help="how often (default 100)")
    top.add_argument("--longest", type=float, default=8.0, metavar="SECONDS", help="longest life (default 8)")
    top.add_argument("--seed", type=int, default=1, help="the moments follow it (default 1)")
    top.add_argument("--folder", type=Path, metavar="DIR", help="keep reads and recordings there (default: temporary)")
    top.add_argument("--json", type=Path, metavar="FILE", help="write what was found after each kill there too")
    return top


def main(argv: Sequence[str] | None = None) -> int:
    """Kills and looks; 0 when nothing was lost that may not be, 1 otherwise."""
    args = parser().parse_args(argv)
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
