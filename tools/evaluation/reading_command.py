"""The command `reading`."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path

from rich.console import Console
from tqdm import tqdm

from tools.data import require_data_root
from tools.evaluation import confidence, failures, parts, report
from tools.evaluation.own_sets import own_crops
from tools.evaluation.plots import write_reliability
from tools.evaluation.provenance import READERS, calibrated_on, float32_models, is_calibrated, models_used, named
from tools.evaluation.reading import PlateReading, by_group
from tools.evaluation.regions import change_by_source
from tools.evaluation.runs import Reader, read_all
from tools.evaluation.sets import TranscribedCrop, load_crops
from tools.training.datasets.problems import DataError, Problems

AS_SHIPPED, BEFORE, AFTER = "as shipped", "before calibration", "calibrated"


def run_reading(args: argparse.Namespace, console: Console) -> None:
    """Prints reading figures by source and lines, what confidences are worth, and the comparisons asked for."""
    problems = Problems()
    regions = parts.known_regions(args.region)
    crops = _crops(args, problems)
    settings = parts.settings(args.config, models=args.models)
    folder = parts.models_folder(settings)
    used = models_used(folder, READERS)
    caption = f"{named(used)}; split {args.split}" + (f", first {args.limit} of each source" if args.limit else "")
    readings = _read(parts.reader(settings), crops, "reading", problems)
    groups = by_group(readings)
    console.print(report.reading_table(groups, f"reading from the labelled boxes, {args.split}", caption))
    results: dict[str, object] = {"reading": groups}
    results["confidence"] = _confidences(args, console, crops, readings, folder, caption)
    if args.float32:
        with float32_models(args.float32, folder, READERS) as whole:
            caption32 = f"{caption}; {named(models_used(whole, READERS))}"
            floats = by_group(_read(parts.reader(settings, whole), crops, "float32"))
        console.print(report.precision_table(groups, floats, f"loss by quantisation, {args.split}", caption32))
        results["float32"] = floats
    if regions:
        knowing = parts.reader(parts.settings(args.config, models=args.models, regions=args.region))
        changes = change_by_source(readings, _read(knowing, crops, "region"), regions)
        title = f"regions {', '.join(args.region)} off and on, {args.split}"
        console.print(report.region_table(changes, title, caption))
        results["region"] = changes
    if args.failures is not None:
        for file in failures.write_contact_sheets(failures.of_readings(readings), args.failures):
            console.print(f"wrong readings: {file}")
    if problems.counts:
        console.print(f"data: {problems.summary()}")
    if args.json is not None:
        said = {"split": args.split, "limit": args.limit, "models": used, "regions": args.region}
        report.write_json(args.json, "reading", {**said, "problems": problems.counts}, results)


def _crops(args: argparse.Namespace, problems: Problems) -> list[TranscribedCrop]:
    if args.data:
        crops = own_crops(args.data, args.split, problems)
    else:
        crops = load_crops(require_data_root(), args.split, args.sources, problems)
    sources = sorted({c.source for c in crops})
    kept = [c for s in sources for c in [c for c in crops if c.source == s][: args.limit]]
    if not kept:
        raise DataError(f"there is no crop with a text of the split {args.split}: {problems.summary()}")
    return kept


def _read(
    reader: Reader, crops: Sequence[TranscribedCrop], what: str, problems: Problems | None = None
) -> list[PlateReading]:
    return read_all(reader, tqdm(crops, what, leave=False, disable=None), problems)


def _confidences(
    args: argparse.Namespace,
    console: Console,
    crops: Sequence[TranscribedCrop],
    readings: Sequence[PlateReading],
    folder: Path,
    caption: str,
) -> dict[str, object]:
    """Prints coverage and calibration errors, before calibration too where the models are calibrated."""
    states: dict[str, Sequence[PlateReading]] = {}
    calibrated = is_calibrated(folder)
    if calibrated:
        bare = parts.settings(args.config, models=args.models, calibrated=False)
        states[BEFORE] = _read(parts.reader(bare), crops, BEFORE)
    states[AFTER if calibrated else AS_SHIPPED] = readings
    kinds = {
        "plates": {s: confidence.reliability(confidence.of_plates(r)) for s, r in states.items()},
        "characters": {s: confidence.reliability(confidence.of_characters(r)) for s, r in states.items()},
    }
    covered = {state: confidence.coverage(r) for state, r in states.items()}
    console.print(report.coverage_table(covered, f"plates shown from a confidence on, {args.split}", caption))
    console.print(report.calibration_table(kinds, f"what confidences are worth, {args.split}", caption))
    if calibrated_on(folder) == args.split:
        console.print(f"the calibration was fitted on {args.split}: what it is worth, another split tells")
    if args.reliability is not None:
        write_reliability(kinds, args.reliability, f"reliability, {caption}")
        console.print(f"reliability diagram: {args.reliability}")
    return {"coverage": covered, "reliability": kinds}
