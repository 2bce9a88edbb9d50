"""The process that reads the spoiled inputs: what hangs, dies or grows there is seen from outside.

`python -m tools.faults.fuzz.child FORMAT SEED FIRST END FOLDER`: says ``ready``, then a line for each case: its number,
how long it took in milliseconds, and a word for what became of it, or ``!`` with what must not have come.
"""

from __future__ import annotations

import logging
import os
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import TextIO

from tools.faults.fuzz.format import Feed, Format, format_named
from tools.faults.fuzz.mutate import Cases

BROKEN = "!"


def main(argv: Sequence[str]) -> int:
    """Feed the cases with numbers from FIRST up to END."""
    name, seed, first, end, folder = argv
    logging.disable(logging.CRITICAL)
    # Libraries that print must not be taken for what is told here.
    with os.fdopen(os.dup(1), "w", encoding="utf-8") as told:
        os.dup2(2, 1)
        feed_cases(format_named(name), int(seed), range(int(first), int(end)), Path(folder), told)
    return 0


def feed_cases(kind: Format, seed: int, numbers: range, folder: Path, told: TextIO) -> None:
    """Feed them and tell a line for each."""
    cases = Cases(kind.intact(), kind.mutations, seed)
    with kind.reader(folder) as feed:
        print("ready", file=told, flush=True)
        for number in numbers:
            data = cases[number]
            begun_s = time.monotonic()
            became = outcome(feed, data)
            print(f"{number} {1000 * (time.monotonic() - begun_s):.0f} {became}", file=told, flush=True)


def outcome(feed: Feed, data: bytes) -> str:
    """What became of an input; `BROKEN` begins what must not have come."""
    try:
        return feed(data)
    except Exception as error:  # noqa: BLE001 (that none comes is what is measured)
        return f"{BROKEN}{type(error).__name__}: {' '.join(str(error).split())[:200]}"


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
