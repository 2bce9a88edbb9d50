"""Kills a process that saves reads, at random moments, and looks whether what it reported as written is there.

Each child opens the same file as a drive does, saves reads with their single reads, now and then a better vote on an
earlier one or one that supersedes another, and prints each uid once its save has returned. After each kill the file
must pass SQLite's integrity check, and every printed uid must be there exactly once, unless a later read superseded it.
"""

from __future__ import annotations

import sqlite3
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, suppress
from dataclasses import dataclass, field
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Life:
    """What is known after one kill, over all lives so far: what was reported, and what is wrong in the file.

    ``said`` is what this life's process said of saves that failed.
    """

    lived_s: float
    reported: int
    sound: bool
    missing: tuple[str, ...]
    doubled: tuple[str, ...]
    said: tuple[str, ...] = ()

    @property
    def good(self) -> bool:
        """Whether nothing is lost or twice there."""
        return self.sound and not self.missing and not self.doubled


@dataclass(frozen=True, slots=True)
class Death:
    """How a life ends: by `module`'s process being killed, and what happens before that, and after it.

    ``cut`` is called in a thread when the time has come; ``back`` before the file is looked at. With ``last_words`` a
    read counts as reported although it was reported only when the cut had begun: where a disk goes, not the process,
    the kernel may call a write durable that was under way.
    """

    cut: Callable[[subprocess.Popen[str]], None] = subprocess.Popen.kill
    back: Callable[[], None] = field(default=lambda: None)
    module: str = "tools.crash.saving"
    last_words: bool = True


KILLED = Death()


def live_and_die(
    path: Path, drive: str, lives_s: float, alive: set[str], perhaps: set[str], death: Death = KILLED
) -> Life:
    """One child, killed so long after its first save; `alive` and `perhaps` gather uids over all lives."""
    command = [sys.executable, "-m", death.module, str(path), drive]
    said: list[str] = []
    over = threading.Event()

    def cut(child: subprocess.Popen[str]) -> None:
        over.set()
        death.cut(child)

    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as child:
        killer: threading.Timer | None = None
        for line in child.stdout or ():
            if not line.endswith("\n"):
                break  # cut by the kill: nobody could have read it as reported
            kind, uid = line[0], line[1:-1]
            if kind == "!":
                said.append(uid)
                continue
            counts = death.last_words or not over.is_set()
            (alive if kind == "+" and counts else perhaps).add(uid)
            if killer is None:
                killer = threading.Timer(lives_s, cut, (child,))
                killer.start()
        if killer is not None:
            killer.join()
    death.back()
    return _examined(path, lives_s, alive, perhaps, tuple(said))


def kill_often(path: Path, lives_s: Sequence[float], death: Death = KILLED) -> Iterator[Life]:
    """All lives on one file, one after the other."""
    alive: set[str] = set()
    perhaps: set[str] = set()
    for n, s in enumerate(lives_s):
        yield live_and_die(path, f"drive{n}", s, alive, perhaps, death)


def _examined(path: Path, lives_s: float, alive: set[str], perhaps: set[str], said: tuple[str, ...]) -> Life:
    sound, counts = False, dict[str, int]()
    with closing(sqlite3.connect(path)) as connection, suppress(sqlite3.DatabaseError):
        counts = dict(connection.execute("SELECT uid, count(*) FROM reads GROUP BY uid").fetchall())
        sound = connection.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
    missing = tuple(sorted(uid for uid in alive - perhaps if uid not in counts))
    doubled = tuple(sorted(uid for uid, count in counts.items() if count != 1))
    return Life(lives_s, len(alive), sound and not list(path.parent.glob("*.damaged-*")), missing, doubled, said)
