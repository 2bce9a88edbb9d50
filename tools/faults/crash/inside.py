"""Runs a part of the crash trials in a mount namespace of its own: `python -m tools.faults.crash.inside PART …`.

What it finds goes to its output, one row as JSON a line.
"""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import asdict
from pathlib import Path

from tools.faults.crash.disks import in_namespace
from tools.faults.crash.full import full_disk, full_in_drive
from tools.faults.crash.power import power_cuts, power_cuts_in_drive
from tools.faults.crash.readonly import read_only, read_only_in_drive
from tools.faults.row import Row
from tools.faults.trial import Effort

PARTS: dict[str, Callable[[Effort], Iterator[Row]]] = {
    part.__name__: part
    for part in (power_cuts, power_cuts_in_drive, full_disk, full_in_drive, read_only, read_only_in_drive)
}


def rows_inside(part: str, effort: Effort) -> Iterator[Row]:
    """The part's rows as they come; raises OSError with the part's last words when it ends badly."""
    folder = effort.folder / part
    folder.mkdir()
    told = json.dumps({"short": effort.short, "seed": effort.seed, "part": effort.part})
    command = in_namespace([sys.executable, "-m", "tools.faults.crash.inside", part, str(folder), told])
    words = folder / "words.txt"
    with words.open("wb") as err, subprocess.Popen(command, stdout=subprocess.PIPE, stderr=err, text=True) as process:
        try:
            for line in process.stdout or ():
                yield Row(**json.loads(line))
        except BaseException:
            process.kill()
            raise
    if process.returncode != 0:
        last = words.read_text(encoding="utf-8", errors="replace").strip().splitlines()
        raise OSError(f"{part} ended with {process.returncode}: {last[-1] if last else 'without a word'}")


if __name__ == "__main__":
    _, name, where, options = sys.argv
    for row in PARTS[name](Effort(Path(where), **json.loads(options))):
        print(json.dumps(asdict(row)), flush=True)
