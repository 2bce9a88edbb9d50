"""The demo's two commands: render a drive, and score what was read of it."""

from __future__ import annotations

import argparse
import os
import re
import sys
from collections.abc import Sequence
from pathlib import Path

from rich.console import Console
from tqdm import tqdm


def main(argv: Sequence[str] | None = None) -> int:
    """Runs the command; 0 when all went well, 1 when it failed, 2 for a wrong call."""
    arguments = _parser().parse_args(argv)
    try:
        return int(arguments.command(arguments))
    except (OSError, ValueError, ModuleNotFoundError) as error:
        print(f"demo: error: {error}", file=sys.stderr)
        return 1


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m tools.demo", description="A rendered drive with its truth.")
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    render = commands.add_parser("render", help="write drive.mp4, route.nmea, truth.json and truth.csv")
    render.add_argument("--out", type=Path, required=True, metavar="DIR", help="the folder to write into")
    render.add_argument("--seconds", type=_positive, default=20.0, help="length of the drive (default 20)")
    render.add_argument("--fps", type=_positive, default=30.0, help="frames a second (default 30)")
    render.add_argument("--size", type=_size, default=(1280, 720), metavar="WxH", help="frame size (default 1280x720)")
    render.add_argument("--seed", type=int, default=7, help="everything random follows it (default 7)")
    render.add_argument("--workers", type=int, default=os.cpu_count() or 1, help="threads (default: one per core)")
    render.set_defaults(command=_render)
    score = commands.add_parser("score", help="state how many of the plates were read")
    score.add_argument("--truth", type=Path, required=True, metavar="truth.json")
    score.add_argument(
        "--reads", type=Path, required=True, metavar="reads.json", help="from dashcam reads export --format json"
    )
    score.set_defaults(command=_score)
    return parser


def _positive(text: str) -> float:
    value = float(text)
    if not 0 < value < 100_000:
        raise argparse.ArgumentTypeError(f"{text} is not a number above 0")
    return value


def _size(text: str) -> tuple[int, int]:
    match = re.fullmatch(r"(\d{2,5})x(\d{2,5})", text)
    if not match:
        raise argparse.ArgumentTypeError(f"{text} is not a size such as 1280x720")
    width, height = int(match[1]), int(match[2])
    if width % 2 or height % 2 or not 160 <= width <= 7680 or not 90 <= height <= 4320:
        raise argparse.ArgumentTypeError(f"{text}: width (160-7680) and height (90-4320) must be even")
    return width, height


def _render(arguments: argparse.Namespace) -> int:
    from tools.demo.render import Drive, DriveSettings
    from tools.demo.route import nmea
    from tools.demo.truth import write_truth
    from tools.demo.video import write_video

    width, height = arguments.size
    settings = DriveSettings(arguments.seconds, arguments.fps, width, height, arguments.seed)
    arguments.out.mkdir(parents=True, exist_ok=True)
    drive = Drive(settings)
    frames = tqdm(
        drive.frames(max(1, arguments.workers)),
        total=settings.frames,
        unit="frame",
        desc="rendering the drive",
        disable=None,
        leave=False,
    )
    write_video(arguments.out / "drive.mp4", frames, settings.frame_rate_hz, width, height)
    (arguments.out / "route.nmea").write_bytes(nmea(drive.route()).encode("ascii"))
    truth = drive.truth()
    write_truth(truth, arguments.out)
    print(f"{settings.frames} frames with {len(truth.plates)} plates: {arguments.out / 'drive.mp4'}")
    return 0


def _score(arguments: argparse.Namespace) -> int:
    from tools.demo.score import load_reads, score
    from tools.demo.table import print_score
    from tools.demo.truth import load_truth

    result = score(load_truth(arguments.truth), load_reads(arguments.reads))
    print_score(result, Console(highlight=False))
    if result.readable and not any(p.correct for p in result.plates):
        print("demo: error: not one plate was read", file=sys.stderr)
        return 1
    return 0
