"""The flags that say which reads are wanted."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from edge_client.commands.moments import parse_moment
from edge_client.commands.settings import settings_of
from edge_client.store.library import Circle, ReadFilter, ReadLibrary
from edge_client.store.location import default_reads_file
from edge_client.store.plate_text import is_pattern, plain_plate
from edge_client.store.secrecy import secret_of
from edge_client.store.vehicle_columns import plain_name_pattern

MOST = 2**63 - 1
"""SQLite knows no larger number."""


def add_filter(parser: argparse.ArgumentParser, *, limit: int) -> None:
    """Adds the flags; `limit` is the default number of reads, 0 for all."""
    add = parser.add_argument
    add(
        "--plate",
        "--text",
        dest="text",
        type=_plate,
        metavar="GLOB",
        help="with * and ?: 'B?01*', any case and spacing",
    )
    add("--like", type=_plate, metavar="PLATE", help="nearly this plate; O and 0, I and 1 are alike")
    add("--distance", type=_count, default=1, metavar="N", help="characters that may differ with --like (default 1)")
    add("--since", type=parse_moment, metavar="TIME", help="seen then or later: 2026-05-01, 10:30, yesterday, 24h")
    add("--until", type=parse_moment, metavar="TIME", help="first seen before then")
    add("--near", type=_circle, metavar="LAT,LON,RADIUS_M", help="seen at most so many metres from there")
    add("--drive", metavar="UID", help="of this drive; the first characters do")
    known = parser.add_mutually_exclusive_group()
    known.add_argument("--known", action="store_true", default=None, help="plates of your list")
    known.add_argument("--unknown", dest="known", action="store_false", help="all others")
    for flags, what, example in (
        (("--type",), "vehicle_type", "hatchback, suv, truck"),
        (("--colour", "--color"), "colour", "red"),
        (("--make",), "make", "suzuki, 'mercedes*'"),
        (("--model",), "model", "swift"),
    ):
        add(*flags, dest=what, type=_name, metavar="NAME", help=f"cars of this {flags[0][2:]}: {example}; any case")
    plate = parser.add_mutually_exclusive_group()
    plate.add_argument(
        "--with-plate", action="store_true", default=None, dest="with_plate", help="cars whose plate was read"
    )
    plate.add_argument(
        "--without-plate", action="store_false", dest="with_plate", help="cars whose plate was not read or found"
    )
    add("--min-confidence", type=_confidence, metavar="C", help="0.8 or 80%%")
    add("--limit", type=_count, default=limit, metavar="N", help=f"the newest N, 0 for all (default {limit})")


def add_source(parser: argparse.ArgumentParser) -> None:
    """Adds the flags that name the reads file."""
    parser.add_argument("--reads", type=Path, metavar="FILE", help="the reads file")
    parser.add_argument("--config", type=Path, metavar="FILE", help="settings that name the reads file")


def filter_of(arguments: argparse.Namespace) -> ReadFilter:
    """The filter that the flags describe."""
    return ReadFilter(
        since=arguments.since,
        until=arguments.until,
        text=arguments.text,
        min_confidence=arguments.min_confidence,
        limit=arguments.limit or None,
        like=arguments.like,
        distance=arguments.distance,
        near=arguments.near,
        drive=arguments.drive,
        known=arguments.known,
        with_plate=arguments.with_plate,
        vehicle_type=arguments.vehicle_type,
        colour=arguments.colour,
        make=arguments.make,
        model=arguments.model,
    )


def file_of(arguments: argparse.Namespace) -> Path:
    """The reads file that the flags name, or the settings."""
    named: Path | None = arguments.reads
    return named or settings_of(arguments.config).reads.file or default_reads_file()


def open_library(arguments: argparse.Namespace) -> ReadLibrary:
    """The reads file, with the key of keyed hashes if the settings name one."""
    return ReadLibrary(file_of(arguments), secret_of(settings_of(arguments.config).reads.hash_key_file))


def warn_of_hashes(library: ReadLibrary, wanted: ReadFilter, arguments: argparse.Namespace) -> None:
    """Says so when reads cannot be searched as asked, since they are stored as keyed hashes."""
    if wanted.text is None and wanted.like is None:
        return
    hashed = library.count_hashed()
    if not hashed:
        return
    if wanted.like is not None or (wanted.text is not None and is_pattern(wanted.text)):
        why = "such are found by the whole plate alone, without * and ? and --like"
    elif settings_of(arguments.config).reads.hash_key_file is None:
        why = "the settings name no reads.hash_key_file to find them with"
    else:
        return
    print(f"dashcam: {hashed} reads are keyed hashes and were not searched: {why}", file=sys.stderr)


def _plate(text: str) -> str:
    if not plain_plate(text) and not is_pattern(text):
        raise argparse.ArgumentTypeError(f"{text!r} is no plate; write letters and digits, and * and ? for others")
    return text


def _name(text: str) -> str:
    if not plain_name_pattern(text):
        raise argparse.ArgumentTypeError(f"{text!r} is no name; write letters and digits, and * and ? for others")
    return text


def _circle(text: str) -> Circle:
    try:
        latitude, longitude, radius = (float(part) for part in text.split(","))
    except ValueError:
        latitude = longitude = radius = float("nan")
    if not (-90 <= latitude <= 90 and -180 <= longitude <= 180 and 0 <= radius < float("inf")):
        raise argparse.ArgumentTypeError(f"{text!r} is no place; write LATITUDE,LONGITUDE,METRES: 45.7537,21.2257,500")
    return Circle(latitude, longitude, radius)


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
        raise argparse.ArgumentTypeError(f"{text!r} is no number; write 0 for all")
    if len(text.lstrip("0")) > len(str(MOST)) or int(text) > MOST:
        raise argparse.ArgumentTypeError(f"{text[:30]} is too large a number; write 0 for all")
    return int(text)
