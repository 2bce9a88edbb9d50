"""`python -m tools.bench models|full|realtime|uplink|memory|device|latency|report|all`: how fast and lean all is."""

from __future__ import annotations

import argparse
import dataclasses
import json
import os
import platform
import sys
import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path

from rich.console import Console
from rich.table import Table

from cloud_apis.model_files import packaged_models
from tools.bench import latency
from tools.bench.consensus import bench_consensus
from tools.bench.device import RunError
from tools.bench.device_load import CASES, device_load, options_of
from tools.bench.figures import Timing
from tools.bench.models_command import bench_models
from tools.bench.report import bench_report
from tools.bench.scenarios import full_rate, realtime, resident_memory, worst
from tools.bench.uplink import bench_uplink
from tools.data import require_data_root
from tools.demo.cli import main as demo
from tools.evaluation.parts import PartError
from tools.evaluation.sets import SPLITS

Result = dict[str, object]


def parser() -> argparse.ArgumentParser:
    """The command line."""
    top = argparse.ArgumentParser(prog="python -m tools.bench", description=__doc__)
    top.add_argument("what", choices=(*BENCHMARKS, "all"))
    top.add_argument("--video", type=Path, help="for realtime, uplink and memory: a drive; default: the demo's")
    top.add_argument("--pictures", type=Path, metavar="DIR", help="for full; default: the data's ro_dashcam")
    top.add_argument("--models", type=Path, metavar="DIR", help="for models and latency; default: the shipped models")
    top.add_argument("--config", type=Path, metavar="FILE", help="settings of the APIs")
    top.add_argument("--photos", type=int, default=20, metavar="N", help="for models and report: labelled photos")
    top.add_argument("--crops", type=int, default=100, metavar="N", help="for models: labelled crops of plates")
    top.add_argument("--split", choices=SPLITS, default="val", help="for models: the split that these are from")
    top.add_argument("--threads", type=int, nargs="+", default=(1, 2), metavar="N", help="for models")
    top.add_argument(
        "--float32", type=Path, nargs="+", metavar="DIR", help="for models: <model>.float32.onnx of these folders too"
    )
    top.add_argument("--repeats", type=int, default=3, help="runs of full and realtime, rounds of ours in models")
    top.add_argument("--seconds", type=float, default=60.0, help="length of each realtime and uplink run")
    top.add_argument("--minutes", type=float, help="length of the memory run (default 10), of each device run (2)")
    top.add_argument("--round-trip-ms", type=float, default=150.0, help="for realtime: distance of the APIs")
    top.add_argument(
        "--cache", type=Path, metavar="FILE", help="for consensus: keeps the models' answers for a next run"
    )
    top.add_argument(
        "--picture-rate-hz", type=float, help="for consensus: play the pictures at this rate, not at their own seconds"
    )
    top.add_argument("--json", type=Path, metavar="FILE", help="write the figures there too")
    return top


def main(argv: Sequence[str] | None = None) -> int:
    """Runs the benchmarks; 0 when figures were made, 1 when a run failed, 2 when something is missing."""
    args = parser().parse_args(argv)
    console = Console(width=None if sys.stdout.isatty() else 140)
    chosen = list(BENCHMARKS) if args.what == "all" else [args.what]
    results: dict[str, object] = {"machine": machine()}
    console.print(f"on {results['machine']}")
    try:
        for name in chosen:
            with tempfile.TemporaryDirectory(prefix="bench-") as folder:
                results[name] = BENCHMARKS[name](args, Path(folder), console)
    except (OSError, PartError) as error:
        print(f"bench: error: {error}", file=sys.stderr)
        return 2
    except RunError as error:
        print(f"bench: error: {error}", file=sys.stderr)
        return 1
    if args.json is not None:
        args.json.write_text(json.dumps(results, indent=2) + "\n", encoding="utf-8")
    return 0


def machine() -> str:
    """Processor, cores and load, for the record beside the figures."""
    model = platform.processor() or platform.machine()
    cpuinfo = Path("/proc/cpuinfo")
    if cpuinfo.is_file():
        lines = cpuinfo.read_text(encoding="utf-8").splitlines()
        model = next((line.split(":", 1)[1].strip() for line in lines if line.startswith("model name")), model)
    return f"{model}, {os.cpu_count()} cores, load {os.getloadavg()[0]:.1f}, Python {platform.python_version()}"


def bench_full(args: argparse.Namespace, folder: Path, console: Console) -> Result:
    """Frames a second at full rate, beside a sequential client."""
    pictures = args.pictures or require_data_root() / "plates" / "ro_dashcam"
    result = full_rate(pictures, folder, args.config, repeats=args.repeats, peer_pictures=150)
    table = Table(title=f"--rate full, {result.frames} pictures, everything on this machine, medians")
    for heading in ("client", "pictures", "runs", "frames/s", "ms/frame"):
        table.add_column(heading, justify="left" if heading == "client" else "right")
    for name, pictures_read, t in (
        ("dashcam (start included)", result.frames, result.dashcam),
        ("one request at a time (peer)", result.sequential_frames, result.sequential),
    ):
        table.add_row(name, str(pictures_read), str(t.repeats), f"{t.rate_hz:.1f}", f"{t.median_s * 1000:.1f}")
    table.caption = (
        f"processor time per frame: dashcam {result.device_cpu_s * 1000:.0f} ms, APIs {result.apis_cpu_s * 1000:.0f} ms"
    )
    console.print(table)
    return dataclasses.asdict(result)


def bench_realtime(args: argparse.Namespace, folder: Path, console: Console) -> Result:
    """Lost and late frames in real time with the APIs far away."""
    runs = realtime(
        video(args, folder),
        folder,
        args.config,
        seconds=args.seconds,
        round_trip_s=args.round_trip_ms / 1000,
        repeats=args.repeats,
    )
    table = Table(title=f"--rate realtime at 30 frames/s, APIs {args.round_trip_ms:g} ms away")
    for heading in (
        "run",
        "captured",
        "lost",
        "out of order",
        "own result",
        "carried",
        "plain",
        "age p50",
        "age p99",
        "pace",
    ):
        table.add_column(heading, justify="right")
    for name, r in [*((str(i + 1), r) for i, r in enumerate(runs)), ("worst", worst(runs))]:
        counts = (r.captured, r.lost, r.out_of_order, r.annotated, r.carried, r.plain)
        table.add_row(name, *map(str, counts), f"{r.age_p50_s:.2f} s", f"{r.age_p99_s:.2f} s", f"{r.pace:.2f}")
    console.print(table)
    return {"runs": [dataclasses.asdict(r) for r in runs]}


def bench_memory(args: argparse.Namespace, folder: Path, console: Console) -> Result:
    """Resident memory of the device process."""
    result, run = resident_memory(video(args, folder), folder, args.config, minutes=args.minutes or 10.0)
    table = Table(title=f"device process over {result.minutes:.1f} minutes, page and recording on, {run.shown} frames")
    for heading in ("warm", "end", "most", "slope of the second half"):
        table.add_column(heading, justify="right")
    sizes = (result.warm_mib, result.end_mib, result.most_mib)
    table.add_row(*(f"{s:.0f} MiB" for s in sizes), f"{result.slope_mib_per_minute:+.2f} MiB/min")
    console.print(table)
    return dataclasses.asdict(result)


def bench_device(args: argparse.Namespace, folder: Path, console: Console) -> Result:
    """Processor time and memory of the device process while others do the inference."""
    table = Table(title="device process at 30 frames/s, APIs that answer at once in another process")
    for heading in ("case", "seconds", "of one core", "resident", "most", "slope", "captured", "lost", "pace"):
        table.add_column(heading, justify="left" if heading == "case" else "right")
    drive, results = video(args, folder), {}
    for case in CASES:
        place = folder / case.replace(" ", "-")
        load = device_load(drive, place, minutes=args.minutes or 2.0, options=options_of(case, place))
        sizes = (
            f"{load.resident_mib:.0f} MiB",
            f"{load.most_mib:.0f} MiB",
            f"{load.slope_mib_per_minute:+.2f} MiB/min",
        )
        counts = (str(load.captured), str(load.lost), f"{load.pace:.2f}")
        table.add_row(case, f"{load.seconds:.0f}", f"{load.core_share * 100:.0f} %", *sizes, *counts)
        results[case] = dataclasses.asdict(load)
    console.print(table)
    return dict(results)


def bench_latency(args: argparse.Namespace, folder: Path, console: Console) -> Result:
    """Time of one inference of each model."""
    table = Table(title="one inference, onnxruntime on the CPU")
    for heading in ("model", "input", "threads", "median", "p99", "per second"):
        table.add_column(heading, justify="left" if heading == "model" else "right")
    rows = []
    for row in latency.measure(args.models or packaged_models(), threads=(1, 2), warm_up=5, repeats=50):
        table.add_row(
            row.model,
            "×".join(map(str, row.shape)),
            str(row.threads),
            *(_milliseconds(row.timing)),
            f"{row.timing.rate_hz:.1f}",
        )
        rows.append(dataclasses.asdict(row))
    console.print(table)
    return {"rows": rows}


def video(args: argparse.Namespace, folder: Path) -> Path:
    """The drive that was named, or the demo's, rendered now."""
    if args.video is not None:
        return Path(args.video)
    if demo(["render", "--out", str(folder / "demo")]) != 0:
        raise RunError("the demo's drive could not be rendered: name another with --video")
    return folder / "demo" / "drive.mp4"


def _milliseconds(timing: Timing) -> tuple[str, str]:
    return f"{timing.median_s * 1000:.1f} ms", f"{timing.p99_s * 1000:.1f} ms"


BENCHMARKS: dict[str, Callable[[argparse.Namespace, Path, Console], Result]] = {
    "models": bench_models,
    "latency": bench_latency,
    "full": bench_full,
    "realtime": bench_realtime,
    "uplink": lambda args, folder, console: bench_uplink(args, folder, console, video(args, folder)),
    "memory": bench_memory,
    "consensus": bench_consensus,
    "report": bench_report,
    "device": bench_device,
}
