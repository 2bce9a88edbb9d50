"""`prove`: a catalogue with planted faults is repaired as a user does it, killed in the middle, and all is checked."""

from __future__ import annotations

import csv
import os
import resource
import signal
import sqlite3
import subprocess
import sys
import tempfile
import time
from collections import Counter
from contextlib import closing
from dataclasses import dataclass, field
from hashlib import sha256
from pathlib import Path

from rich.console import Console
from rich.table import Table
from tqdm import tqdm

from tools.dataset.planting import FAULTS, Planted, plant
from tools.dataset.splitting import PARTS

KILLED_AFTER = 0.3
"""The first run is killed when this share of the files has been looked at."""


@dataclass
class Found:
    """What was checked: files by what was planted and by what became of them, and how many are wrong."""

    counts: Counter[tuple[str, str]] = field(default_factory=Counter)
    lost: int = 0
    wrong: list[str] = field(default_factory=list)
    on_both_sides: int = 0
    shares: tuple[int, int, int] = (0, 0, 0)
    linked: int = 0


def prove_it(files: int, folder: Path | None, seed: int, processes: int, ray: str | None, kill: bool) -> int:
    """Plants, repairs, splits and checks; 0 when everything was found and nothing lost, else 1."""
    with tempfile.TemporaryDirectory(prefix="dataset-proof-") as temporary:
        base = folder or Path(temporary)
        root, work, parts = base / "pictures", base / "work", base / "set"
        if root.exists():
            print(f"prove: error: {root} is there already: give an empty --folder", file=sys.stderr)
            return 1
        with tqdm(desc="plant", total=files, unit=" files", mininterval=0.5) as bar:
            planted = list(plant(root, files, seed, bar.update))
        hashes = {p.path: sha256((root / p.path).read_bytes()).digest() for p in planted}
        command = [sys.executable, "-m", "tools.dataset"]
        spread = ["--processes", str(processes)] if processes else []
        spread += ["--ray", ray] if ray else []
        repair = [*command, "repair", str(root), "--work", str(work), "--quarantine", *spread]
        looked = _killed(repair, work, files) if kill else 0
        code, cost = _measured(repair)
        for step in (["merge"], ["split", "--least", "50", "--place", "link", "--output", str(parts)]):
            code = code or subprocess.run([*command, *step, "--work", str(work), *spread], check=False).returncode
        if code:
            print("prove: error: a step failed (see above)", file=sys.stderr)
            return 1
        found = check(planted, hashes, root, work)
        found.linked = linked(parts, root)
    _tell(found, files - looked, cost)
    return int(bool(found.lost or found.wrong or found.on_both_sides or found.linked != sum(found.shares)))


def check(planted: list[Planted], hashes: dict[str, bytes], root: Path, work: Path) -> Found:
    """Looks at every file by itself: it lies where the manifest says, its bytes are as they were, and it was sorted
    out exactly if something was planted."""
    found = Found()
    with closing(sqlite3.connect(work / "manifest.sqlite")) as db:
        rows = db.execute(
            "SELECT f.path, COALESCE(r.reason, ''), r.target FROM files f "
            "LEFT JOIN results r ON r.file = f.id AND r.step = 'repair'"
        )
        became = {os.fsdecode(path): (reason, target) for path, reason, target in rows}
        both = "SELECT COUNT(*) FROM (SELECT 1 FROM files WHERE part IS NOT NULL GROUP BY listing"
        found.on_both_sides = db.execute(f"{both} HAVING COUNT(DISTINCT part) > 1)").fetchone()[0]
        parts = dict(db.execute("SELECT part, COUNT(*) FROM files WHERE part IS NOT NULL GROUP BY part").fetchall())
        found.shares = (parts.get("train", 0), parts.get("val", 0), parts.get("test", 0))
    for file in planted:
        reason, target = became.get(file.path, ("not in the manifest", None))
        found.counts[file.fault, reason] += 1
        lies = root / file.path if target is None else Path(os.fsdecode(target))
        if not lies.is_file() or sha256(lies.read_bytes()).digest() != hashes[file.path]:
            found.lost += 1
        if (reason or "") != file.fault or (target is None) != (file.fault == ""):
            found.wrong.append(f"{file.path}: planted {file.fault or 'nothing'}, found {reason or 'nothing'}")
    return found


def linked(parts: Path, root: Path) -> int:
    """How many rows the lists of a split have whose file is a link to the picture that the row names."""
    count = 0
    for part in PARTS:
        with (parts / f"{part}.csv").open(encoding="utf-8", newline="") as stream:
            count += sum(Path(row["path"]).samefile(root / row["source"]) for row in csv.DictReader(stream))
    return count


def _killed(command: list[str], work: Path, files: int) -> int:
    """Starts a run and kills it as a power cut would; how many files it had looked at."""
    with subprocess.Popen(command, start_new_session=True, stderr=subprocess.DEVNULL) as process:
        seen = 0
        while process.poll() is None and seen < KILLED_AFTER * files:
            time.sleep(0.1)
            seen = _looked(work)
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGKILL)
    return seen


def _looked(work: Path) -> int:
    file = work / "manifest.sqlite"
    if not file.is_file():
        return 0
    try:
        with closing(sqlite3.connect(f"file:{file}?mode=ro", uri=True)) as db:
            return int(db.execute("SELECT COUNT(*) FROM looks").fetchone()[0])
    except sqlite3.Error:
        return 0  # it is just being made


@dataclass(frozen=True, slots=True)
class Cost:
    """What a command took: time, time on processors, and the largest resident memory of any of its processes."""

    seconds: float
    cpu_s: float
    memory_mib: float


def _measured(command: list[str]) -> tuple[int, Cost]:
    """Exit status of a command, and what it took."""
    before, began = resource.getrusage(resource.RUSAGE_CHILDREN), time.monotonic()
    code = subprocess.run(command, check=False).returncode
    after, seconds = resource.getrusage(resource.RUSAGE_CHILDREN), time.monotonic() - began
    cpu_s = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return code, Cost(seconds, cpu_s, after.ru_maxrss / 1024)


def _tell(found: Found, left: int, cost: Cost) -> None:
    files = sum(found.counts.values())
    table = Table("planted", "files", "found as planted", title=f"{files:,} files")
    for fault in ("", *(fault for fault, _ in FAULTS)):
        counts = {reason: n for (planted, reason), n in found.counts.items() if planted == fault}
        table.add_row(fault or "nothing", f"{sum(counts.values()):,}", f"{counts.get(fault, 0):,}")
    console = Console(highlight=False, width=None if sys.stdout.isatty() else 120)
    console.print(table)
    train, val, test = found.shares
    print(f"lost or altered: {found.lost}; sorted wrongly: {len(found.wrong)}")
    print("".join(f"  {line}\n" for line in found.wrong[:10]), end="")
    print(f"listings on two sides of the split: {found.on_both_sides} (train {train:,}, val {val:,}, test {test:,})")
    print(f"pictures of the split that are links to their originals: {found.linked:,}")
    took = f"{left / cost.seconds:,.0f} files/s, {left / cost.cpu_s:,.0f} for each second of a core"
    print(f"killed after {files - left:,} files; the rest, with moving, in {cost.seconds:.1f} s: {took}")
    print(f"largest memory of a process: {cost.memory_mib:.0f} MiB")
