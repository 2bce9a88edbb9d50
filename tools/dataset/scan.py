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
    """How many pictures there are, and how many of them were not known, or were not as they are now.

    ``gone``: how many that were known are no longer there.
    """

    found: int
    new: int
    changed: int
    gone: int = 0


def walk(root: Path, leave_out: Path) -> Iterator[Entry]:
    """Files with a picture's ending below ``root``, sorted within their folder; links are not followed.

    The order counts: of doubles the first that was found stays, and the same catalogue must give the same set on any
    file system. The names of one folder at a time are therefore in memory, about 0.2 kB for each file in it. Raises
    DatasetError where a folder cannot be read: pictures would be missed without a word.
    """
    base = os.fsencode(root)
    skipped = os.fsencode(leave_out.resolve())
    folders = [b""]
    while folders:
        folder = folders.pop()
        try:
            with os.scandir(os.path.join(base, folder)) as listed:  # noqa: PTH118 bytes
                entries = sorted(listed, key=lambda entry: entry.name, reverse=True)
        except OSError as error:
            raise DatasetError(f"cannot read {os.fsdecode(os.path.join(base, folder))}: {error.strerror}") from error  # noqa: PTH118
        below = []
        while entries:
            entry = entries.pop()  # and let go of: what is asked of it, it keeps, which is more than its name
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

    What is no longer there goes out as missing; when it is back it is looked at anew. So are the doubles of a picture
    that has changed or is gone: those in quarantine are moved back (not by a dry run). Raises DatasetError when the
    manifest is of another catalogue or layout, or when no picture at all is left.
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
    manifest.db.execute("DROP TABLE IF EXISTS temp.seen")
    manifest.db.execute("CREATE TEMP TABLE seen(file INTEGER PRIMARY KEY)")
    for page in _pages(walk(root, work)):
        added, altered = _put(manifest, page, layout, base)
        found, new, changed = found + len(page), new + added, changed + altered
        progress(len(page))
    if not found and manifest.count("f.out_by IS NULL"):
        raise DatasetError(f"none of the known pictures is in {root} any more: is the disk there?")
    gone = _put_out_unseen(manifest, base, work)
    manifest.db.execute("DROP TABLE temp.seen")
    return Scanned(found, new, changed, gone)


_MOVED = "EXISTS(SELECT 1 FROM results r WHERE r.step = f.out_by AND r.file = f.id AND r.target IS NOT NULL)"
_MISSING = "EXISTS(SELECT 1 FROM results r WHERE r.step = f.out_by AND r.file = f.id AND r.reason = 'missing')"


def _put_out_unseen(manifest: Manifest, root: bytes | None, work: Path) -> int:
    """Sorts out what the scan has not seen and no step has moved away; how many."""
    away = os.fsencode(work.resolve() / "quarantine")
    unseen = f"NOT EXISTS(SELECT 1 FROM temp.seen s WHERE s.file = f.id) AND NOT {_MOVED} AND NOT {_MISSING}"
    last, gone = -1, 0
    while rows := manifest.db.execute(
        f"SELECT f.id, f.path, f.out_by FROM files f WHERE f.id > ? AND {unseen} ORDER BY f.id LIMIT ?", (last, PAGE)
    ).fetchall():
        last = rows[-1][0]
        with manifest.transaction() as db:
            for number, path, out_by in rows:
                if out_by is not None and os.path.lexists(os.path.join(away, out_by.encode(), path)):  # noqa: PTH118 bytes
                    continue  # moved by a run that was cut off before it could say so
                _forget(db, number, root)
                db.execute(
                    "INSERT INTO results(step, file, action, reason, detail) "
                    "VALUES('repair', ?, 'out', 'missing', 'it is no longer there')",
                    (number,),
                )
                db.execute("UPDATE files SET out_by = 'repair', class = NULL, part = NULL WHERE id = ?", (number,))
                gone += 1
    return gone


def _pages(entries: Iterable[Entry]) -> Iterator[list[Entry]]:
    stream = iter(entries)
    while page := list(islice(stream, PAGE)):
        yield page


def _put(manifest: Manifest, page: list[Entry], layout: Layout, root: bytes | None) -> tuple[int, int]:
    new = changed = 0
    with manifest.transaction() as db:
        for entry in page:
            row = db.execute(
                f"SELECT f.id, f.size, f.mtime_ns, {_MISSING} FROM files f WHERE f.path = ?", (entry.path,)
            ).fetchone()
            if row is not None:
                db.execute("INSERT OR IGNORE INTO temp.seen VALUES(?)", row[:1])
            if row is not None and row[1:] == (entry.size, entry.mtime_ns, 0):
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
            added = db.execute(
                "INSERT INTO files(path, size, mtime_ns, make, model, year, listing) VALUES(?, ?, ?, ?, ?, ?, ?)",
                (entry.path, entry.size, entry.mtime_ns, place.make, place.model, place.year, listing),
            )
            db.execute("INSERT INTO temp.seen VALUES(?)", (added.lastrowid,))
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
        if lies is not None:  # the scan may have been in its folder before it was back
            db.execute("INSERT OR IGNORE INTO temp.seen VALUES(?)", (double,))
        db.execute("DELETE FROM results WHERE step = 'repair' AND file = ?", (double,))
        db.execute("UPDATE files SET out_by = NULL WHERE id = ? AND out_by = 'repair'", (double,))
    db.executemany("DELETE FROM results WHERE step = ? AND file = ?", [(step, number) for step in STEPS])
    db.execute("DELETE FROM looks WHERE file = ?", (number,))
