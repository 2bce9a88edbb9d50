"""A trial: one way of breaking the system, in a short form for every day and a whole one."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path

from tools.faults.row import Row


@dataclass(frozen=True, slots=True)
class Effort:
    """How much a trial does: whether it is the short form, the seed of all chance, and a folder of its own for files.

    The folder is empty at first and is on a disk. The same seed gives the same inputs. ``part`` is how much of the
    whole's counts and times is done.
    """

    folder: Path
    short: bool = False
    seed: int = 1
    part: float = 1.0

    def count(self, whole: int, short: int) -> int:
        """How many cases of something."""
        return short if self.short else max(round(whole * self.part), 1)

    def seconds(self, whole: float, short: float) -> float:
        """How long something goes on."""
        return short if self.short else whole * self.part


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
