"""The benchmark `models`: our networks beside the peers, printed."""

from __future__ import annotations

import argparse
import dataclasses
from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path

from rich.console import Console
from rich.table import Table

from cloud_apis.settings import ApiSettings
from tools.bench import models
from tools.bench.peers import INSTALL, missing
from tools.bench.samples import Samples, samples
from tools.evaluation import parts
from tools.evaluation.confidence import wilson
from tools.evaluation.provenance import float32_models, models_used, named

NAMES = ("yolov3", "craft", "crnn")
MEGABYTE = 1e6


def bench_models(args: argparse.Namespace, _: Path, console: Console) -> dict[str, object]:
    """Detectors, readers and both together, on the same photos, crops and cores."""
    chosen = parts.settings(args.config, models=args.models)
    used = models_used(parts.models_folder(chosen), NAMES)
    found = samples(args.split, args.photos, args.crops)
    size = sum(m.size for m in used) / MEGABYTE
    console.print(f"{named(used)}; {size:.2f} MB together; {len(found.photos)} photos and {len(found.crops)} crops:")
    console.print(f"{found.origin}. Times are of one photo or one crop.")
    if absent := missing():
        console.print(f"left out, as not installed: {', '.join(absent)}. To install them: {INSTALL}")
    detecting, reading = _rows(args, chosen, found)
    console.print(_table("finding plates in one photo", detecting))
    console.print(_table("reading one crop", reading))
    shares = [*models.shares(detecting, models.OUR_DETECTOR), *models.shares(reading, models.OUR_READER)]
    console.print(_shares(shares))
    rates = [models.throughput(chosen, found.photos, n, args.repeats) for n in args.threads]
    console.print(_rates(rates))
    return {
        "models": [dataclasses.asdict(m) for m in used],
        "origin": found.origin,
        "detectors": [dataclasses.asdict(r) for r in detecting],
        "readers": [dataclasses.asdict(r) for r in reading],
        "shares": [dataclasses.asdict(s) for s in shares],
        "throughput": [{**dataclasses.asdict(r), "rate_hz": r.rate_hz} for r in rates],
    }


def _rows(args: argparse.Namespace, chosen: ApiSettings, found: Samples) -> tuple[list[models.Row], list[models.Row]]:
    """All detectors and all readers: the shipped models, the float32 ones if they are named, the peers."""
    detecting: list[models.Row] = []
    reading: list[models.Row] = []
    with ExitStack() as stack:
        kinds = [("", chosen)]
        if args.float32:
            folder = stack.enter_context(float32_models(args.float32, parts.models_folder(chosen), NAMES))
            kinds.append((", float32", parts.settings(args.config, models=folder)))
        for threads in args.threads:
            for kind, settings in kinds:
                detecting += models.detectors(settings, found.photos, threads, args.repeats, kind)
                reading.append(models.reader(settings, found.crops, threads, args.repeats, kind))
            detecting.append(models.peer_detector(found.photos, threads))
            reading += models.peer_readers(found.crops, threads)
    return detecting, reading


def _table(title: str, rows: Sequence[models.Row]) -> Table:
    table = Table(title=title, title_justify="left")
    table.add_column("what")
    exact = any(r.exact is not None for r in rows)
    for heading in ("threads", "median", "p99", "processor", "runs", *(("exact", "95 % interval") if exact else ())):
        table.add_column(heading, justify="right")
    for r in rows:
        times = (_ms(r.wall.median_s), _ms(r.wall.p99_s), _ms(r.cpu.median_s))
        low, high = wilson(r.exact or 0, r.items)
        read = (f"{r.exact} of {r.items}", f"{low:.2f}–{high:.2f}") if r.exact is not None else ()
        table.add_row(r.name, str(r.threads), *times, str(r.wall.repeats), *read)
    return table


def _shares(shares: Sequence[models.Share]) -> Table:
    table = Table(title="our share of the peers' time, medians", title_justify="left")
    for heading in ("what", "of"):
        table.add_column(heading)
    for heading in ("threads", "by the clock", "of processor time"):
        table.add_column(heading, justify="right")
    for s in shares:
        table.add_row(s.name, s.reference, str(s.threads), _one_in(s.wall), _one_in(s.cpu))
    return table


def _rates(rates: Sequence[models.Throughput]) -> Table:
    table = Table(title="whole photos (JPEG) through detector and reader, without HTTP", title_justify="left")
    for heading in ("photos at a time", "photos", "plates found", "photos/s", "processor per photo"):
        table.add_column(heading, justify="right")
    for r in rates:
        cells = (str(r.workers), str(r.photos), str(r.plates), f"{r.rate_hz:.1f}")
        table.add_row(*cells, _ms(r.cpu_s / r.photos))
    return table


def _ms(seconds: float) -> str:
    return f"{seconds * 1000:.1f} ms"


def _one_in(share: float) -> str:
    return f"1/{1 / share:.1f}" if share > 0 else "–"
