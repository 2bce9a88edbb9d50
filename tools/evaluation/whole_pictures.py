"""The command `endtoend`."""

from __future__ import annotations

import argparse
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass

from rich.console import Console
from tqdm import tqdm

from cloud_apis.settings import ApiSettings
from tools.data import require_data_root
from tools.evaluation import client, endtoend, failures, parts, report
from tools.evaluation.own_sets import own_pictures
from tools.evaluation.provenance import models_used, named
from tools.evaluation.regions import change_by_source
from tools.evaluation.sets import READ_SOURCES, TRAIN_ONLY, load_pictures, opened, reader_dev
from tools.training.common.crops import part_of
from tools.training.datasets.labels import LabelledPicture as Labels
from tools.training.datasets.problems import Problems

MODELS = ("yolov3", "craft", "crnn")
IN_PROCESS = "in this process"
DEV_NOTE = "dev: plates whose text the reader never saw; the detector was trained on most of the pictures"


@dataclass(frozen=True, slots=True)
class Systems:
    """Ways of finding and reading plates, by name, and the models behind them in words."""

    ways: dict[str, endtoend.System]
    models: str


def run_end_to_end(args: argparse.Namespace, console: Console) -> None:
    """Prints what becomes of transcribed plates on whole pictures, per source and way of asking."""
    problems = Problems()
    regions = parts.known_regions(args.region)
    if args.url and (args.models or args.config or args.region or args.net):
        raise parts.PartError("--models, --config, --net and --region are for APIs started here, not for --url")
    with _systems(args, ()) as systems:
        caption = f"{systems.models}; shown: confidence of {args.confidence:g} or more"
        runs = {way: _run(args, system, way, problems) for way, system in systems.ways.items()}
    results: dict[str, object] = {}
    for way, by_source in runs.items():
        together = {"all": endtoend.joined(list(by_source.values()))} if len(by_source) > 1 else {}
        rows = {name: endtoend.figures(run, args.confidence) for name, run in {**by_source, **together}.items()}
        title = f"whole pictures, {args.split}, {way}"
        console.print(report.end_to_end_table(rows, title, caption))
        results[way] = rows
    if args.split == "dev":
        console.print(DEV_NOTE)
    if regions:
        with _systems(args, args.region) as knowing:
            way, system = next(iter(knowing.ways.items()))
            known = _run(args, system, way, Problems())
        off, on = ([p.reading for run in by.values() for p in run.plates] for by in (runs[way], known))
        changes = change_by_source(off, on, regions)
        title = f"regions {', '.join(args.region)} off and on, {args.split}, {way}"
        console.print(report.region_table(changes, title, caption))
        results["region"] = changes
    if args.failures is not None:
        for file in failures.write_contact_sheets(_failures(next(iter(runs.values()))), args.failures):
            console.print(f"wrong readings: {file}")
    if problems.counts:
        console.print(f"data: {problems.summary()}")
    if args.json is not None:
        said = {"split": args.split, "models": systems.models, "confidence": args.confidence, "limit": args.limit}
        report.write_json(args.json, "endtoend", {**said, "regions": args.region, "problems": problems.counts}, results)


@contextmanager
def _systems(args: argparse.Namespace, regions: Sequence[str]) -> Iterator[Systems]:
    key = client.key_of(args.api_key_file)
    settings = _settings(args, regions)
    with ExitStack() as stack:
        if args.in_process:
            used = named(models_used(parts.models_folder(settings), MODELS))
            yield Systems({IN_PROCESS: _in_process(settings, args.margin)}, used)
            return
        if args.url:
            url, used = args.url, client.models_of(args.url, key)
        else:
            used = named(models_used(parts.models_folder(settings), MODELS))
            url = stack.enter_context(client.server(settings))
        ways = [client.WAYS[way] for way in args.ways]
        yield Systems({name: stack.enter_context(make(url, key)) for name, make in ways}, used)


def _settings(args: argparse.Namespace, regions: Sequence[str]) -> ApiSettings:
    settings = parts.settings(args.config, models=args.models, regions=regions)
    if args.net:
        sized = settings.yolov3.model_copy(update={"net_h": args.net, "net_w": args.net})
        settings = settings.model_copy(update={"yolov3": sized})
    return settings


def _in_process(settings: ApiSettings, margin: float) -> endtoend.System:
    threshold = settings.yolov3.obj_thresh
    detector = parts.detector(
        settings, parts.models_folder(settings) / "yolov3.onnx", settings.yolov3.net_w, threshold=threshold
    )
    return endtoend.parts_system(detector, parts.reader(settings), threshold=threshold, margin=margin)


def _run(args: argparse.Namespace, system: endtoend.System, way: str, problems: Problems) -> dict[str, endtoend.Run]:
    """The system over each source; for `dev`, pictures and plates whose text is kept aside of training."""
    counts: Callable[[str], bool] = lambda text: args.split != "dev" or part_of(text, "train") == "dev"  # noqa: E731
    found = {}
    for source, labels in _sets(args, problems):
        pictures = tqdm(opened(labels, source, problems), f"{source} {way}", len(labels), leave=False, disable=None)
        found[source] = endtoend.run(system, pictures, counts)
        if labels and found[source].unanswered == len(labels):
            raise parts.PartError(f"{way}: not one picture of {source} got an answer (see above)")
    return found


def _sets(args: argparse.Namespace, problems: Problems) -> Iterator[tuple[str, list[Labels]]]:
    if args.data:
        for source, labels in own_pictures(args.data, args.split, problems).items():
            yield source, labels[: args.limit]
        return
    root = require_data_root()
    for source in args.sources or (READ_SOURCES if args.split == "val" else (*READ_SOURCES, *TRAIN_ONLY)):
        if args.split == "dev":
            both = [p for part in ("train", "dev") for p in load_pictures(root, source, part, problems)]
            labels = sorted(filter(reader_dev, both), key=lambda p: p.file)
        else:
            labels = load_pictures(root, source, args.split, problems)
        yield source, labels[: args.limit]


def _failures(runs: dict[str, endtoend.Run]) -> list[failures.Failure]:
    return [
        failures.Failure(p.reading, p.crop, "" if p.found else "not found")
        for run in runs.values()
        for p in run.plates
        if p.crop is not None
    ]
