"""A trial: one way of breaking the system, in a short form for every day and a whole one."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path

from tools.faults.row import Row


@dataclass(frozen=True, slots=True)
class Effort:
    """How much a trial does: whether it is the short form, the seed of all chance, and a folder of its own for files.

    The folder is empty at first and is on a disk. The same seed gives the same inputs.
    """

    folder: Path
    short: bool = False
    seed: int = 1

    def count(self, whole: int, short: int) -> int:
        """How many cases of something."""
        return short if self.short else whole


@dataclass(frozen=True, slots=True)
class Trial:
    """A trial's name, what it tries in a few words, and what runs it; it yields its rows as they are found.

    What goes wrong in the system is a row that was not kept; an exception means that the trial itself cannot be run
    here, and says why.
    """

    name: str
    about: str
    run: Callable[[Effort], Iterable[Row]]
    in_short: bool = True
    """Whether it belongs to the short set; those that cannot be short enough do not."""
