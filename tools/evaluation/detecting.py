"""The command `detection`."""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import numpy as np
from rich.console import Console
from tqdm import tqdm

from cloud_apis.settings import ApiSettings
from tools.data import require_data_root
from tools.evaluation import parts, report
from tools.evaluation.detection import Array
from tools.evaluation.own_sets import own_pictures
from tools.evaluation.provenance import float32_models, model_used
from tools.evaluation.runs import DetectionFigures, Image, detect_all, detection_figures
from tools.evaluation.sets import DETECTION_SOURCES, TRAIN_ONLY, LabelledPicture, load_pictures, opened, try_picture
from tools.training.datasets.labels import LabelledPicture as Labels
from tools.training.datasets.problems import Problems

TOGETHER = ("open_lpr", "openimages")
"""Sources whose figures are also given as one set."""
PICTURES = (".jpg", ".jpeg", ".png", ".webp")


def run_detection(args: argparse.Namespace, console: Console) -> None:
    """Prints the detection figures of each source and of `TOGETHER`, for the float32 model too where it is named."""
    settings = parts.settings(args.config)
    net_px = args.net or settings.yolov3.net_w
    shipped = args.model or parts.models_folder(settings) / "yolov3.onnx"
    problems = Problems()
    results: dict[str, object] = {}
    with ExitStack() as stack:
        models = {"": shipped}
        if args.float32:
            folder = stack.enter_context(float32_models(args.float32, shipped.parent, ["yolov3"]))
            models["float32"] = folder / "yolov3.onnx"
        for kind, path in models.items():
            used = model_used(path)
            figures = _figures(args, settings, path, net_px, problems if not kind else Problems())
            title = f"detection, split {args.split}, fitted into {net_px}×{net_px}, {used}"
            console.print(
                report.detection_table(figures, title, f"limit {args.limit}" if args.limit else "all pictures")
            )
            results[kind or "shipped"] = {"model": used, "sets": figures}
    if problems.counts:
        console.print(f"data: {problems.summary()}")
    if args.json is not None:
        said = {"split": args.split, "net_px": net_px, "limit": args.limit, "problems": problems.counts}
        report.write_json(args.json, "detection", {**said, "threshold": settings.yolov3.obj_thresh}, results)


def _figures(
    args: argparse.Namespace, settings: ApiSettings, model: Path, net_px: int, problems: Problems
) -> dict[str, DetectionFigures]:
    detector = parts.detector(settings, model, net_px, threshold=parts.LOW_THRESHOLD)
    found: dict[str, tuple[list[LabelledPicture], list[Array]]] = {}
    for source, labels in _sets(args, problems):
        pictures = opened(labels, source, problems)
        found[source] = detect_all(detector, tqdm(pictures, source, len(labels), leave=False, disable=None))
    for folder in args.negatives:
        found[f"no plates: {folder.name}"] = detect_all(detector, _negatives(folder, args.limit, problems))
    if set(TOGETHER) <= set(found):
        found["+".join(TOGETHER)] = (
            [p for s in TOGETHER for p in found[s][0]],
            [b for s in TOGETHER for b in found[s][1]],
        )
    threshold = settings.yolov3.obj_thresh
    return {name: detection_figures(*pair, net_px, threshold) for name, pair in found.items()}


def _sets(args: argparse.Namespace, problems: Problems) -> Iterator[tuple[str, list[Labels]]]:
    for source, labels in own_pictures(args.data, args.split, problems).items():
        yield source, labels[: args.limit]
    sources = args.sources
    if not (sources or args.negatives or args.data):
        sources = DETECTION_SOURCES if args.split == "val" else (*DETECTION_SOURCES, *TRAIN_ONLY)
    for source in sources:
        yield source, load_pictures(require_data_root(), source, args.split, problems)[: args.limit]


def _negatives(folder: Path, limit: int | None, problems: Problems) -> Iterator[tuple[LabelledPicture, Image]]:
    files = sorted(p for p in folder.rglob("*") if p.suffix.lower() in PICTURES)[:limit]
    if not files:
        raise FileNotFoundError(f"there are no pictures in {folder}")
    for file in files:
        image = try_picture(file, str(file), problems)
        if image is not None:
            yield LabelledPicture(file, folder.name, image.shape[1], image.shape[0], np.zeros((0, 4)), ()), image
