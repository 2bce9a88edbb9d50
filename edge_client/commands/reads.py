"""`dashcam reads list|search|show|note|drives|export`: the reads that are kept."""

from __future__ import annotations

import argparse
import io
import sys
from contextlib import closing
from pathlib import Path

from rich.console import Console
from rich.table import Table
from rich.text import Text

from edge_client.commands.parser import Subcommands
from edge_client.commands.reads_filter import (
    MOST,
    add_filter,
    add_source,
    file_of,
    filter_of,
    open_library,
    warn_of_hashes,
)
from edge_client.commands.summary import write_atomically
from edge_client.errors import StoreError
from edge_client.overlay import percent_text, position_text
from edge_client.store.export import write_csv, write_json
from edge_client.store.geojson import write_geojson
from edge_client.store.gpx import write_gpx
from edge_client.store.rows import StoredRead
from edge_client.store.ways import ways_of
from edge_client.store.writer import SqliteReads
from edge_client.types import Vehicle
from edge_client.types.vehicles import shown_name

_NO_PLATE = "not read"


def add_parser(commands: Subcommands) -> None:
    """Adds the subcommand."""
    parser = commands.add_parser("reads", help="search and export the stored reads", description="Stored reads.")
    actions = parser.add_subparsers(title="commands", required=True, metavar="COMMAND")
    listing = actions.add_parser("list", help="list reads, newest first")
    search = actions.add_parser("search", help="find reads by plate, time, place, drive, looks of the car; as list")
    for action in (listing, search):
        add_filter(action, limit=50)
        action.set_defaults(function=list_reads)
    show = actions.add_parser("show", help="show one read with the single reads behind it")
    show.add_argument("id", type=_read_id, metavar="ID", help="number of the read, as `list` shows it")
    show.add_argument(
        "--crop", type=Path, metavar="FILE", help="write the picture of the plate, or of a car without one (JPEG)"
    )
    show.set_defaults(function=show_read)
    note = actions.add_parser("note", help="keep words of your own with a read")
    note.add_argument("id", type=_read_id, metavar="ID", help="number of the read, as `list` shows it")
    note.add_argument("note", metavar="TEXT", help="the words, in place of those before")
    note.set_defaults(function=note_read)
    drives = actions.add_parser("drives", help="list drives, oldest first")
    drives.set_defaults(function=list_drives)
    export = actions.add_parser("export", help="export reads, oldest first, and the tracks of their drives")
    add_filter(export, limit=0)
    export.add_argument("--format", choices=("csv", "json", "gpx", "geojson"), default="csv", help="default: csv")
    export.add_argument("-o", "--output", type=Path, metavar="FILE", help="default: standard output")
    export.set_defaults(function=export_reads)
    for action in (listing, search, show, note, drives, export):
        add_source(action)


def list_reads(arguments: argparse.Namespace) -> int:
    """Prints a table of reads."""
    wanted = filter_of(arguments)
    with open_library(arguments) as library:
        reads = library.find(wanted)
        warn_of_hashes(library, wanted, arguments)
    if not reads:
        print("there are no reads yet" if wanted.is_empty() else "no reads fit")
        return 0
    about = any(read.known or read.note for read in reads)
    cars = any(read.vehicle for read in reads)
    table = Table()
    table.add_column("ID", justify="right")
    table.add_column("plate", style="bold")
    table.add_column("confidence", justify="right")
    if cars:
        table.add_column("car")
    table.add_column("first seen (UTC)")
    table.add_column("seen for", justify="right")
    table.add_column("position")
    if about:
        table.add_column("known as; note")
    for read in reads:
        row: list[str | Text] = [
            str(read.id),
            _plate_text(read),
            percent_text(read.confidence) if read.text else "-",
            *([Text(read.vehicle.title if read.vehicle is not None else "-")] if cars else []),
            f"{read.first_seen:%Y-%m-%d %H:%M:%S}",
            f"{(read.last_seen - read.first_seen).total_seconds():.1f} s",
            _position(read),
        ]
        if about:
            row.append(Text("; ".join(part for part in (read.known, read.note) if part)))
        table.add_row(*row)
    _console().print(table)
    if len(reads) == arguments.limit:
        print(f"only the newest {arguments.limit} are shown; --limit 0 shows all")
    return 0


def show_read(arguments: argparse.Namespace) -> int:
    """Prints one read and the single reads behind it; writes its crop if asked."""
    with open_library(arguments) as library:
        read = library.get(arguments.id)
        if read is None:
            raise _no_read(arguments)
        singles = library.singles(read.id)
        crop = library.crop(read.id)
    console = _console()
    table = Table(show_header=False)
    characters = zip(read.text, read.character_confidences, strict=False)
    rows = {
        "plate": read.text or _NO_PLATE,
        "confidence": percent_text(read.confidence) if read.text else "-",
        "characters": "  ".join(f"{character} {percent_text(confidence)}" for character, confidence in characters),
        **_about_car(read.vehicle),
        "first seen": f"{read.first_seen:%Y-%m-%d %H:%M:%S.%f}"[:-3] + " UTC",
        "last seen": f"{read.last_seen:%Y-%m-%d %H:%M:%S.%f}"[:-3] + " UTC",
        "position": _position(read),
        "age of the fix": "-" if read.fix_age_s is None else f"{read.fix_age_s:.2f} s",
        "speed": "-" if read.speed_mps is None else f"{read.speed_mps:.1f} m/s",
        "time from": read.utc_source + (f", moved {read.time_shift_s:+.1f} s" if read.time_shift_s else ""),
        "drive": read.drive or "-",
        "uid": read.uid,
        "known as": read.known or "-",
        "note": read.note or "-",
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
    if arguments.crop is not None and not crop:
        raise StoreError("no picture is kept of this read: plates are stored as keyed hashes")
    if arguments.crop is not None:
        try:
            arguments.crop.write_bytes(crop or b"")
        except OSError as e:
            raise StoreError(f"cannot write the crop {arguments.crop}: {e.strerror}") from e
        print(f"the crop is in {arguments.crop}")
    return 0


def export_reads(arguments: argparse.Namespace) -> int:
    """Writes reads as CSV, JSON, GPX or GeoJSON; the last two with the tracks of their drives."""
    wanted = filter_of(arguments)
    with open_library(arguments) as library:
        reads = library.find(wanted)
        reads.reverse()
        warn_of_hashes(library, wanted, arguments)
        ways = ways_of(library, wanted, reads) if arguments.format in ("gpx", "geojson") else []
    text = io.StringIO()
    match arguments.format:
        case "json":
            write_json(reads, text)
        case "gpx":
            write_gpx(reads, ways, text)
        case "geojson":
            write_geojson(reads, ways, text)
        case _:
            write_csv(reads, text)
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


def note_read(arguments: argparse.Namespace) -> int:
    """Keeps the owner's own words with a read."""
    with open_library(arguments) as library:  # tells if there is no file, and makes none
        if library.get(arguments.id) is None:
            raise _no_read(arguments)
    with closing(SqliteReads(file_of(arguments))) as store:
        store.annotate(arguments.id, arguments.note)
    return 0


def list_drives(arguments: argparse.Namespace) -> int:
    """Prints a table of drives."""
    with open_library(arguments) as library:
        drives = library.drives()
    if not drives:
        print("there are no drives yet")
        return 0
    table = Table("drive", "started (UTC)", "took", "time from", "source", "reads")
    for drive in drives:
        took = str(drive.ended - drive.started).split(".")[0] if drive.ended is not None else "not ended"
        told = drive.utc_source + (f", moved {drive.time_shift_s:+.1f} s" if drive.time_shift_s else "")
        started = f"{drive.started:%Y-%m-%d %H:%M:%S}"
        table.add_row(drive.uid[:8], started, took, told, Text(drive.source), str(drive.reads))
    _console().print(table)
    return 0


def _read_id(text: str) -> int:
    try:
        number = int(text)
    except ValueError:
        raise argparse.ArgumentTypeError(f"invalid int value: {text[:30]!r}") from None
    if abs(number) > MOST:
        raise argparse.ArgumentTypeError(f"there is no read {text[:30]}; `dashcam reads list` shows them")
    return number


def _no_read(arguments: argparse.Namespace) -> StoreError:
    return StoreError(f"there is no read {arguments.id} in {file_of(arguments)}; `dashcam reads list` shows them")


def _plate_text(read: StoredRead) -> Text:
    """The plate; of a keyed hash the first digits."""
    if not read.text:
        return Text(_NO_PLATE, style="dim")
    return Text(f"#{read.text[:12]}…" if read.hashed else read.text)


def _about_car(car: Vehicle | None) -> dict[str, str]:
    """What the car looks like, with how likely that is; nothing where nothing is known."""
    if car is None:
        return {}
    told = {
        "type": (car.type, car.type_confidence),
        "colour": (car.colour, car.colour_confidence),
        "make": (shown_name(car.make), car.make_confidence),
        "model": (shown_name(car.model), car.model_confidence),
    }
    return {name: f"{value} {percent_text(chance)}" if value else "-" for name, (value, chance) in told.items()}


def _position(read: StoredRead) -> str:
    if read.latitude_deg is None or read.longitude_deg is None:
        return "-"
    return position_text(read.latitude_deg, read.longitude_deg)


def _console() -> Console:
    """As wide as the terminal; wide enough for all columns where the output is no terminal."""
    console = Console(highlight=False)
    return console if console.is_terminal else Console(highlight=False, width=120)
