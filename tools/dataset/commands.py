"""The commands: options in, a step done, and what came of it told."""

from __future__ import annotations

import argparse
import csv
import json
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext
from pathlib import Path

from rich.console import Console
from rich.table import Table
from tqdm import tqdm

from tools.dataset import cropping, filtering, merging, moving, placing, scan, splitting
from tools.dataset import repair as repairing
from tools.dataset import statistics as counting
from tools.dataset.duplicates import BANDS, Alike
from tools.dataset.errors import DatasetError, UsageError
from tools.dataset.layout import Layout
from tools.dataset.looks import LookJob
from tools.dataset.manifest import Manifest, opened
from tools.dataset.proving import prove_it
from tools.dataset.running import LocalRunner, Runner

WIDTH = 140
"""Columns of the tables where the output is no terminal."""
_EXPORTED = ("path", "make", "model", "year", "listing", "class", "part", "step", "action", "reason", "detail", "other")


def repair(args: argparse.Namespace) -> int:
    with opened(args.work, args.dry_run) as manifest, runner_of(args) as runner:
        with bar("scan", None) as progress:
            scanned = scan.scan(manifest, args.pictures, args.work, Layout(args.layout), progress, args.dry_run)
        gone = f"; {scanned.gone:,} are gone" if scanned.gone else ""
        print(f"{scanned.found:,} pictures found, {scanned.new:,} of them new, {scanned.changed:,} changed{gone}")
        if args.again:
            manifest.forget("repair")
        job = LookJob(os.fsencode(root_of(manifest)), least_px=args.least_px)
        alike = None if args.exact else Alike()
        with (
            bar("repair", repairing.work_of(manifest)) as progress,
            bar("compare", len(BANDS), " parts") if alike else nullcontext(lambda _: None) as comparing,
        ):
            repairing.repair(manifest, runner, job, alike, progress, comparing=comparing)
        return _ended(manifest, args, "repair")


def filter_(args: argparse.Namespace) -> int:
    if not 0 <= args.threshold <= 1:
        raise UsageError("--threshold is a probability, 0 to 1")
    with opened(args.work, args.dry_run) as manifest, runner_of(args) as runner:
        scorer, why = filtering.best_scorer(args.models) if args.scorer == "auto" else (args.scorer, "as asked")
        print(f"scorer: {scorer} ({why}), threshold {args.threshold}")
        job = filtering.FilterJob(os.fsencode(root_of(manifest)), scorer, args.threshold, args.fit, args.models)
        with bar("filter", manifest.todo("filter", args.again)) as progress:
            filtering.filter_(manifest, runner, job, progress, args.again)
        return _ended(manifest, args, "filter")


def crop(args: argparse.Namespace) -> int:
    with opened(args.work, args.dry_run) as manifest, runner_of(args) as runner:
        folder = (args.output or args.work / "crops").resolve()
        root = os.fsencode(root_of(manifest))
        _not_among(root, folder, "crops")
        job = cropping.CropJob(
            root, os.fsencode(folder), args.margin, args.least_px, args.boxes, args.models, args.dry_run
        )
        with bar("crop", manifest.todo("crop", args.again)) as progress:
            cropping.crop(manifest, runner, job, progress, args.again)
        return _ended(manifest, args, "crop")


def merge(args: argparse.Namespace) -> int:
    rules = merging.read_rules(args.table) if args.table else []
    _alone(args, "merge")
    with opened(args.work, args.dry_run) as manifest:
        root_of(manifest)
        with bar("merge", manifest.todo("merge", args.again)) as progress:
            classes = merging.merge(manifest, rules, not args.only_table, args.again, progress)
        print(f"{len(classes):,} classes with {sum(classes.values()):,} pictures")
        return _ended(manifest, args, "merge")


def split(args: argparse.Namespace) -> int:
    plan = splitting.Plan(splitting.parse_shares(args.shares), args.least, args.seed)
    places = args.place != "list"
    if not places:
        _alone(args, "split without folders of links or copies (--place)")
    with opened(args.work, args.dry_run) as manifest, runner_of(args) if places else nullcontext() as runner:
        root = root_of(manifest)
        if not manifest.count("f.class IS NOT NULL"):
            raise DatasetError("no picture has a class yet: run `merge` first")
        folder = (args.output or args.work / "split").resolve()
        if not folder.is_relative_to(args.work.resolve()):  # which no scan looks into, wherever it lies
            _not_among(os.fsencode(root), folder, "parts")
        with bar("split", splitting.to_split(manifest)) as progress:
            parts = splitting.split(manifest, plan, args.again, progress)
        count = sum(parts.values())
        print(", ".join(f"{part} {parts.get(part, 0):,}" for part in splitting.PARTS))
        if args.dry_run:
            placing.claim(manifest, folder, args.place, dry_run=True)
            what = {"list": "listed", "link": "linked", "copy": "copied"}[args.place]
            print(f"{folder}: {count:,} pictures would be {what}")
        else:
            placing.claim(manifest, folder, args.place)
            if runner is not None:
                with bar(args.place, count) as progress:
                    placing.place(manifest, runner, root, folder, args.place, progress)
            with bar("list", count) as progress:
                placing.write_lists(manifest, root, folder, args.place, progress)
            print(f"{folder}: train.csv, val.csv, test.csv")
        return _ended(manifest, args, "split")


def stats(args: argparse.Namespace) -> int:
    _alone(args, "stats")
    with opened(args.work, args.dry_run) as manifest, bar("stats", counting.TABLES, " counts") as progress:
        found = counting.statistics(manifest, progress)
    console = _console()
    for table in counting.tables(found):
        console.print(table)
    if args.dry_run:
        return 0
    folder = args.output or args.work
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "stats.json").write_text(json.dumps(found.to_json(), indent=1) + "\n", encoding="utf-8")
    try:
        from tools.dataset.plots import plot

        plot(found, folder / "stats.png")
    except ModuleNotFoundError:
        print("no plots: they need matplotlib (extra `dataset`)")
    return 0


def export(args: argparse.Namespace) -> int:
    target = args.output or args.work / "manifest.csv"
    draft = target.with_name(f".{target.name}.draft")
    query = (
        "SELECT f.path, f.make, f.model, f.year, f.listing, f.class, f.part, r.step, r.action, r.reason, r.detail, "
        "o.path FROM files f LEFT JOIN results r ON r.file = f.id LEFT JOIN files o ON o.id = r.other ORDER BY f.id"
    )
    with opened(args.work) as manifest, draft.open("w", encoding="utf-8", newline="") as stream:
        writer = csv.writer(stream, lineterminator="\n")
        writer.writerow(_EXPORTED)
        for path, *told, other in manifest.db.execute(query):
            writer.writerow((_text(path), *told, None if other is None else _text(other)))
    draft.replace(target)
    print(target)
    return 0


def restore(args: argparse.Namespace) -> int:
    with opened(args.work) as manifest, bar("restore", None) as progress:
        count = moving.restore(manifest, args.step, root_of(manifest), progress)
    print(f"{count:,} pictures are back where they were")
    return 0


def prove(args: argparse.Namespace) -> int:
    return prove_it(args.files, args.folder, args.seed, args.processes, args.ray, kill=not args.no_kill)


def _alone(args: argparse.Namespace, what: str) -> None:
    """Says of a step that looks at no picture why the options of the others change nothing."""
    if args.ray is not None or args.processes:
        print(f"{what} works on the manifest alone, in this process: --ray and --processes change nothing")


@contextmanager
def runner_of(args: argparse.Namespace) -> Iterator[Runner]:
    """Processes of this machine, or a Ray cluster."""
    if args.ray is None:
        yield LocalRunner(args.processes)
        return
    from tools.dataset.on_ray import RayRunner

    with RayRunner(args.ray, cpus=args.processes or None) as runner:
        yield runner


@contextmanager
def bar(name: str, total: int | None, unit: str = " files") -> Iterator[Callable[[int], object]]:
    """A progress bar in files, or in what else is counted."""
    with tqdm(desc=name, total=total, unit=unit, mininterval=0.5, smoothing=0.05) as shown:
        yield shown.update


def root_of(manifest: Manifest) -> Path:
    """The catalogue's folder; raises DatasetError before the first step."""
    root = manifest.get("root")
    if root is None:
        raise DatasetError(f"{manifest.file} knows no pictures yet: run `repair PICTURES` first")
    return Path(root)


def _not_among(root: bytes, folder: Path, what: str) -> None:
    """Raises UsageError where a folder lies in the catalogue: the next scan would take what is in it for pictures."""
    if os.path.commonpath([root, os.fsencode(folder)]) == root:
        raise UsageError(f"the {what} may not lie among the pictures: give another --output than {folder}")


def _ended(manifest: Manifest, args: argparse.Namespace, step: str) -> int:
    table = Table("action", "reason", "files", title=step + (" (dry run: nothing was written)" if args.dry_run else ""))
    rows = manifest.db.execute(
        "SELECT action, COALESCE(reason, ''), COUNT(*) FROM results WHERE step = ? GROUP BY 1, 2 ORDER BY 1, 3 DESC",
        (step,),
    )
    for action, reason, count in rows:
        table.add_row(action, reason, f"{count:,}")
    _console().print(table)
    if getattr(args, "quarantine", False) and not args.dry_run:
        folder = (args.work / "quarantine").resolve()
        with bar("quarantine", moving.to_move(manifest, step)) as progress:
            moved = moving.quarantine(manifest, step, root_of(manifest), folder, progress)
        print(f"{moved:,} pictures moved to {folder / step}; `restore --step {step}` moves them back")
    return 0


def _console() -> Console:
    console = Console(highlight=False)
    return console if console.is_terminal else Console(highlight=False, width=WIDTH)


def _text(path: bytes) -> str:
    return path.decode("utf-8", "backslashreplace")
