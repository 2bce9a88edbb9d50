"""Finds the pictures of a catalogue, streaming, and puts them into the manifest."""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

from tools.dataset.errors import DatasetError
from tools.dataset.layout import Layout
from tools.dataset.manifest import PAGE, STEPS, Manifest
from tools.dataset.moving import put_back
from tools.training.datasets.labels import PICTURE_ENDINGS

_ENDINGS = tuple(ending.encode() for ending in PICTURE_ENDINGS)


@dataclass(frozen=True, slots=True)
class Entry:
    """A file as the file system tells of it; ``path`` is relative to the catalogue."""

    path: bytes
    size: int
    mtime_ns: int


@dataclass(frozen=True, slots=True)
class Scanned:
    """How many pictures there are, and how many of them were not known, or were not as they are now."""

    found: int
    new: int
    changed: int


def walk(root: Path, leave_out: Path) -> Iterator[Entry]:
    """Files with a picture's ending below ``root``, sorted within their folder; links are not followed.

    Raises DatasetError where a folder cannot be read: pictures would be missed without a word.
    """
    base = os.fsencode(root)
    skipped = os.fsencode(leave_out.resolve())
    folders = [b""]
    while folders:
        folder = folders.pop()
        try:
            with os.scandir(os.path.join(base, folder)) as listed:  # noqa: PTH118 bytes
                entries = sorted(listed, key=lambda entry: entry.name)
        except OSError as error:
            raise DatasetError(f"cannot read {os.fsdecode(os.path.join(base, folder))}: {error.strerror}") from error  # noqa: PTH118
        below = []
        for entry in entries:
            path = os.path.join(folder, entry.name)  # noqa: PTH118
            if entry.is_dir(follow_symlinks=False):
                if os.path.realpath(entry.path) != skipped:
                    below.append(path)
            elif entry.name.lower().endswith(_ENDINGS) and entry.is_file(follow_symlinks=False):
                stat = entry.stat(follow_symlinks=False)
                yield Entry(path, stat.st_size, stat.st_mtime_ns)
        folders += reversed(below)


def scan(
    manifest: Manifest,
    root: Path,
    work: Path,
    layout: Layout,
    progress: Callable[[int], object],
    dry_run: bool = False,
) -> Scanned:
    """Puts what is new into the manifest; what has changed since is forgotten and will be looked at anew.

    So are the doubles of a picture that has changed: those in quarantine are moved back (not by a dry run). Raises
    DatasetError when the manifest is of another catalogue or layout.
    """
    if not root.is_dir():
        raise DatasetError(f"there is no folder {root}")
    for key, value in (("root", str(root.resolve())), ("layout", layout.template)):
        known = manifest.get(key)
        if known is not None and known != value:
            raise DatasetError(f"{manifest.file} is of {key} {known}, not {value}: give another --work")
        manifest.put(key, value)
    found = new = changed = 0
    base = None if dry_run else os.fsencode(root)
    for page in _pages(walk(root, work)):
        added, altered = _put(manifest, page, layout, base)
        found, new, changed = found + len(page), new + added, changed + altered
        progress(len(page))
    return Scanned(found, new, changed)


def _pages(entries: Iterable[Entry]) -> Iterator[list[Entry]]:
    stream = iter(entries)
    while page := list(islice(stream, PAGE)):
        yield page


def _put(manifest: Manifest, page: list[Entry], layout: Layout, root: bytes | None) -> tuple[int, int]:
    new = changed = 0
    with manifest.transaction() as db:
        for entry in page:
            row = db.execute("SELECT id, size, mtime_ns FROM files WHERE path = ?", (entry.path,)).fetchone()
            if row is not None and row[1:] == (entry.size, entry.mtime_ns):
                continue
            if row is not None:
                changed += 1
                _forget(db, row[0], root)
                db.execute(
                    "UPDATE files SET size = ?, mtime_ns = ?, out_by = NULL, class = NULL, part = NULL WHERE id = ?",
                    (entry.size, entry.mtime_ns, row[0]),
                )
                continue
            new += 1
            place = layout.place(os.fsdecode(entry.path).encode("utf-8", "replace").decode())
            listing = place.listing or f"#{entry.path.hex()}"
            db.execute(
                "INSERT INTO files(path, size, mtime_ns, make, model, year, listing) VALUES(?, ?, ?, ?, ?, ?, ?)",
                (entry.path, entry.size, entry.mtime_ns, place.make, place.model, place.year, listing),
            )
    return new, changed


def _forget(db: sqlite3.Connection, number: int, root: bytes | None) -> None:
    """Forgets what was found out about a picture, and that others double it: one of those may have to stay now.

    ``root`` None: moves nothing.
    """
    doubles = db.execute(
        "SELECT r.file, f.path, r.target FROM results r JOIN files f ON f.id = r.file "
        "WHERE r.other = ? AND r.step = 'repair'",
        (number,),
    ).fetchall()
    for double, path, lies in doubles:
        if lies is not None and root is not None and not put_back(os.path.join(root, path), lies):  # noqa: PTH118 bytes
            continue  # taken out of the quarantine by hand: there is no picture that could stay
        db.execute("DELETE FROM results WHERE step = 'repair' AND file = ?", (double,))
        db.execute("UPDATE files SET out_by = NULL WHERE id = ? AND out_by = 'repair'", (double,))
    db.executemany("DELETE FROM results WHERE step = ? AND file = ?", [(step, number) for step in STEPS])
    db.execute("DELETE FROM looks WHERE file = ?", (number,))
