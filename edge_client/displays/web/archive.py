"""What the page's list, map and downloads get from the reads file. All answers are of this moment, none is kept.

- `GET /api/reads?plate=&since=&until=&near=&like=&drive=&known=&type=&colour=&make=&model=&page=`: the filters of
  `dashcam reads search`, all optional: `plate` with `*` and `?`; `since` and `until` as there (`2026-05-01T10:30Z`,
  `24h`); `near` as `LATITUDE,LONGITUDE,METRES`; `page` from 1. Gives `{"page", "page_size", "more", "reads": [...]}`,
  newest first; a read has the fields of `export --format json` and `crop`, the address of its picture or "".
- `GET /api/track?drive=UID`: the way of a drive, the latest one without `drive`:
  `{"drive", "drives": [{"uid", "started", "ended", "source", "reads"}], "segments": [[[latitude, longitude]]]}`, at
  most 3000 points in WGS 84 degrees, cut where nothing was known for a minute; the newest 200 drives.
- `GET /reads/ID.jpg`: the picture of a read's plate.
- `GET /export/reads.csv|json|gpx|geojson?` with the same filters: a download, oldest first.

Errors are `{"error": "one line"}` with status 400 for a filter that makes no sense and 503 for a file that cannot be
read.
"""

from __future__ import annotations

import argparse
import io
from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Final, NoReturn

from edge_client.commands.reads_filter import add_filter, filter_of
from edge_client.store.export import as_object, write_csv, write_json
from edge_client.store.geojson import write_geojson
from edge_client.store.gpx import write_gpx
from edge_client.store.library import ReadFilter, ReadLibrary, StoredDrive
from edge_client.store.rows import StoredRead, time_text
from edge_client.store.secrecy import PlateSecret
from edge_client.store.ways import segments_of, ways_of

PAGE_SIZE: Final = 50
EXPORTS: Final = {
    "csv": "text/csv; charset=utf-8",
    "json": "application/json",
    "gpx": "application/gpx+xml",
    "geojson": "application/geo+json",
}
"""Formats of downloads and their media types."""

_FILTERS: Final = ("plate", "since", "until", "near", "like", "drive", "type", "colour", "make", "model")
_MOST_PAGES: Final = 2000
_MOST_POINTS: Final = 3000
_MOST_DRIVES: Final = 200
_MOST_CHARACTERS: Final = 200


class BadFilterError(ValueError):
    """A filter that makes no sense; the message is one line for the user."""


class _Parser(argparse.ArgumentParser):
    """The command's flags; what is wrong with them is raised, not printed."""

    def error(self, message: str) -> NoReturn:
        raise BadFilterError(message.removeprefix("argument --").replace("plate/--text: ", "plate: "))


def filter_from(query: Mapping[str, str]) -> ReadFilter:
    """The filter that a page's query describes; empty values count as none, other names are not looked at.

    Raises:
        BadFilterError: a value makes no sense.
    """
    parser = _Parser(add_help=False, allow_abbrev=False)
    add_filter(parser, limit=0)
    flags = [f"--{name}={query[name].strip()}" for name in _FILTERS if query.get(name, "").strip()]
    if any(len(flag) > _MOST_CHARACTERS or not flag.isprintable() for flag in flags):
        raise BadFilterError("a filter is too long, or has characters that are none")
    known = {"yes": ["--known"], "no": ["--unknown"], "": []}.get(query.get("known", ""))
    if known is None:
        raise BadFilterError("known: write yes or no")
    return filter_of(parser.parse_args(flags + known))


class Archive:
    """The reads file as the page sees it; each call opens it anew, from any thread. Raises `StoreError`."""

    def __init__(self, reads_file: Path, secret: PlateSecret | None = None) -> None:
        """`secret` finds whole plates that are stored as keyed hashes."""
        self._file = reads_file
        self._secret = secret

    def reads(self, query: Mapping[str, str]) -> dict[str, object]:
        """One page of reads. Raises `BadFilterError` too."""
        page = page_from(query.get("page", "1"))
        wanted = filter_from(query)
        end = page * PAGE_SIZE
        with ReadLibrary(self._file, self._secret) as library:
            found = library.find(replace(wanted, limit=end + 1))
        return {
            "page": page,
            "page_size": PAGE_SIZE,
            "more": len(found) > end,
            "reads": [
                _read_json(read, pictured=not (read.hashed or (self._secret is not None and not read.text)))
                for read in found[end - PAGE_SIZE : end]
            ],
        }

    def track(self, uid: str) -> dict[str, object]:
        """The way of a drive, of the latest one if `uid` is empty."""
        with ReadLibrary(self._file) as library:
            drives = library.drives()[-_MOST_DRIVES:][::-1]
            wanted = uid or (drives[0].uid if drives else "")
            points = library.track(wanted) if wanted else []
        step = -(-len(points) // _MOST_POINTS) or 1
        segments = [
            [[round(p.latitude_deg, 6), round(p.longitude_deg, 6)] for p in (*part[:-1:step], part[-1])]
            for part in segments_of(points)
        ]
        return {"drive": wanted, "drives": [_drive_json(drive) for drive in drives], "segments": segments}

    def crop(self, read_id: int) -> bytes | None:
        """The picture of a read's plate, JPEG; None when there is none."""
        with ReadLibrary(self._file) as library:
            return library.crop(read_id) or None

    def export(self, kind: str, query: Mapping[str, str]) -> str:
        """The reads in one of the formats of `EXPORTS`. Raises `BadFilterError` too."""
        wanted = filter_from(query)
        text = io.StringIO()
        with ReadLibrary(self._file, self._secret) as library:
            reads = library.find(wanted)[::-1]
            ways = ways_of(library, wanted, reads) if kind in ("gpx", "geojson") else []
        match kind:
            case "csv":
                write_csv(reads, text)
            case "json":
                write_json(reads, text)
            case "gpx":
                write_gpx(reads, ways, text)
            case "geojson":
                write_geojson(reads, ways, text)
        return text.getvalue()


def page_from(text: str) -> int:
    """The number of a page, from 1. Raises `BadFilterError`."""
    if not text.isascii() or not text.isdecimal() or len(text) > 6 or not 1 <= int(text) <= _MOST_PAGES:
        raise BadFilterError(f"page: write a number from 1 to {_MOST_PAGES}")
    return int(text)


def download_name(kind: str) -> str:
    """`reads-20260501-103000.csv`."""
    return f"reads-{datetime.now(UTC):%Y%m%d-%H%M%S}.{kind}"


def _read_json(read: StoredRead, *, pictured: bool) -> dict[str, object]:
    about = as_object(read)
    about["characters"] = about.pop("character_confidences")
    return about | {"crop": f"/reads/{read.id}.jpg" if pictured else ""}


def _drive_json(drive: StoredDrive) -> dict[str, object]:
    return {
        "uid": drive.uid,
        "started": time_text(drive.started),
        "ended": None if drive.ended is None else time_text(drive.ended),
        "source": drive.source,
        "reads": drive.reads,
    }
