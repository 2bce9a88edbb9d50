"""Moves what a step sorted out into a quarantine folder, and back. Nothing is ever deleted or written over."""

from __future__ import annotations

import errno
import os
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from tools.dataset.errors import DatasetError
from tools.dataset.manifest import PAGE, Manifest


def to_move(manifest: Manifest, step: str) -> int:
    """How many pictures a step sorted out that are still where they were."""
    return int(manifest.db.execute(f"SELECT COUNT(*) {_TODO}", (step,)).fetchone()[0])


_TODO = (
    "FROM results r JOIN files f ON f.id = r.file WHERE r.step = ? AND r.action = 'out' AND r.target IS NULL "
    "AND r.reason <> 'missing'"
)


def quarantine(manifest: Manifest, step: str, root: Path, folder: Path, progress: Callable[[int], object]) -> int:
    """Moves what the step sorted out to ``folder/step/…`` under the same paths; how many.

    A run that was cut off goes on: what lies in the folder already and is gone from the catalogue counts as moved.
    Raises DatasetError when a picture cannot be moved; those before it are, and are known to be.
    """
    moved = 0
    for page in _pages(manifest, f"SELECT r.file, f.path {_TODO} AND r.file > ? ORDER BY r.file LIMIT ?", step):
        done = []
        try:
            for number, path in page:
                source = os.path.join(os.fsencode(root), path)  # noqa: PTH118 bytes
                target = os.path.join(os.fsencode(folder), step.encode(), path)  # noqa: PTH118
                done.append((_move(source, target), step, number))
        finally:
            with manifest.transaction() as db:
                db.executemany("UPDATE results SET target = ? WHERE step = ? AND file = ?", done)
            moved += len(done)
            progress(len(done))
    return moved


def restore(manifest: Manifest, step: str, root: Path, progress: Callable[[int], object]) -> int:
    """Moves back what the step had moved; how many. Raises DatasetError where something lies in the way."""
    restored = 0
    query = (
        "SELECT r.file, f.path, r.target FROM results r JOIN files f ON f.id = r.file WHERE r.step = ? AND "
        "r.action = 'out' AND r.target IS NOT NULL AND r.file > ? ORDER BY r.file LIMIT ?"
    )
    for page in _pages(manifest, query, step):
        done = []
        try:
            for number, path, lies in page:
                back = os.path.join(os.fsencode(root), path)  # noqa: PTH118
                if os.path.lexists(back) and os.path.lexists(lies):
                    raise DatasetError(f"{os.fsdecode(back)} is there again: move it away, then restore")
                _move(lies, back)
                done.append((step, number))
        finally:
            with manifest.transaction() as db:
                db.executemany("UPDATE results SET target = NULL WHERE step = ? AND file = ?", done)
            restored += len(done)
            progress(len(done))
    return restored


def put_back(path: bytes, lies: bytes) -> bool:
    """Moves one picture back to its path, if nothing lies there; whether a picture is there now."""
    if os.path.lexists(path):
        return True
    if not os.path.lexists(lies):
        return False
    _move(lies, path)
    return True


def _pages(manifest: Manifest, query: str, step: str) -> Iterator[list[Any]]:
    last = -1
    while rows := manifest.db.execute(query, (step, last, PAGE)).fetchall():
        last = rows[-1][0]
        yield rows


def _move(source: bytes, target: bytes) -> bytes:
    """Moves a file to where nothing lies yet; where it came to lie."""
    if not os.path.lexists(source):
        if os.path.lexists(target):
            return target  # moved by a run that was cut off before it could say so
        raise DatasetError(f"{os.fsdecode(source)} is gone, and not in {os.fsdecode(target)}: was it moved by hand?")
    free, count = target, 1
    while os.path.lexists(free):
        count += 1
        free = target + f"~{count}".encode()
    try:
        os.makedirs(os.path.dirname(free), exist_ok=True)  # noqa: PTH103, PTH120 bytes
        try:
            os.rename(source, free)  # noqa: PTH104
        except OSError as error:
            if error.errno != errno.EXDEV:
                raise
            _move_between_disks(source, free)
    except OSError as error:
        told = f"{error.strerror or error}"
        raise DatasetError(f"cannot move {os.fsdecode(source)} to {os.fsdecode(free)}: {told}") from error
    return free


def _move_between_disks(source: bytes, target: bytes) -> None:
    draft = target + b".part"
    shutil.copy2(source, draft)
    with open(draft, "rb+") as stream:  # noqa: PTH123
        os.fsync(stream.fileno())
    if os.path.getsize(draft) != os.path.getsize(source):  # noqa: PTH202
        raise OSError(errno.EIO, "the copy is not as long as the picture")
    os.replace(draft, target)  # noqa: PTH105
    os.unlink(source)  # noqa: PTH108
