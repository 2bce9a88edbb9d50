"""The power is cut: the file system loses all that was not made durable, and its journal is played back."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator

from tools.bench.instant_apis import instant_apis
from tools.crash.cli import GAP_S, PASSING_S
from tools.crash.device import Kill, live_and_die, moments
from tools.crash.film import write_film
from tools.crash.reads import Death, Life, kill_often
from tools.faults.crash.disks import Ext4
from tools.faults.crash.drive import small_settings
from tools.faults.crash.kills import row_of_kills
from tools.faults.row import Row
from tools.faults.trial import Effort

_LONGEST_S = 0.8
_LONGEST_DRIVE_S = 5.0


def power_cuts(effort: Effort) -> Iterator[Row]:
    """What saves reads as fast as it can; and, as a control, something that does not make them durable."""
    disk = Ext4.made(effort.folder)
    times = moments(effort.count(60, 2), effort.seed, _LONGEST_S)
    lives = list(kill_often(disk.path / "reads.db", times, _by_power(disk)))
    yield _row("power cut while reads are saved", "file intact, each confirmed read there once", lives, kept=True)
    disk.close()
    disk.path.rmdir()
    disk = Ext4.made(effort.folder)
    careless = _by_power(disk, "tools.faults.crash.careless")
    lives = list(kill_often(disk.path / "reads.db", times[:2], careless))
    disk.close()
    yield _row("control: SQLite told not to sync", "the same check finds lost reads", lives, kept=False)


def power_cuts_in_drive(effort: Effort) -> Iterator[Row]:
    """The whole device, with its reads and recordings on the disk whose power is cut."""
    disk = Ext4.made(effort.folder)
    config = small_settings(effort.folder)
    found: list[Kill] = []
    with instant_apis(PASSING_S, GAP_S) as port:
        film = write_film(effort.folder / "film.mp4", _LONGEST_DRIVE_S + 10.0)
        for lives_s in moments(effort.count(20, 1), effort.seed, _LONGEST_DRIVE_S):
            log = effort.folder / "log.txt"
            found.append(
                live_and_die(film, disk.path, port, lives_s, config=config, log=log, cut=disk.cut_power, back=disk.back)
            )
    disk.close()
    yield row_of_kills("power cut during a drive", found)


def _by_power(disk: Ext4, module: str = "tools.crash.saving") -> Death:
    def cut(child: subprocess.Popen[str]) -> None:
        disk.cut_power()
        child.kill()

    return Death(cut, disk.back, module, last_words=False)


def _row(fault: str, promised: str, lives: list[Life], *, kept: bool) -> Row:
    last = lives[-1]
    sound = sum(life.sound for life in lives)
    measured = (
        f"{len(lives)} cuts: file intact after {sound}, {last.reported} reads confirmed, {len(last.missing)} missing, "
        f"{len(last.doubled)} twice"
    )
    good = all(life.good for life in lives) and last.reported > 0
    return Row(fault, promised, measured, good if kept else bool(last.missing) or sound < len(lives))
