"""What came out of the split: lists of files, and if wanted folders train/CLASS/… of hard links or copies."""

from __future__ import annotations

import csv
import os
import shutil
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Literal

from tools.dataset.errors import DatasetError
from tools.dataset.manifest import PAGE, Manifest
from tools.dataset.splitting import PARTS

Way = Literal["list", "link", "copy"]
COLUMNS = ("path", "class", "listing", "source")


def place(manifest: Manifest, root: Path, folder: Path, way: Way, progress: Callable[[int], object]) -> int:
    """Writes ``train.csv``, ``val.csv`` and ``test.csv`` into the folder, and links or copies as ``way`` says.

    What lies there already from a run that was cut off stays. How many pictures. Raises DatasetError.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with ExitStack() as stack:
            drafts = {part: folder / f".{part}.csv.draft" for part in PARTS}
            streams = {p: stack.enter_context(f.open("w", encoding="utf-8", newline="")) for p, f in drafts.items()}
            writers = {part: csv.writer(stream, lineterminator="\n") for part, stream in streams.items()}
            for writer in writers.values():
                writer.writerow(COLUMNS)
            count = 0
            for number, path, made, name, part, listing in _placed(manifest):
                source = made if made is not None else os.path.join(os.fsencode(root), path)  # noqa: PTH118 bytes
                target = source
                if way != "list":
                    target = _target(folder, part, name, number, source)
                    _put(source, target, way)
                writers[part].writerow((_told(target), name, listing, _told(path)))
                count += 1
                progress(1)
        for part, draft in drafts.items():
            draft.replace(folder / f"{part}.csv")
    except OSError as error:
        raise DatasetError(f"cannot write to {folder}: {error.strerror or error}") from error
    return count


def _placed(manifest: Manifest) -> Iterator[tuple[int, bytes, bytes | None, str, str, str]]:
    last = -1
    while rows := manifest.db.execute(
        "SELECT f.id, f.path, r.target, f.class, f.part, f.listing FROM files f "
        "LEFT JOIN results r ON r.step = 'crop' AND r.file = f.id AND r.action = 'made' "
        "WHERE f.part IS NOT NULL AND f.out_by IS NULL AND f.id > ? ORDER BY f.id LIMIT ?",
        (last, PAGE),
    ).fetchall():
        last = rows[-1][0]
        yield from rows


def _target(folder: Path, part: str, name: str, number: int, source: bytes) -> bytes:
    # A class is one folder, whatever stands in its name; numbers keep files of the same name apart.
    safe = "".join(c if c.isalnum() or c in " -_.+" else "_" for c in name).strip(". ") or "_"
    return os.path.join(os.fsencode(folder / part / safe), f"{number:08d}_".encode() + os.path.basename(source))  # noqa: PTH118, PTH119


def _put(source: bytes, target: bytes, way: Way) -> None:
    if os.path.lexists(target):
        return
    os.makedirs(os.path.dirname(target), exist_ok=True)  # noqa: PTH103, PTH120
    if way == "link":
        try:
            os.link(source, target)
        except OSError as error:
            told = "hard links do not go from one file system to another; take copies"
            raise OSError(error.errno, f"{error.strerror} ({told})") from error
        return
    draft = target + b".part"
    shutil.copy2(source, draft)
    os.replace(draft, target)  # noqa: PTH105


def _told(path: bytes) -> str:
    return path.decode("utf-8", "backslashreplace")
