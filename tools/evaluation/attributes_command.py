"""The command `attributes`: vehicles, colours, types, makes and models by the shipped models, against the floors."""

from __future__ import annotations

import argparse
import dataclasses
import json
import math
import time
from collections import Counter, defaultdict
from pathlib import Path
from typing import Final

import cv2
import numpy as np
from rich.console import Console
from rich.table import Table
from tqdm import tqdm

from cloud_apis.attributes.classifier import Classifier, load_classifier
from cloud_apis.attributes.preprocess import crop_of
from cloud_apis.contract.vehicles import VehicleBox
from cloud_apis.model_files import packaged_models
from cloud_apis.vehicles.detector import VehicleDetector, load_vehicle_detector
from tools.data import require_data_root
from tools.evaluation.attributes import Answered, AttributeFigures, Share, figures, truth_of
from tools.evaluation.detection import Array, average_precision

HAND_MADE: Final = ("highway", "traffic_camera")
LABELS: Final = ("colour", "type", "view", "make", "model")
LOW_THRESHOLD: Final = 0.02
FLOORS: Final = {
    "vehicles AP@0.5": (0.60, 0.75),
    "colour": (0.85, 0.92),
    "colour top-3": (0.97, 0.99),
    "type": (0.80, 0.90),
    "make": (0.70, 0.85),
    "make top-5": (0.88, 0.95),
    "model": (0.60, 0.80),
    "right when sure": (0.95, 0.95),
}
"""The least and the wanted figure of each."""


def run_attributes(args: argparse.Namespace, console: Console) -> None:
    """Print the figures of the val splits beside the floors; raises OSError where data or models are missing."""
    root = require_data_root() / "vehicles"
    folder = args.models or packaged_models()
    detector, classifier = load_vehicle_detector(folder), load_classifier(folder)
    found, truths = _detected(root, detector, args.limit)
    precisions = {
        name: class_precisions(found[name], truths[name], detector.labels) for name in (*HAND_MADE, "together")
    }
    answers, times_ms = _classified(root, classifier, args.limit)
    said = figures(answers, _training_counts(root))
    console.print(_vehicles_table(precisions, detector.labels, f"vehicles {detector.model.manifest.version}"))
    console.print(_floors_table(precisions["together"]["mean"], said, times_ms))
    console.print(_named_table(said))
    if args.json is not None:
        content = {"vehicles": precisions, "attributes": dataclasses.asdict(said), "ms": float(np.median(times_ms))}
        args.json.write_text(json.dumps(content, indent=2) + "\n", encoding="utf-8")


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


def _detected(
    root: Path, detector: VehicleDetector, limit: int | None
) -> tuple[dict[str, list[list[VehicleBox]]], dict[str, list[Array]]]:
    found: dict[str, list[list[VehicleBox]]] = defaultdict(list)
    truths: dict[str, list[Array]] = defaultdict(list)
    for source in HAND_MADE:
        coco = json.loads((root / f"{source}_val.json").read_text(encoding="utf-8"))
        number = {category["id"]: detector.labels.index(category["name"]) for category in coco["categories"]}
        rows: dict[int, list[list[float]]] = defaultdict(list)
        for annotation in coco["annotations"]:
            x, y, width, height = annotation["bbox"]
            rows[annotation["image_id"]].append([x, y, x + width, y + height, number[annotation["category_id"]]])
        for record in tqdm(coco["images"][:limit], source, leave=False, disable=None):
            boxes = list(detector.find(_read(root / record["file_name"]), LOW_THRESHOLD))
            truth = np.array(rows[record["id"]], np.float64).reshape(-1, 5)
            for name in (source, "together"):
                found[name].append(boxes)
                truths[name].append(truth)
    return found, truths


def _classified(root: Path, classifier: Classifier, limit: int | None) -> tuple[Answered, list[float]]:
    coco = json.loads((root / "attributes_val.json").read_text(encoding="utf-8"))
    files = {image["id"]: image["file_name"] for image in coco["images"]}
    labelled = [a for a in coco["annotations"] if any(a.get(head) for head in LABELS)][:limit]
    classifier.warm_up()
    answers, times_ms = [], []
    for annotation in tqdm(labelled, "cars", leave=False, disable=None):
        x, y, width, height = annotation["bbox"]
        crop = crop_of(_read(root / files[annotation["image_id"]]), (x, y, x + width, y + height))
        began = time.perf_counter()
        said = classifier.classify(crop)
        times_ms.append(1000 * (time.perf_counter() - began))
        answers.append((said, {head: str(annotation[head]) for head in LABELS if annotation.get(head)}))
    return answers, times_ms


def _training_counts(root: Path) -> dict[str, Counter[str]]:
    coco = json.loads((root / "attributes_train.json").read_text(encoding="utf-8"))
    return {
        head: Counter(truth for a in coco["annotations"] if (truth := truth_of(_known(a), head)))
        for head in ("make", "model")
    }


def _known(annotation: dict[str, object]) -> dict[str, str]:
    return {head: str(annotation[head]) for head in LABELS if annotation.get(head)}


def _read(file: Path) -> np.ndarray[tuple[int, ...], np.dtype[np.uint8]]:
    picture = cv2.imread(str(file), cv2.IMREAD_COLOR)
    if picture is None:
        raise OSError(f"cannot read the picture {file}")
    return np.asarray(picture, np.uint8)


def _vehicles_table(precisions: dict[str, dict[str, float]], labels: tuple[str, ...], title: str) -> Table:
    table = Table("set", *labels, "mean", title=f"{title}: AP@0.5 on hand-made boxes, split val")
    for name, values in precisions.items():
        table.add_row(name, *(f"{values[label]:.3f}" for label in (*labels, "mean")))
    return table


def _floors_table(precision: float, said: AttributeFigures, times_ms: list[float]) -> Table:
    table = Table("figure", "value", "of", "floor", "aim", "", title="floors, split val, int8")
    sure = Share(sum(s.right for s in said.sure.values()), sum(s.of for s in said.sure.values()))
    shares = {**said.top, **said.among, "right when sure": sure}
    rows = {"vehicles AP@0.5": (precision, "")} | {name: (s.rate, str(s.of)) for name, s in shares.items()}
    for name, (floor, aim) in FLOORS.items():
        value, count = rows[name]
        reached = "aim" if value >= aim else "floor" if value >= floor else "below"
        table.add_row(name, f"{value:.3f}", count, f"{floor:.2f}", f"{aim:.2f}", reached)
    for name, share in said.sure.items():
        table.add_row(f"  {name} when sure", f"{share.rate:.3f}", str(share.of), "", "", "")
    middle, high = np.median(times_ms), np.percentile(times_ms, 95)
    table.add_row("ms a classification", f"{middle:.1f}", f"p95 {high:.1f}", "10", "", "one thread")
    return table


def _named_table(said: AttributeFigures) -> Table:
    table = Table("head", "named", "of these right", title='what is named; the rest is "unknown"')
    for head, share in said.named.items():
        right = said.named_right[head]
        table.add_row(head, f"{share.rate:.3f} of {share.of}", f"{right.rate:.3f} of {right.of}")
    return table
