"""Kills a process that saves reads, at random moments, and looks whether what it reported as written is there.

    python -m tools.crash.reads --kills 100

Each child opens the same file as a drive does, saves reads with their single reads, now and then a better vote on an
earlier one or one that supersedes another, and prints each uid once its save has returned. After each kill the file
must pass SQLite's integrity check, and every printed uid must be there exactly once, unless a later read superseded it.
"""

from __future__ import annotations

import argparse
import random
import signal
import sqlite3
import subprocess
import sys
import tempfile
import threading
from collections.abc import Sequence
from contextlib import closing
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

from cloud_apis.contract import PlateBox, Word
from edge_client.config import EdgeSettings
from edge_client.store.drive_store import open_drive_store
from edge_client.store.drives import DriveStart, Position
from edge_client.types import SingleRead, TrackRead

START = datetime(2026, 1, 1, tzinfo=UTC)
_CROP = b"\xff\xd8" + bytes(range(256)) * 8
_BETTER_EVERY, _SUPERSEDES_EVERY, _POSITIONS_EVERY = 3, 7, 5


@dataclass(frozen=True, slots=True)
class Life:
    """What is known after one kill, over all lives so far: what was reported, and what is wrong in the file."""

    lived_s: float
    reported: int
    sound: bool
    missing: tuple[str, ...]
    doubled: tuple[str, ...]

    @property
    def good(self) -> bool:
        """Whether nothing is lost or twice there."""
        return self.sound and not self.missing and not self.doubled


def save_for_ever(path: Path, drive: str) -> None:
    """What the child does: `+uid` is printed for a read that is written, `-uid` for one that it superseded."""
    store = open_drive_store(EdgeSettings(), path)
    store.begin_drive(DriveStart(drive, START))
    for number in range(1, 1_000_000):
        read = _read(drive, number)
        superseded = f"{drive}-{number - 1}" if number % _SUPERSEDES_EVERY == 0 else None
        if superseded is not None:
            read = replace(read, supersedes=(superseded,))
            print(f"?{superseded}", flush=True)  # from here on it may be gone
        store.save(read)
        print(f"+{read.uid}", flush=True)
        if number % _BETTER_EVERY == 0:
            store.save(replace(read, text="B999XYZ", confidence=0.99))
        if number % _POSITIONS_EVERY == 0:
            store.add_positions(drive, [Position(START + timedelta(seconds=number), 45.75, 21.22)])


def live_and_die(path: Path, drive: str, lives_s: float, alive: set[str], perhaps: set[str]) -> Life:
    """One child, killed so long after its first save; `alive` and `perhaps` gather uids over all lives."""
    command = [sys.executable, "-m", "tools.crash.reads", "--child", str(path), drive]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as child:
        killer: threading.Timer | None = None
        for line in child.stdout or ():
            if not line.endswith("\n"):
                break  # cut by the kill: nobody could have read it as reported
            kind, uid = line[0], line[1:-1]
            (alive if kind == "+" else perhaps).add(uid)
            if killer is None:
                killer = threading.Timer(lives_s, child.send_signal, (signal.SIGKILL,))
                killer.start()
        if killer is not None:
            killer.cancel()
    return _examined(path, lives_s, alive, perhaps)


def moments(kills: int, seed: int, longest_s: float) -> list[float]:
    """How long each child lives after its first save."""
    chance = random.Random(seed)
    return [chance.uniform(0.0, longest_s) for _ in range(kills)]


def kill_often(path: Path, lives_s: Sequence[float]) -> list[Life]:
    """All lives on one file, one after the other."""
    alive: set[str] = set()
    perhaps: set[str] = set()
    return [live_and_die(path, f"drive{n}", s, alive, perhaps) for n, s in enumerate(lives_s)]


def _examined(path: Path, lives_s: float, alive: set[str], perhaps: set[str]) -> Life:
    with closing(sqlite3.connect(path)) as connection:
        sound = connection.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
        counts = dict(connection.execute("SELECT uid, count(*) FROM reads GROUP BY uid").fetchall())
    missing = tuple(sorted(uid for uid in alive - perhaps if uid not in counts))
    doubled = tuple(sorted(uid for uid, count in counts.items() if count != 1))
    return Life(lives_s, len(alive), sound and not list(path.parent.glob("*.damaged-*")), missing, doubled)


def _read(drive: str, number: int) -> TrackRead:
    seen = START + timedelta(seconds=number)
    text = f"B{number % 1000:03}XYZ"
    confidences = (0.9,) * len(text)
    single = SingleRead(
        track_id=number,
        frame_number=number,
        utc=seen,
        words=(Word(text, ((0.0, 0.0), (60.0, 0.0), (60.0, 20.0), (0.0, 20.0)), confidences),),
        text=text,
        confidences=confidences,
        crop_jpeg=_CROP,
        crop_width_px=64,
        crop_height_px=20,
        sharpness=1.0,
        box=PlateBox(0.0, 0.0, 60.0, 20.0, 0.9, (0.9,)),
        fix=None,
        fix_age_s=None,
    )
    singles = (single, replace(single, frame_number=number + 1))
    return TrackRead(
        f"{drive}-{number}", text, 0.9, confidences, seen, seen, None, None, None, _CROP, singles, drive=drive
    )


def main(argv: Sequence[str] | None = None) -> int:
    """Kills and looks; 0 when nothing was lost, 1 otherwise."""
    parser = argparse.ArgumentParser(prog="python -m tools.crash.reads", description=__doc__.splitlines()[0])
    parser.add_argument("--kills", type=int, default=100, help="how often (default 100)")
    parser.add_argument("--longest", type=float, default=1.0, metavar="SECONDS", help="longest life (default 1)")
    parser.add_argument("--seed", type=int, default=1, help="the moments follow it (default 1)")
    parser.add_argument("--child", nargs=2, metavar=("FILE", "DRIVE"), help=argparse.SUPPRESS)
    arguments = parser.parse_args(argv)
    if arguments.child is not None:
        save_for_ever(Path(arguments.child[0]), arguments.child[1])
        return 0
    with tempfile.TemporaryDirectory(prefix="dashcam-crash-") as folder:
        lives = kill_often(Path(folder) / "reads.db", moments(arguments.kills, arguments.seed, arguments.longest))
    last = lives[-1]
    print(f"{len(lives)} kills, {last.reported} reads reported as written")
    print(f"file intact after {sum(life.sound for life in lives)} of them")
    print(f"missing {len(last.missing)}, more than once {len(last.doubled)}")
    return int(not all(life.good for life in lives))


if __name__ == "__main__":
    sys.exit(main())
