"""The command: a drive of some minutes in real time, through a gap in the network, with its report."""

from __future__ import annotations

import argparse
import contextlib
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

from rich.console import Console

from tools.bench.device import RunError, running_apis
from tools.bench.instant_apis import instant_apis
from tools.drive.driving import ROUND_TRIP_S, DrivePlan, drive
from tools.drive.film import rendered, scenes
from tools.drive.gap import Gap
from tools.drive.plot import plot
from tools.drive.report import table, write_report


def parser() -> argparse.ArgumentParser:
    """The command line."""
    top = argparse.ArgumentParser(prog="python -m tools.drive", description=__doc__)
    add = top.add_argument
    add("--minutes", type=float, default=10.0, help="length of the drive (default 10)")
    add("--gap", type=_gap, metavar="START:END", help="no network between these seconds of the film (default 40-50 %%)")
    add("--no-gap", action="store_true", help="a drive with a network all the way")
    add("--refuse", action="store_true", help="connections are refused in the gap; otherwise they hang, as in a tunnel")
    add("--report", type=Path, default=Path("drive"), metavar="DIR", help="where everything goes (default drive)")
    add("--films", type=Path, metavar="DIR", help="where the rendered scenes are kept (default DIR/films)")
    add("--scenes", type=Path, nargs="+", metavar="DIR", help="rendered scenes (of tools.demo) instead of new ones")
    add("--seeds", type=int, nargs="+", default=(7, 8, 9, 10), metavar="N", help="the scenes, shown in turn")
    add("--scene-seconds", type=float, default=20.0, help="length of each scene (default 20)")
    add("--round-trip-ms", type=float, default=ROUND_TRIP_S * 1000, help="distance of the APIs (default 50)")
    add("--mbit", type=float, help="width of the road to the APIs, Mbit/s (default: unlimited)")
    add("--apis-config", type=Path, metavar="FILE", help="settings of the APIs")
    add(
        "--instant-apis",
        action="store_true",
        help="APIs without models, to look at the device alone; reads are made up",
    )
    return top


def main(argv: Sequence[str] | None = None) -> int:
    """Drives; 0 when every target was reached, 1 when one was missed or the drive failed, 2 for a wrong call."""
    top = parser()
    args = top.parse_args(argv)
    seconds = args.minutes * 60
    gap = None if args.no_gap else args.gap or Gap(0.4 * seconds, 0.5 * seconds)
    if seconds <= 0 or (gap is not None and gap.end_s >= seconds):
        top.error("the gap has to end before the drive does")
    folder: Path = args.report
    try:
        prepare(folder)
        films = args.films or folder / "films"
        played = scenes(args.scenes) if args.scenes else rendered(films, args.seeds, args.scene_seconds)
        plan = DrivePlan(
            played,
            seconds,
            gap,
            round_trip_s=args.round_trip_ms / 1000,
            rate_bps=args.mbit * 1e6 if args.mbit else None,
            refuse=args.refuse,
        )
        outcome = drive(plan, folder, instant_apis if args.instant_apis else lambda: _apis(args.apis_config))
        found = write_report(outcome, folder)
        shut, opened = outcome.shut_at, outcome.opened_at
        with contextlib.suppress(ModuleNotFoundError):  # matplotlib is of the extra `bench`
            plot(outcome.samples, (shut.at_s, opened.at_s) if shut and opened else None, folder / "report.svg")
    except (RunError, OSError, ValueError) as error:
        print(f"drive: error: {error}", file=sys.stderr)
        return 1
    Console(highlight=False, width=None if sys.stdout.isatty() else 140).print(table(found))
    print(f"{folder / 'report.txt'}, report.json, samples.json, report.svg; recordings and reads are beside them")
    return int(any(figure.reached is False for figure in found))


def prepare(folder: Path) -> None:
    """Makes the folder, and removes what an earlier drive left there. Raises OSError."""
    folder.mkdir(parents=True, exist_ok=True)
    for pattern in ("reads.db*", "recordings/*", "spool/*", "report.*", "samples.json", "summary.json"):
        for path in folder.glob(pattern):
            if path.is_file():
                path.unlink()


@contextlib.contextmanager
def _apis(config: Path | None) -> Iterator[int]:
    with running_apis(config) as apis:
        yield apis.port


def _gap(text: str) -> Gap:
    try:
        return Gap.parse(text)
    except ValueError as error:
        raise argparse.ArgumentTypeError(str(error)) from None
