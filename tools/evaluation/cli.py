"""`python -m tools.evaluation detection|reading|endtoend`: figures of the models on labelled photos."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

from rich.console import Console
from tqdm import tqdm

from tools.data import require_data_root
from tools.evaluation import parts, report
from tools.evaluation.failures import write_contact_sheets
from tools.evaluation.reading import PlateReading, ReadingFigures, confident, figures, grouped
from tools.evaluation.runs import (
    DetectionFigures,
    EndToEndFigures,
    detect_all,
    detection_figures,
    end_to_end,
    read_all,
)
from tools.evaluation.sets import DETECTION_SOURCES, load_crops, load_pictures

TOGETHER = ("open_lpr", "openimages")
"""Sources whose figures are also given as one set."""
WIDTH = 150
"""Columns of the tables where the output is no terminal."""
READ_SOURCES = ("ro_dashcam", "open_lpr", "openimages")


def parser() -> argparse.ArgumentParser:
    """The command line."""
    top = argparse.ArgumentParser(prog="python -m tools.evaluation", description=__doc__)
    commands = top.add_subparsers(dest="command", required=True)
    detection = commands.add_parser("detection", help="average precision and recall of the detector")
    reading = commands.add_parser("reading", help="plates read exactly from their labelled boxes")
    whole = commands.add_parser("endtoend", help="detector and reader on whole pictures")
    for command, sources in ((detection, DETECTION_SOURCES), (whole, READ_SOURCES)):
        command.add_argument("--sources", nargs="+", default=sources, metavar="SOURCE")
        command.add_argument("--net", type=int, default=416, metavar="PIXELS", help="side of the detector's input")
        command.add_argument("--model", type=Path, help="the detector's ONNX file; default: the shipped one")
    reading.add_argument("--sources", nargs="+", default=(), metavar="SOURCE", help="default: all")
    reading.add_argument("--failures", type=Path, metavar="DIR", help="write contact sheets of wrong readings")
    whole.add_argument("--margin", type=float, default=0.1, help="widening of crops, part of their size")
    whole.add_argument("--confidence", type=float, default=0.8, help="least confidence of a read that is shown")
    for command in (reading, whole):
        command.add_argument("--models", type=Path, metavar="DIR", help="folder of craft and crnn; default: shipped")
    for command in (detection, reading, whole):
        command.add_argument("--split", default="val", help="val or train")
        command.add_argument("--config", type=Path, help="settings of the APIs; default: config/apis.yaml")
        command.add_argument("--json", type=Path, metavar="FILE", help="write the figures there too")
        command.add_argument("--limit", type=int, metavar="N", help="only the first N pictures of each source")
    return top


def main(argv: Sequence[str] | None = None) -> int:
    """Runs the command; 0 when figures were made, 2 when something that it needs is missing."""
    args = parser().parse_args(argv)
    run = {"detection": run_detection, "reading": run_reading, "endtoend": run_end_to_end}[args.command]
    try:
        run(args, Console(width=None if sys.stdout.isatty() else WIDTH))
    except (OSError, parts.PartError) as error:
        print(f"evaluation: error: {error}", file=sys.stderr)
        return 2
    return 0


def run_detection(args: argparse.Namespace, console: Console) -> None:
    """Prints the detection figures of each source and of `TOGETHER`."""
    root = require_data_root()
    pictures = {source: load_pictures(root, source, args.split)[: args.limit] for source in args.sources}
    detector = parts.detector(args.config, args.model, args.net, threshold=parts.LOW_THRESHOLD)
    threshold = parts.operating_threshold(args.config)
    predictions = {
        source: detect_all(detector, tqdm(chosen, source, leave=False, disable=None))
        for source, chosen in pictures.items()
    }
    results: dict[str, DetectionFigures] = {
        source: detection_figures(pictures[source], predictions[source], args.net, threshold) for source in args.sources
    }
    if set(TOGETHER) <= set(args.sources):
        results["+".join(TOGETHER)] = detection_figures(
            [p for s in TOGETHER for p in pictures[s]],
            [b for s in TOGETHER for b in predictions[s]],
            args.net,
            threshold,
        )
    console.print(report.detection_table(results, f"detection, {args.split}, fitted into {args.net}×{args.net}"))
    _write(args, {"net_px": args.net, "threshold": threshold}, results)


def run_reading(args: argparse.Namespace, console: Console) -> None:
    """Prints the reading figures by source, by number of lines and over all."""
    crops = load_crops(require_data_root(), args.split, args.sources)[: args.limit]
    readings = read_all(parts.reader(args.config, args.models), tqdm(crops, "reading", leave=False, disable=None))
    results: dict[str, ReadingFigures] = {
        **grouped(readings, lambda r: r.source),
        **grouped(readings, _lines),
        "confidence ≥ 0.8": confident(readings, 0.8),
        "all": figures(readings),
    }
    console.print(report.reading_table(results, f"reading from the labelled boxes, {args.split}"))
    if args.failures is not None:
        for file in write_contact_sheets(readings, args.failures):
            console.print(f"wrong readings: {file}")
    _write(args, {}, results)


def run_end_to_end(args: argparse.Namespace, console: Console) -> None:
    """Prints what becomes of transcribed plates on whole pictures, per source."""
    root = require_data_root()
    detector = parts.detector(args.config, args.model, args.net, threshold=parts.LOW_THRESHOLD)
    reader = parts.reader(args.config, args.models)
    threshold = parts.operating_threshold(args.config)
    results: dict[str, EndToEndFigures] = {}
    for source in args.sources:
        pictures = load_pictures(root, source, args.split)[: args.limit]
        results[source] = end_to_end(
            detector,
            reader,
            tqdm(pictures, source, leave=False, disable=None),
            box_threshold=threshold,
            read_threshold=args.confidence,
            margin=args.margin,
        )
    title = f"whole pictures, {args.split}, detector at {args.net} px, crops at full resolution"
    console.print(report.end_to_end_table(results, title, args.confidence))
    _write(args, {"net_px": args.net, "threshold": threshold, "margin": args.margin}, results)


def _lines(reading: PlateReading) -> str:
    return "one line" if reading.lines == 1 else "two lines"


def _write(args: argparse.Namespace, settings: Mapping[str, object], results: Mapping[str, object]) -> None:
    if args.json is not None:
        report.write_json(args.json, args.command, {"split": args.split, **settings}, results)
