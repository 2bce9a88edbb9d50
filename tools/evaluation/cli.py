"""`python -m tools.evaluation detection|reading|endtoend|attributes`: figures of the models on labelled photos."""

from __future__ import annotations

import argparse
import logging
import sys
from collections.abc import Sequence
from pathlib import Path

from rich.console import Console

from cloud_apis.errors import StartError
from tools.evaluation.attributes_command import run_attributes
from tools.evaluation.client import WAYS
from tools.evaluation.detecting import run_detection
from tools.evaluation.endtoend import NoAnswerError
from tools.evaluation.parts import PartError
from tools.evaluation.plots import PlotError
from tools.evaluation.reading_command import run_reading
from tools.evaluation.sets import SPLITS
from tools.evaluation.whole_pictures import run_end_to_end
from tools.training.datasets.problems import DataError

WIDTH = 170
"""Columns of the tables where the output is no terminal."""


def parser() -> argparse.ArgumentParser:
    """The command line."""
    top = argparse.ArgumentParser(prog="python -m tools.evaluation", description=__doc__)
    commands = top.add_subparsers(dest="command", required=True)
    detection = commands.add_parser("detection", help="average precision and recall of the detector")
    reading = commands.add_parser("reading", help="plates read exactly from their labelled boxes")
    whole = commands.add_parser("endtoend", help="whole pictures over HTTP, as a client uses the APIs")
    cars = commands.add_parser(
        "attributes", help="vehicles, colours, types, makes and models of the val splits, beside their floors"
    )
    cars.add_argument("--models", type=Path, metavar="DIR", help="folder of the models; default: shipped")
    asked = cars.add_mutually_exclusive_group()
    asked.add_argument("--url", metavar="URL", help="APIs that run somewhere; default: they are started here")
    asked.add_argument("--in-process", action="store_true", help="the models alone, not over HTTP")
    cars.add_argument("--api-key-file", type=Path, metavar="FILE", help="its first line is the key for --url")
    cars.add_argument("--json", type=Path, metavar="FILE", help="write all figures there too")
    cars.add_argument("--limit", type=int, metavar="N", help="only the first N pictures of each set")
    _detection(detection)
    _reading(reading)
    _end_to_end(whole)
    for command in (detection, reading, whole):
        command.add_argument(
            "--data", type=Path, nargs="+", default=(), metavar="PATH", help="your own sets in the place of the sources"
        )
        command.add_argument("--sources", nargs="+", default=(), metavar="SOURCE", help="default: all of the split")
        command.add_argument(
            "--split", choices=SPLITS, default="val", help="dev: the part of train that decisions are made on"
        )
        command.add_argument("--config", type=Path, help="settings of the APIs; default: config/apis.yaml")
        command.add_argument("--json", type=Path, metavar="FILE", help="write all figures there too")
        command.add_argument("--limit", type=int, metavar="N", help="only the first N pictures of each source")
    for command in (reading, whole):
        command.add_argument("--models", type=Path, metavar="DIR", help="folder of the models; default: shipped")
        command.add_argument("--failures", type=Path, metavar="DIR", help="write contact sheets of wrong readings")
        command.add_argument("--region", nargs="+", default=(), metavar="XX", help="compare with these regions known")
    for command in (detection, whole):
        command.add_argument("--net", type=int, metavar="PIXELS", help="side of the detector's input; default: config")
    return top


def _detection(command: argparse.ArgumentParser) -> None:
    command.add_argument("--model", type=Path, help="the detector's ONNX file; default: the shipped one")
    command.add_argument(
        "--float32", type=Path, nargs="+", metavar="DIR", help="compare with yolov3.float32.onnx of these folders"
    )
    command.add_argument("--negatives", type=Path, nargs="+", default=(), metavar="DIR", help="photos without plates")


def _reading(command: argparse.ArgumentParser) -> None:
    command.add_argument(
        "--float32", type=Path, nargs="+", metavar="DIR", help="compare with <model>.float32.onnx of these folders"
    )
    command.add_argument("--reliability", type=Path, metavar="FILE", help="draw the reliability diagram (PNG)")


def _end_to_end(command: argparse.ArgumentParser) -> None:
    where = command.add_mutually_exclusive_group()
    where.add_argument("--url", help="prediction APIs that run; default: they are started here for the while")
    where.add_argument("--in-process", action="store_true", help="detector and reader in this process, without HTTP")
    command.add_argument("--api-key-file", type=Path, metavar="FILE", help="its first line is the key for --url")
    command.add_argument("--ways", nargs="+", choices=WAYS, default=("apis", "reader"), help="how the APIs are asked")
    command.add_argument("--confidence", type=float, default=0.9, help="least confidence of a read that is shown")
    command.add_argument(
        "--margin", type=float, default=0.1, help="--in-process: widening of crops, part of their size"
    )


def main(argv: Sequence[str] | None = None) -> int:
    """Runs the command; 0 when figures were made, 2 when something that it needs is missing."""
    args = parser().parse_args(argv)
    logging.basicConfig(level=logging.WARNING, format="%(levelname)s: %(message)s", stream=sys.stderr)
    run = {
        "detection": run_detection,
        "reading": run_reading,
        "endtoend": run_end_to_end,
        "attributes": run_attributes,
    }[args.command]
    try:
        run(args, Console(width=None if sys.stdout.isatty() else WIDTH))
    except (OSError, PartError, PlotError, DataError, StartError, NoAnswerError) as error:
        print(f"evaluation: error: {error}", file=sys.stderr)
        return 2
    return 0
