"""The manifest: every file, and what each step did with it and why, in one SQLite file.

Everything is read in pages and written in short transactions, so that memory does not grow with the catalogue and a
step that was cut off goes on where it ended. Paths are bytes as the file system has them, relative to the catalogue.
"""

from __future__ import annotations

import fcntl
import json
import os
import sqlite3
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tools.dataset.errors import DatasetError
from tools.dataset.outcomes import Outcome

STEPS = ("repair", "filter", "crop", "merge", "split")
PAGE = 1024
_SCHEMA = """
CREATE TABLE IF NOT EXISTS meta(key TEXT PRIMARY KEY, value TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS files(
    id INTEGER PRIMARY KEY, path BLOB NOT NULL UNIQUE, size INTEGER NOT NULL, mtime_ns INTEGER NOT NULL,
    make TEXT, model TEXT, year INTEGER, listing TEXT NOT NULL,
    out_by TEXT,          -- the step that sorted it out; NULL: it is in
    class TEXT, part TEXT
);
CREATE INDEX IF NOT EXISTS files_model ON files(make, model, year);
CREATE INDEX IF NOT EXISTS files_class ON files(class, listing);
CREATE TABLE IF NOT EXISTS results(
    step TEXT NOT NULL, file INTEGER NOT NULL, action TEXT NOT NULL,   -- kept, out, made
    reason TEXT, detail TEXT, other INTEGER, target BLOB,
    PRIMARY KEY(step, file)
) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS results_other ON results(other) WHERE other IS NOT NULL;
CREATE TABLE IF NOT EXISTS looks(
    file INTEGER PRIMARY KEY, sha256 BLOB NOT NULL, phash INTEGER NOT NULL, dhash BLOB NOT NULL,
    width INTEGER NOT NULL, height INTEGER NOT NULL
);
CREATE TABLE IF NOT EXISTS steps(name TEXT PRIMARY KEY, settings TEXT NOT NULL, finished INTEGER NOT NULL);
"""


@dataclass(frozen=True, slots=True)
class File:
    """A picture to be worked on: its number, and its path relative to the catalogue."""

    id: int
    path: bytes


class Manifest:
    """An open manifest; one process at a time may hold it. Use it as a context manager."""

    def __init__(self, file: Path) -> None:
        self.file = file
        try:
            self.db = _connect(file)
            self.db.executescript(_SCHEMA)
        except sqlite3.Error as error:
            raise DatasetError(f"{file} is no manifest of this tool: {error}") from error

    def __enter__(self) -> Manifest:
        return self

    def __exit__(self, *_: object) -> None:
        self.db.close()

    @contextmanager
    def transaction(self) -> Iterator[sqlite3.Connection]:
        """All that is written inside is kept together, or not at all."""
        self.db.execute("BEGIN IMMEDIATE")
        try:
            yield self.db
        except BaseException:
            self.db.execute("ROLLBACK")
            raise
        self.db.execute("COMMIT")

    @contextmanager
    def reading(self) -> Iterator[sqlite3.Connection]:
        """Another connection that reads what was there when its query began, while this one writes."""
        other = _connect(self.file)
        try:
            yield other
        finally:
            other.close()

    def get(self, key: str) -> str | None:
        """A word kept with the manifest, such as the catalogue's folder."""
        row = self.db.execute("SELECT value FROM meta WHERE key = ?", (key,)).fetchone()
        return None if row is None else str(row[0])

    def put(self, key: str, value: str) -> None:
        """Keeps a word."""
        self.db.execute(
            "INSERT INTO meta VALUES(?, ?) ON CONFLICT(key) DO UPDATE SET value = excluded.value", (key, value)
        )

    def count(self, where: str = "1", *values: object) -> int:
        """How many files there are of which an SQL condition holds."""
        return int(self.db.execute(f"SELECT COUNT(*) FROM files f WHERE {where}", values).fetchone()[0])

    def pending(self, step: str, looked: bool = False) -> str:
        """The SQL condition of files that are in, and that the step has not yet done (``looked``: nor looked at)."""
        todo = f"f.out_by IS NULL AND NOT EXISTS(SELECT 1 FROM results r WHERE r.step = '{step}' AND r.file = f.id)"
        return f"{todo} AND NOT EXISTS(SELECT 1 FROM looks l WHERE l.file = f.id)" if looked else todo

    def todo(self, step: str, again: bool = False) -> int:
        """How many files the step has to do; ``again``: when it and the later ones are forgotten first."""
        if not again:
            return self.count(self.pending(step))
        later = STEPS[STEPS.index(step) :]
        return self.count(f"f.out_by IS NULL OR f.out_by IN ({', '.join('?' * len(later))})", *later)

    def pages(self, where: str, size: int = PAGE) -> Iterator[list[File]]:
        """Files of which the condition holds, in pages, in order; those written meanwhile do not disturb."""
        last = -1
        while True:
            rows = self.db.execute(
                f"SELECT f.id, f.path FROM files f WHERE f.id > ? AND {where} ORDER BY f.id LIMIT ?",
                (last, size),
            ).fetchall()
            if not rows:
                return
            last = rows[-1][0]
            yield [File(number, path) for number, path in rows]

    def write(self, step: str, outcomes: Sequence[tuple[int, Outcome]]) -> None:
        """What a step did with some files, in one transaction; those sorted out are in no later step."""
        with self.transaction() as db:
            db.executemany(
                "INSERT OR REPLACE INTO results(step, file, action, reason, detail, target) VALUES(?, ?, ?, ?, ?, ?)",
                [(step, i, o.action, o.reason, o.detail, o.target) for i, o in outcomes],
            )
            db.executemany(
                "UPDATE files SET out_by = ? WHERE id = ?", [(step, i) for i, o in outcomes if o.action == "out"]
            )

    def begin(self, step: str, settings: Mapping[str, Any], again: bool = False) -> None:
        """Begins or goes on with a step. ``again`` forgets what it and the later ones did.

        Raises DatasetError when it was begun with other settings: half by these and half by those helps nobody.
        """
        told = json.dumps(settings, sort_keys=True)
        row = self.db.execute("SELECT settings FROM steps WHERE name = ?", (step,)).fetchone()
        if again:
            self.forget(step)
        elif row is not None and row[0] != told:
            raise DatasetError(
                f"{step} was begun with other settings ({row[0]}, now {told}): give those, or --again to do it anew"
            )
        self.db.execute(
            "INSERT INTO steps VALUES(?, ?, 0) "
            "ON CONFLICT(name) DO UPDATE SET settings = excluded.settings, finished = 0",
            (step, told),
        )

    def finish(self, step: str) -> None:
        """Marks a step as done with all files."""
        self.db.execute("UPDATE steps SET finished = 1 WHERE name = ?", (step,))

    def forget(self, step: str) -> None:
        """Forgets what a step and the later ones did; raises DatasetError while files of theirs lie in quarantine."""
        later = STEPS[STEPS.index(step) :]
        marks = ", ".join("?" * len(later))
        moved = "SELECT COUNT(*) FROM results WHERE action = 'out' AND target IS NOT NULL AND step IN"
        if self.db.execute(f"{moved} ({marks})", later).fetchone()[0]:
            raise DatasetError(f"pictures lie in the quarantine of {step} or a later step: `restore` them first")
        with self.transaction() as db:
            db.execute(f"DELETE FROM results WHERE step IN ({marks})", later)
            db.execute(f"DELETE FROM steps WHERE name IN ({marks})", later)
            db.execute(f"UPDATE files SET out_by = NULL WHERE out_by IN ({marks})", later)
            if step == "repair":
                db.execute("DELETE FROM looks")
            if "merge" in later:
                db.execute("UPDATE files SET class = NULL")
            db.execute("UPDATE files SET part = NULL")


@contextmanager
def opened(work: Path, dry_run: bool = False) -> Iterator[Manifest]:
    """The manifest of a work folder, which is made if needed; for a dry run a copy that is thrown away.

    Raises DatasetError when another process holds it.
    """
    file = work / "manifest.sqlite"
    if dry_run:
        with tempfile.TemporaryDirectory(prefix="dataset-dry-run-") as folder:
            copy = Path(folder) / file.name
            if file.is_file():
                with closing(_connect(file)) as source, closing(_connect(copy)) as target:
                    source.backup(target)
            with Manifest(copy) as manifest:
                yield manifest
        return
    try:
        work.mkdir(parents=True, exist_ok=True)
        handle = os.open(work / "lock", os.O_RDWR | os.O_CREAT, 0o644)
    except OSError as error:
        raise DatasetError(f"cannot write to {work}: {error.strerror}") from error
    try:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            raise DatasetError(f"another command works in {work}: wait until it has ended") from error
        with Manifest(file) as manifest:
            yield manifest
    finally:
        with suppress(OSError):
            os.close(handle)


def _connect(file: Path) -> sqlite3.Connection:
    db = sqlite3.connect(file, isolation_level=None, timeout=60)
    # WAL: what was committed survives a killed process; a cut in the power may cost the last pages of work, no more.
    db.execute("PRAGMA journal_mode = WAL")
    db.execute("PRAGMA synchronous = NORMAL")
    db.execute("PRAGMA cache_size = -32000")
    return db
