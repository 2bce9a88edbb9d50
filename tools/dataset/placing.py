"""What came out of the split: lists of files, and if wanted folders train/CLASS/… of hard links or copies."""

from __future__ import annotations

import csv
import errno
import filecmp
import hashlib
import json
import os
import secrets
import shutil
import stat
from collections.abc import Callable, Iterator
from contextlib import ExitStack, suppress
from pathlib import Path
from typing import Literal

from tools.dataset.errors import DatasetError
from tools.dataset.manifest import PAGE, Manifest
from tools.dataset.splitting import PARTS

Way = Literal["list", "link", "copy"]
COLUMNS = ("path", "class", "listing", "source")
ID_FILE = ".split"
"""Says in a folder of links or copies which split they are of."""


def place(manifest: Manifest, root: Path, folder: Path, way: Way, progress: Callable[[int], object]) -> int:
    """Writes ``train.csv``, ``val.csv`` and ``test.csv`` into the folder, and links or copies as ``way`` says.

    What lies there already from a run that was cut off stays, if it is what belongs there. How many pictures. Raises
    DatasetError, also where the folder holds links or copies of another split: its files would lie on two sides.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
        _claim(folder, split_id(manifest), way)
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
                    # With the same settings `--again` may still move listings: those that came later now count.
                    if any(os.path.lexists(_target(folder, o, name, number, source)) for o in PARTS if o != part):
                        raise _another(folder)
                    _put(source, target, way)
                writers[part].writerow((_told(target), name, listing, _told(path)))
                count += 1
                progress(1)
        for part, draft in drafts.items():
            draft.replace(folder / f"{part}.csv")
    except OSError as error:
        raise DatasetError(f"cannot write to {folder}: {error.strerror or error}") from error
    return count


def split_id(manifest: Manifest) -> str:
    """What decides which part a picture is of: the catalogue and the settings of every step, in hex."""
    own = manifest.get("id")
    if own is None:  # the numbers in the names of files are those of this manifest alone
        own = secrets.token_hex(16)
        manifest.put("id", own)
    steps = manifest.db.execute("SELECT name, settings FROM steps ORDER BY name").fetchall()
    told = json.dumps([own, manifest.get("root"), manifest.get("layout"), steps])
    return hashlib.blake2b(told.encode("utf-8", "surrogatepass"), digest_size=16).hexdigest()


def _claim(folder: Path, own: str, way: Way) -> None:
    """Marks a folder as that of a split. Lists alone are written anew as a whole, so that they need no mark."""
    mark = folder / ID_FILE
    if any(os.path.lexists(folder / part) for part in PARTS):
        if not mark.is_file() or mark.read_text(encoding="utf-8").strip() != own:
            raise _another(folder)
    elif way != "list":
        draft = folder / f"{ID_FILE}.draft"
        draft.write_text(f"{own}\n", encoding="utf-8")
        draft.replace(mark)


def _another(folder: Path) -> DatasetError:
    return DatasetError(f"{folder} holds another split: give an empty --output")


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
    """Links or copies; what lies at the target already stays if it is the same, and is replaced at once if not."""
    if _is_there(source, target, way):
        return
    os.makedirs(os.path.dirname(target), exist_ok=True)  # noqa: PTH103, PTH120
    draft = target + b".part"
    with suppress(FileNotFoundError):
        os.unlink(draft)  # noqa: PTH108 a link of a run that was cut off: copying would write into the original
    if way == "link":
        try:
            os.link(source, draft)
        except OSError as error:
            told = "hard links do not go from one file system to another; take copies"
            what = f"{error.strerror} ({told})" if error.errno == errno.EXDEV else f"{error.strerror}"
            raise OSError(error.errno, f"{os.fsdecode(source)}: {what}") from error
    else:
        shutil.copy2(source, draft)
    os.replace(draft, target)  # noqa: PTH105


def _is_there(source: bytes, target: bytes, way: Way) -> bool:
    try:
        there = os.lstat(target)
    except FileNotFoundError:
        return False
    same = os.path.samestat(os.stat(source), there)  # noqa: PTH116
    if way == "link" or same:
        return same and way == "link"
    return stat.S_ISREG(there.st_mode) and filecmp.cmp(source, target, shallow=False)


def _told(path: bytes) -> str:
    return path.decode("utf-8", "backslashreplace")
