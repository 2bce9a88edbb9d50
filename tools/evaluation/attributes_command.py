"""The command `attributes`: vehicles, colours, types, makes and models by the shipped models, against the floors."""

from __future__ import annotations

import argparse
import dataclasses
import json
import math
from collections import defaultdict
from contextlib import ExitStack
from pathlib import Path
from typing import Final

import numpy as np
from rich.console import Console
from tqdm import tqdm

from cloud_apis.contract.vehicles import VehicleBox
from cloud_apis.model_files import packaged_models
from tools.data import require_data_root
from tools.evaluation.attributes import Answered, figures
from tools.evaluation.client import key_of
from tools.evaluation.detection import Array, average_precision
from tools.evaluation.sets import read_picture
from tools.evaluation.vehicle_sets import HAND_MADE, labelled_cars, marked_pictures, training_counts
from tools.evaluation.vehicle_tables import boxes_table, floors_table, named_table, times_line
from tools.evaluation.vehicle_ways import InProcess, Way, over_http

CLASSES: Final = ("car", "truck", "bus", "motorcycle")


def run_attributes(args: argparse.Namespace, console: Console) -> None:
    """Print the figures of the val splits beside the floors; raises OSError where data or models are missing.

    Raises PartError when the APIs do not start, and NoAnswerError when they do not answer.
    """
    root = require_data_root() / "vehicles"
    in_process = InProcess(args.models or packaged_models()) if args.url is None else None
    content = {}
    with ExitStack() as open_:
        ways: list[Way] = [] if in_process is None else [in_process]
        if not args.in_process:
            ways.append(open_.enter_context(over_http(args.url, key_of(args.api_key_file), args.models)))
        for way in ways:
            content[way.name] = _judged(way, root, args.limit, console)
    if in_process is not None:
        console.print(times_line(in_process.times_ms))
        content["ms"] = {"median": float(np.median(in_process.times_ms))}
    if args.json is not None:
        args.json.write_text(json.dumps(content, indent=2) + "\n", encoding="utf-8")


def _judged(way: Way, root: Path, limit: int | None, console: Console) -> dict[str, object]:
    precisions = _precisions(way, root, limit)
    said = figures(_described(way, root, limit), training_counts(root))
    console.print(boxes_table(precisions, CLASSES, f"AP@0.5 on hand-made boxes, split val, {way.name}"))
    console.print(floors_table(precisions["together"]["mean"], said, f"floors, split val, {way.name}"))
    console.print(named_table(said))
    return {"vehicles": precisions, "attributes": dataclasses.asdict(said)}


def class_precisions(found: list[list[VehicleBox]], truths: list[Array], labels: tuple[str, ...]) -> dict[str, float]:
    """AP@0.5 of each class over pictures, and the mean over the classes that occur; truths are (m, 5), class last."""
    result = {}
    for number, label in enumerate(labels):
        boxes = [
            np.array([(b.xmin, b.ymin, b.xmax, b.ymax, b.score) for b in one if b.kind == label]).reshape(-1, 5)
            for one in found
        ]
        result[label] = average_precision(boxes, [rows[rows[:, 4] == number][:, :4] for rows in truths])
    known = [value for value in result.values() if not math.isnan(value)]
    return {**result, "mean": float(np.mean(known)) if known else math.nan}


def _precisions(way: Way, root: Path, limit: int | None) -> dict[str, dict[str, float]]:
    found: dict[str, list[list[VehicleBox]]] = defaultdict(list)
    truths: dict[str, list[Array]] = defaultdict(list)
    for source in HAND_MADE:
        for marked in tqdm(marked_pictures(root, source, CLASSES, limit), source, leave=False, disable=None):
            boxes = way.find(read_picture(marked.file))
            for name in (source, "together"):
                found[name].append(boxes)
                truths[name].append(marked.vehicles)
    return {name: class_precisions(found[name], truths[name], CLASSES) for name in (*HAND_MADE, "together")}


def _described(way: Way, root: Path, limit: int | None) -> Answered:
    return [
        (way.describe(read_picture(car.file), car.box), car.labels)
        for car in tqdm(labelled_cars(root, limit), "cars", leave=False, disable=None)
    ]
