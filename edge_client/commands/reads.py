"""`dashcam reads list|show|export`: the reads that are kept."""

from __future__ import annotations

import argparse
import io
import re
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path

from rich.console import Console
from rich.table import Table
from rich.text import Text

from edge_client.commands.parser import Subcommands
from edge_client.commands.settings import settings_of
from edge_client.commands.summary import write_atomically
from edge_client.errors import StoreError
from edge_client.overlay import percent_text, position_text
from edge_client.store.export import write_csv, write_json
from edge_client.store.library import ReadFilter, ReadLibrary
from edge_client.store.location import default_reads_file
from edge_client.store.rows import StoredRead

_UNITS = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days", "w": "weeks"}


def add_parser(commands: Subcommands) -> None:
    """Adds the subcommand."""
    parser = commands.add_parser("reads", help="search and export the stored reads", description="Stored reads.")
    actions = parser.add_subparsers(title="commands", required=True, metavar="COMMAND")
    listing = actions.add_parser("list", help="list reads, newest first")
    _add_filter(listing, limit=50)
    listing.set_defaults(function=list_reads)
    show = actions.add_parser("show", help="show one read with the single reads behind it")
    show.add_argument("id", type=int, metavar="ID", help="number of the read, as `list` shows it")
    show.add_argument("--crop", type=Path, metavar="FILE", help="write the picture of the plate (JPEG)")
    show.set_defaults(function=show_read)
    export = actions.add_parser("export", help="export reads, oldest first")
    _add_filter(export, limit=0)
    export.add_argument("--format", choices=("csv", "json"), default="csv", help="default: csv")
    export.add_argument("-o", "--output", type=Path, metavar="FILE", help="default: standard output")
    export.set_defaults(function=export_reads)
    for action in (listing, show, export):
        action.add_argument("--reads", type=Path, metavar="FILE", help="the reads file")
        action.add_argument("--config", type=Path, metavar="FILE", help="settings that name the reads file")


def list_reads(arguments: argparse.Namespace) -> int:
    """Prints a table of reads."""
    with ReadLibrary(_file(arguments)) as library:
        reads = library.find(_filter(arguments))
    if not reads:
        print("no reads fit" if _is_filtered(arguments) else "there are no reads yet")
        return 0
    table = Table()
    table.add_column("ID", justify="right")
    table.add_column("plate", style="bold")
    table.add_column("confidence", justify="right")
    table.add_column("first seen (UTC)")
    table.add_column("seen for", justify="right")
    table.add_column("position")
    for read in reads:
        table.add_row(
            str(read.id),
            Text(read.text),
            percent_text(read.confidence),
            f"{read.first_seen:%Y-%m-%d %H:%M:%S}",
            f"{(read.last_seen - read.first_seen).total_seconds():.1f} s",
            _position(read),
        )
    _console().print(table)
    if len(reads) == arguments.limit:
        print(f"only the newest {arguments.limit} are shown; --limit 0 shows all")
    return 0


def show_read(arguments: argparse.Namespace) -> int:
    """Prints one read and the single reads behind it; writes its crop if asked."""
    path = _file(arguments)
    with ReadLibrary(path) as library:
        read = library.get(arguments.id)
        if read is None:
            raise StoreError(f"there is no read {arguments.id} in {path}; `dashcam reads list` shows them")
        singles = library.singles(read.id)
        crop = library.crop(read.id)
    console = _console()
    table = Table(show_header=False)
    characters = zip(read.text, read.character_confidences, strict=False)
    rows = {
        "plate": read.text,
        "confidence": percent_text(read.confidence),
        "characters": "  ".join(f"{character} {percent_text(confidence)}" for character, confidence in characters),
        "first seen": f"{read.first_seen:%Y-%m-%d %H:%M:%S.%f}"[:-3] + " UTC",
        "last seen": f"{read.last_seen:%Y-%m-%d %H:%M:%S.%f}"[:-3] + " UTC",
        "position": _position(read),
        "age of the fix": "-" if read.fix_age_s is None else f"{read.fix_age_s:.2f} s",
        "uid": read.uid,
    }
    for name, value in rows.items():
        table.add_row(name, Text(value))
    console.print(table)
    behind = Table(title=f"{len(singles)} single reads behind it", title_justify="left")
    for heading in ("frame", "seen (UTC)", "text", "least sure", "box", "sharpness"):
        behind.add_column(heading)
    for single in singles:
        behind.add_row(
            str(single.frame_number),
            f"{single.seen:%H:%M:%S.%f}"[:-3],
            Text(single.text),
            percent_text(min(single.character_confidences, default=0.0)),
            " ".join(f"{value:.0f}" for value in single.box),
            f"{single.sharpness:.0f}",
        )
    console.print(behind)
    if arguments.crop is not None:
        try:
            arguments.crop.write_bytes(crop or b"")
        except OSError as e:
            raise StoreError(f"cannot write the crop {arguments.crop}: {e.strerror}") from e
        print(f"the crop is in {arguments.crop}")
    return 0


def export_reads(arguments: argparse.Namespace) -> int:
    """Writes reads as CSV or JSON."""
    with ReadLibrary(_file(arguments)) as library:
        reads = library.find(_filter(arguments))
    reads.reverse()
    text = io.StringIO()
    (write_json if arguments.format == "json" else write_csv)(reads, text)
    if arguments.output is None:
        sys.stdout.write(text.getvalue())
        sys.stdout.flush()
        return 0
    try:
        write_atomically(arguments.output, text.getvalue())
    except OSError as e:
        raise StoreError(f"cannot write {arguments.output}: {e.strerror}") from e
    print(f"{len(reads)} reads are in {arguments.output}", file=sys.stderr)
    return 0


def parse_moment(text: str) -> datetime:
    """A time as people give it: `2026-05-01`, `2026-05-01T10:30`, `…Z`, or as long ago as `90m`, `24h`, `7d`.

    Without a zone it is UTC.

    Raises:
        argparse.ArgumentTypeError: it is none of these.
    """
    try:
        if match := re.fullmatch(r"(\d{1,6})([smhdw])", text.strip()):
            return datetime.now(UTC) - timedelta(**{_UNITS[match[2]]: int(match[1])})
        moment = datetime.fromisoformat(text.strip())
        return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)
    except (ValueError, OverflowError):
        raise argparse.ArgumentTypeError(
            f"{text!r} is no time; write 2026-05-01, 2026-05-01T10:30Z or, for as long ago, 90m, 24h, 7d"
        ) from None


def _confidence(text: str) -> float:
    """0..1, or a percentage with its sign."""
    try:
        value = float(text.removesuffix("%")) / (100 if text.endswith("%") else 1)
    except ValueError:
        value = -1.0
    if not 0 <= value <= 1:
        raise argparse.ArgumentTypeError(f"{text!r} is no confidence; write 0.8 or 80%")
    return value


def _count(text: str) -> int:
    if not text.isascii() or not text.isdecimal():
        raise argparse.ArgumentTypeError(f"{text!r} is no number of reads; write 0 for all")
    return int(text)


def _add_filter(parser: argparse.ArgumentParser, *, limit: int) -> None:
    parser.add_argument("--since", type=parse_moment, metavar="TIME", help="seen then or later: 2026-05-01, 24h")
    parser.add_argument("--until", type=parse_moment, metavar="TIME", help="first seen before then")
    parser.add_argument("--text", metavar="GLOB", help="plate, with * and ? as in the shell: 'B*12?'")
    parser.add_argument("--min-confidence", type=_confidence, metavar="C", help="0.8 or 80%%")
    parser.add_argument(
        "--limit", type=_count, default=limit, metavar="N", help=f"the newest N, 0 for all (default {limit})"
    )


def _filter(arguments: argparse.Namespace) -> ReadFilter:
    return ReadFilter(
        since=arguments.since,
        until=arguments.until,
        text=arguments.text,
        min_confidence=arguments.min_confidence,
        limit=arguments.limit or None,
    )


def _is_filtered(arguments: argparse.Namespace) -> bool:
    conditions = (arguments.since, arguments.until, arguments.text, arguments.min_confidence)
    return any(condition is not None for condition in conditions)


def _file(arguments: argparse.Namespace) -> Path:
    named: Path | None = arguments.reads
    return named or settings_of(arguments.config).reads.file or default_reads_file()


def _position(read: StoredRead) -> str:
    if read.latitude_deg is None or read.longitude_deg is None:
        return "-"
    return position_text(read.latitude_deg, read.longitude_deg)


def _console() -> Console:
    """As wide as the terminal; wide enough for all columns where the output is no terminal."""
    console = Console(highlight=False)
    return console if console.is_terminal else Console(highlight=False, width=120)
