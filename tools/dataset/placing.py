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
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from tools.dataset.errors import DatasetError
from tools.dataset.manifest import PAGE, File, Manifest
from tools.dataset.outcomes import Outcome
from tools.dataset.running import Runner
from tools.dataset.splitting import PARTS

Way = Literal["list", "link", "copy"]
Progress = Callable[[int], object]
COLUMNS = ("path", "class", "listing", "source")
ID_FILE = ".split"
"""Says in a folder of links or copies which split they are of."""


@dataclass(frozen=True)
class PlaceJob:
    """Links or copies pictures into ``folder``; where each lies and goes to is told by `_pair` in place of its path."""

    folder: bytes
    way: Way

    def worker(self) -> PlaceJob:
        return self

    def __call__(self, number: int, path: bytes) -> Outcome:
        """Raises DatasetError where a picture cannot be placed: that is never the picture's fault."""
        source, part, name = path.split(b"\0")
        target = _within(self.folder, part, name)
        folder = Path(os.fsdecode(self.folder))
        # With the same settings `--again` may still move listings: those that came later now count.
        if any(os.path.lexists(_within(self.folder, o.encode(), name)) for o in PARTS if o.encode() != part):
            raise another(folder)
        with _writing(folder):
            _put(source, target, self.way)
        return Outcome("made", target=target)


def place(manifest: Manifest, runner: Runner, root: Path, folder: Path, way: Way, progress: Progress) -> None:
    """Links or copies into the folder, after `claim`, what the split gave a part.

    What lies there already from a run that was cut off stays, if it is what belongs there. Raises DatasetError, also
    where a picture lies in another part already: it would lie on two sides.
    """
    with _writing(folder):
        for part in PARTS:
            (folder / part).mkdir(parents=True, exist_ok=True)
    for outcomes in runner.run(PlaceJob(os.fsencode(folder), way), _pairs(manifest, root)):
        for _, outcome in outcomes:
            if outcome.target is None:  # the process that placed it was ended
                raise DatasetError(f"a picture could not be placed in {folder} ({outcome.detail}): run it again")
            if not os.path.lexists(outcome.target):
                told = "the machines of the cluster need --output under the same path, on a shared file system"
                raise DatasetError(f"{os.fsdecode(outcome.target)} was placed by another machine, and not here: {told}")
        progress(len(outcomes))


def write_lists(manifest: Manifest, root: Path, folder: Path, way: Way, progress: Progress) -> None:
    """Writes ``train.csv``, ``val.csv`` and ``test.csv`` of where the pictures lie as `place` left them.

    Raises DatasetError where they cannot be written.
    """
    with _writing(folder):
        folder.mkdir(parents=True, exist_ok=True)
        with ExitStack() as stack:
            drafts = {part: folder / f".{part}.csv.draft" for part in PARTS}
            streams = {p: stack.enter_context(f.open("w", encoding="utf-8", newline="")) for p, f in drafts.items()}
            writers = {part: csv.writer(stream, lineterminator="\n") for part, stream in streams.items()}
            for writer in writers.values():
                writer.writerow(COLUMNS)
            for page in _placed(manifest, root):
                for placed in page:
                    lies = placed.source
                    if way != "list":
                        lies = _within(os.fsencode(folder), placed.part.encode(), placed.target)
                    row = (_told(lies), placed.name, placed.listing, _told(placed.path))
                    writers[placed.part].writerow(row)
                progress(len(page))
        for part, draft in drafts.items():
            draft.replace(folder / f"{part}.csv")


def claim(manifest: Manifest, folder: Path, way: Way, dry_run: bool = False) -> None:
    """Marks a folder as that of this split (a dry run only looks whether it may be).

    Lists alone are written anew as a whole, so that they need no mark. Raises DatasetError where the folder holds links
    or copies of another split.
    """
    own, mark = split_id(manifest), folder / ID_FILE
    with _writing(folder):
        if any(os.path.lexists(folder / part) for part in PARTS):
            if not mark.is_file() or mark.read_text(encoding="utf-8").strip() != own:
                raise another(folder)
        elif way != "list" and not dry_run:
            folder.mkdir(parents=True, exist_ok=True)
            draft = folder / f"{ID_FILE}.draft"
            draft.write_text(f"{own}\n", encoding="utf-8")
            draft.replace(mark)


def split_id(manifest: Manifest) -> str:
    """What decides which part a picture is of: the catalogue and the settings of every step, in hex."""
    own = manifest.get("id")
    if own is None:  # the numbers in the names of files are those of this manifest alone
        own = secrets.token_hex(16)
        manifest.put("id", own)
    steps = manifest.db.execute("SELECT name, settings FROM steps ORDER BY name").fetchall()
    told = json.dumps([own, manifest.get("root"), manifest.get("layout"), steps])
    return hashlib.blake2b(told.encode("utf-8", "surrogatepass"), digest_size=16).hexdigest()


def another(folder: Path) -> DatasetError:
    """What is told of a folder that holds another split."""
    return DatasetError(f"{folder} holds another split: give an empty --output")


@dataclass(frozen=True, slots=True)
class _Placed:
    """A picture with a part: its path in the catalogue, where it or its crop lies, and its path within the part."""

    number: int
    path: bytes
    source: bytes
    name: str
    part: str
    listing: str

    @property
    def target(self) -> bytes:
        """A class is one folder, whatever stands in its name; numbers keep files of the same name apart."""
        safe = "".join(c if c.isalnum() or c in " -_.+" else "_" for c in self.name).strip(". ") or "_"
        return os.path.join(os.fsencode(safe), f"{self.number:08d}_".encode() + os.path.basename(self.source))  # noqa: PTH118, PTH119


def _placed(manifest: Manifest, root: Path) -> Iterator[list[_Placed]]:
    last = -1
    while rows := manifest.db.execute(
        "SELECT f.id, f.path, r.target, f.class, f.part, f.listing FROM files f "
        "LEFT JOIN results r ON r.step = 'crop' AND r.file = f.id AND r.action = 'made' "
        "WHERE f.part IS NOT NULL AND f.out_by IS NULL AND f.id > ? ORDER BY f.id LIMIT ?",
        (last, PAGE),
    ).fetchall():
        last = rows[-1][0]
        yield [
            _Placed(number, path, made or os.path.join(os.fsencode(root), path), name, part, listing)  # noqa: PTH118 bytes
            for number, path, made, name, part, listing in rows
        ]


def _pairs(manifest: Manifest, root: Path) -> Iterator[list[File]]:
    """What `PlaceJob` works on. A path cannot hold a 0, so that all it needs to know travels as one."""
    for page in _placed(manifest, root):
        yield [File(p.number, b"\0".join((p.source, p.part.encode(), p.target))) for p in page]


def _within(folder: bytes, part: bytes, name: bytes) -> bytes:
    return os.path.join(folder, part, name)  # noqa: PTH118 bytes


@contextmanager
def _writing(folder: Path) -> Iterator[None]:
    """Tells what the disk says as a DatasetError of the folder."""
    try:
        yield
    except OSError as error:
        raise DatasetError(f"cannot write to {folder}: {error.strerror or error}") from error


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
