"""Fuzzing one format: `python -m tools.faults.fuzz pictures --count 10000 --seed 7 --keep FOLDER`."""

from __future__ import annotations

import argparse
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

from tools.faults.fuzz.corpus import keep
from tools.faults.fuzz.format import FORMATS, format_named
from tools.faults.fuzz.mutate import Cases
from tools.faults.fuzz.watch import CASE_S, run_cases


def main(argv: Sequence[str] | None = None) -> int:
    """Print what became of the cases; 1 if one of them broke something."""
    parser = argparse.ArgumentParser(
        prog="python -m tools.faults.fuzz",
        description="Spoils intact inputs and gives them to the product, in a process that is watched for time, "
        "memory and life. The same seed gives the same cases.",
    )
    parser.add_argument("format", choices=FORMATS, help="what is spoiled")
    parser.add_argument("--count", type=int, default=1000, help="how many cases (default: 1,000)")
    parser.add_argument("--seed", type=int, default=1, help="of all chance (default: 1)")
    parser.add_argument("--case-s", type=float, default=CASE_S, help="a case that takes longer hangs (%(default)g s)")
    parser.add_argument("--keep", type=Path, metavar="FOLDER", help="write inputs that break something there")
    arguments = parser.parse_args(argv)
    with tempfile.TemporaryDirectory(prefix="fuzz-") as folder:
        figures = run_cases(arguments.format, arguments.count, arguments.seed, Path(folder), arguments.case_s)
    print(f"{arguments.format}: {figures}")
    if figures.broken and arguments.keep:
        kind = format_named(arguments.format)
        cases = Cases(kind.intact(), kind.mutations, arguments.seed)
        for number, what in figures.broken:
            print(f"kept {keep(arguments.keep, cases[number], what, text=kind.text)}", file=sys.stderr)
    return 0 if figures.good else 1
