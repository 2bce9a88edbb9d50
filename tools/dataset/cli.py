"""`python -m tools.dataset`: a catalogue of listing photos becomes a data set, step by step.

The steps are repair, filter, crop, merge and split, in this order; filter and crop may be left out. Each writes into
the manifest (WORK/manifest.sqlite) what it did with every file and why. A step that was cut off goes on when it is run
again. Originals are never deleted or changed: with --quarantine, what a step sorts out is moved to
WORK/quarantine/STEP, and `restore` moves it back.

    python -m tools.dataset repair PICTURES --work WORK --dry-run     # what would go, and why
    python -m tools.dataset repair PICTURES --work WORK --quarantine
    python -m tools.dataset filter --work WORK
    python -m tools.dataset crop --work WORK
    python -m tools.dataset merge --work WORK --table classes.csv
    python -m tools.dataset split --work WORK --output SET --place link
    python -m tools.dataset stats --work WORK
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from tools.dataset import commands
from tools.dataset.errors import DatasetError, UsageError
from tools.dataset.filtering import SCORERS, THRESHOLD
from tools.dataset.layout import DEFAULT
from tools.dataset.manifest import STEPS


def parser() -> argparse.ArgumentParser:
    """The command line."""
    top = argparse.ArgumentParser(
        prog="python -m tools.dataset", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    steps = top.add_subparsers(dest="command", required=True, metavar="STEP")
    _repair(_step(steps, "repair", "find broken, empty, one-coloured, small and duplicate pictures", moves=True))
    _filter(_step(steps, "filter", "keep pictures that show a whole car from outside", moves=True))
    _crop(_step(steps, "crop", "cut out the largest car or truck", moves=True))
    _merge(_step(steps, "merge", "give classes: years of a model together, by a table"))
    _split(_step(steps, "split", "train, val and test by listing"))
    stats = steps.add_parser("stats", help="tables and plots of what there is")
    _work(stats)
    stats.add_argument("--output", type=Path, metavar="DIR", help="where stats.json and stats.png go (default WORK)")
    stats.add_argument("--dry-run", action="store_true", help="tell alone, write no stats.json and stats.png")
    _spread(stats)
    stats.set_defaults(run=commands.stats)
    export = steps.add_parser("export", help="the manifest as a CSV: every file, what was done with it, and why")
    _work(export)
    export.add_argument("--output", type=Path, metavar="FILE", help="default: WORK/manifest.csv")
    export.set_defaults(run=commands.export)
    restore = steps.add_parser("restore", help="move back what a step has moved into quarantine")
    _work(restore)
    restore.add_argument("--step", choices=STEPS, required=True)
    restore.set_defaults(run=commands.restore)
    prove = steps.add_parser("prove", help="a made-up catalogue with planted faults: are all found, and none lost?")
    prove.add_argument(
        "--files", type=int, default=100_000, metavar="N", help="least number of files (default 100,000)"
    )
    prove.add_argument("--folder", type=Path, metavar="DIR", help="where it goes, and stays (default: a temporary one)")
    prove.add_argument("--seed", type=int, default=7)
    prove.add_argument("--no-kill", action="store_true", help="do not kill the step in the middle, to see it go on")
    _spread(prove)
    prove.set_defaults(run=commands.prove)
    return top


def main(argv: Sequence[str] | None = None) -> int:
    """Runs a command: 0 done, 1 failed, 2 wrong usage."""
    args = parser().parse_args(argv)
    try:
        if getattr(args, "processes", 0) < 0:  # told before --again forgets anything
            raise UsageError(f"--processes is a number of processes, 0 for one a core, not {args.processes}")
        return int(args.run(args))
    except UsageError as error:
        print(f"dataset: error: {error}", file=sys.stderr)
        return 2
    except (DatasetError, OSError) as error:
        print(f"dataset: error: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("dataset: stopped; the same command goes on where it ended", file=sys.stderr)
        return 1


def _work(command: argparse.ArgumentParser) -> None:
    command.add_argument("--work", type=Path, required=True, metavar="WORK", help="folder of the manifest")


def _step(
    steps: argparse._SubParsersAction[argparse.ArgumentParser], name: str, what: str, moves: bool = False
) -> argparse.ArgumentParser:
    command = steps.add_parser(name, help=what, description=what)
    _work(command)
    command.add_argument("--dry-run", action="store_true", help="do everything but write: tell what would be done")
    command.add_argument("--again", action="store_true", help="forget what this step and later ones did, do it anew")
    if moves:
        command.add_argument("--quarantine", action="store_true", help="move what goes out to WORK/quarantine/STEP")
    _spread(command)
    command.set_defaults(run=getattr(commands, name if name != "filter" else "filter_"))
    return command


def _spread(command: argparse.ArgumentParser) -> None:
    command.add_argument("--processes", type=int, default=0, metavar="N", help="on this machine (default: one a core)")
    command.add_argument(
        "--ray",
        metavar="ADDRESS",
        help="work on a Ray cluster: its address (ray://HOST:10001, HOST:6379, auto) or local; the machines need the "
        "pictures, and where files are written --output, under the same path; steps on the manifest alone say so",
    )


def _repair(command: argparse.ArgumentParser) -> None:
    add = command.add_argument
    add("pictures", type=Path, metavar="PICTURES", help="folder of the catalogue")
    add("--layout", default=DEFAULT, help="what the path of a picture tells (default %(default)s)")
    add("--least-px", type=int, default=32, metavar="N", help="shorter sides are too small (default 32)")
    add("--exact", action="store_true", help="duplicates byte for byte only, not pictures that look alike")


def _filter(command: argparse.ArgumentParser) -> None:
    add = command.add_argument
    add("--threshold", type=float, default=THRESHOLD, help="least probability of a car (default %(default)s)")
    what = "vehicles: the detector; plain: edges and colours; auto (default): the detector where it can be used"
    add("--scorer", choices=("auto", *SCORERS), default="auto", help=what)
    add("--fit", type=Path, metavar="FILE", help="own weights, of `python -m tools.dataset.scoring`")
    add("--models", type=Path, metavar="DIR", help="folder of the models (default: the shipped ones)")


def _crop(command: argparse.ArgumentParser) -> None:
    add = command.add_argument
    add("--output", type=Path, metavar="DIR", help="where the crops go (default WORK/crops)")
    add("--boxes", type=Path, metavar="FILE", help="a COCO file that has the boxes (default: the detector finds them)")
    add("--margin", type=float, default=0.05, help="widening on each side, part of the box (default %(default)s)")
    add("--least-px", type=int, default=64, metavar="N", help="smaller crops go out (default 64)")
    add("--models", type=Path, metavar="DIR", help="folder of the models (default: the shipped ones)")


def _merge(command: argparse.ArgumentParser) -> None:
    add = command.add_argument
    add("--table", type=Path, metavar="FILE", help="CSV or YAML: make, model, years, class; an empty class leaves out")
    add("--only-table", action="store_true", help="leave out what the table does not name")


def _split(command: argparse.ArgumentParser) -> None:
    add = command.add_argument
    add("--shares", default="70/15/15", help="train/val/test in percent (default %(default)s)")
    add("--least", type=int, default=100, metavar="N", help="classes with fewer pictures are left out (default 100)")
    add("--seed", type=int, default=7)
    add("--output", type=Path, metavar="DIR", help="where train.csv, val.csv, test.csv go (default WORK/split)")
    add("--place", choices=("list", "link", "copy"), default="list", help="also folders of hard links or copies")
