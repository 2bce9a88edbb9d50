"""What `dashcam run` leaves at the end: a table, and the counters as JSON."""

from __future__ import annotations

import json
import os
import tempfile
from collections.abc import Sequence
from pathlib import Path

from rich.console import Console
from rich.table import Table
from rich.text import Text

from edge_client.commands.found import SHOWN
from edge_client.errors import ConfigError, DashcamError
from edge_client.overlay import percent_text, position_text
from edge_client.paths import is_folder
from edge_client.store.secrecy import short_hash
from edge_client.types import Summary, TrackRead


def check_summary_file(path: Path) -> None:
    """Shows before the drive, not after it, that the file cannot be written.

    Raises:
        ConfigError: its folder is missing, or it is a folder itself.
    """
    if not is_folder(path.parent):
        raise ConfigError(f"cannot write {path}: the folder {path.parent} does not exist; create it first")
    if is_folder(path):
        raise ConfigError(f"cannot write {path}: it is a folder; name a file: --summary-json FILE")
    if not os.access(path.parent, os.W_OK):
        raise ConfigError(f"cannot write {path}: the folder {path.parent} is not writable")


def write_summary(path: Path, summary: Summary) -> None:
    """Writes the counters as JSON; readers see the old file or the whole new one.

    Raises:
        DashcamError: the file cannot be written.
    """
    try:
        write_atomically(path, json.dumps(summary.to_json(), indent=2) + "\n")
    except OSError as e:
        raise DashcamError(f"cannot write the summary {path}: {e.strerror}") from e


def write_atomically(path: Path, text: str) -> None:
    """Writes a text file by way of a temporary one beside it.

    Raises:
        OSError: it cannot be written; an old file is still there then.
    """
    descriptor, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    temporary = Path(name)
    try:
        with os.fdopen(descriptor, "w", encoding="utf-8") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        temporary.chmod(0o644)
        temporary.replace(path)
    except OSError:
        temporary.unlink(missing_ok=True)
        raise


def print_summary(
    summary: Summary, reads: Sequence[TrackRead], reads_path: Path, recording: str | None, *, count: int | None = None
) -> None:
    """Prints the counters and the last of the reads of this drive on standard output; `count` is how many it made."""
    count = len(reads) if count is None else count
    console = Console(highlight=False, soft_wrap=True)
    console.print(_frames_table(summary))
    if reads:
        console.print(_reads_table(reads[-SHOWN:]))
    if (earlier := count - len(reads[-SHOWN:])) > 0:
        console.print(f"… and {earlier} earlier ones: dashcam reads list --limit 0")
    if recording is not None:
        console.print(Text(f"recording {recording}"))
    console.print(Text(f"{count} reads of this drive are in {reads_path}"))


def summary_line(summary: Summary, reads_path: Path) -> str:
    """The counters in one line, for a log."""
    shown, dropped = sum(summary.shown.values()), sum(summary.dropped.values())
    return (
        f"the drive has ended: {summary.captured} frames, {shown} shown, {dropped} dropped, "
        f"{summary.out_of_order} out of order, {summary.reads} reads in {reads_path}, "
        f"{summary.spool.get('waiting', 0)} pictures still to be read"
        + (f", {lost} plates not read and lost" if (lost := summary.left.get("lost", 0)) else "")
    )


def _frames_table(summary: Summary) -> Table:
    table = Table(title="Frames", title_justify="left", title_style="bold", show_header=False)
    table.add_column()
    table.add_column(justify="right")
    table.add_row("captured", str(summary.captured))
    for outcome, count in summary.shown.items():
        table.add_row(f"shown, {outcome}", str(count))
    for reason, count in summary.dropped.items():
        table.add_row(f"dropped, {reason}", str(count))
    if summary.in_flight:
        table.add_row("in flight", str(summary.in_flight))
    table.add_row("out of order", str(summary.out_of_order))
    table.add_row("age when shown, median", f"{summary.frame_age_p50_s:.2f} s")
    table.add_row("age when shown, p99", f"{summary.frame_age_p99_s:.2f} s")
    for api, counts in summary.requests.items():
        table.add_row(f"requests to {api}", f"{counts.get('sent', 0)}, {counts.get('failed', 0)} failed")
    if any(summary.vehicles.values()):
        cars = summary.vehicles
        table.add_row("cars described", str(cars["described"]))
        table.add_row("cars kept whose plate was not read", str(cars["without_plate"]))
        if cars["looks"]:
            table.add_row("looks around for cars without a plate", str(cars["looks"]))
            table.add_row("cars kept that showed no plate", str(cars["plateless"]))
        if cars["given_up"]:
            table.add_row("cars that nobody described", str(cars["given_up"]))
    for what, count in summary.left.items():
        if count:
            label = "plates left for the next drive to read" if what == "kept" else "plates not read, and lost"
            table.add_row(label, str(count))
    kept = summary.spool.get("kept_frames", 0) + summary.spool.get("kept_crops", 0)
    if kept or summary.spool.get("done", 0) or summary.spool.get("waiting", 0):
        table.add_row("pictures kept without a network", str(kept))
        table.add_row(
            "of these and earlier ones read since", f"{summary.spool['done']}, {summary.spool['reads']} plates"
        )
        table.add_row("still to be read, by the next drive", str(summary.spool["waiting"]))
    return table


def _reads_table(reads: Sequence[TrackRead]) -> Table:
    table = Table(title="Reads", title_justify="left", title_style="bold")
    table.add_column("plate", style="bold")
    table.add_column("confidence", justify="right")
    table.add_column("first seen (UTC)")
    cars = any(read.vehicle for read in reads)
    if cars:
        table.add_column("car")
    table.add_column("position")
    for read in reads:
        latitude, longitude = read.latitude_deg, read.longitude_deg
        table.add_row(
            Text(short_hash(read.text) if read.hashed else read.text or "not read"),
            percent_text(read.confidence) if read.text else "-",
            f"{read.first_seen:%Y-%m-%d %H:%M:%S}",
            *([Text(read.vehicle.title if read.vehicle is not None else "-")] if cars else []),
            "-" if latitude is None or longitude is None else position_text(latitude, longitude),
        )
    return table
