"""The file system finds an error in itself and turns read-only, in the middle of it all."""

from __future__ import annotations

import subprocess
import threading
from collections.abc import Iterator

from tools.crash.reads import Death, kill_often
from tools.faults.crash.disks import Ext4
from tools.faults.crash.drive import drive_on, row_of_drive
from tools.faults.row import Row
from tools.faults.trial import Effort

_GRIEVES_S = 0.5


def read_only(effort: Effort) -> Iterator[Row]:
    """What saves reads, again and again."""
    disk = Ext4.made(effort.folder)

    def fail(child: subprocess.Popen[str]) -> None:
        disk.fail()
        threading.Event().wait(_GRIEVES_S)  # it goes on trying
        child.kill()

    times = [0.2 + 0.3 * n for n in range(effort.count(5, 1))]
    lives = list(kill_often(disk.path / "reads.db", times, Death(fail, disk.back, last_words=False)))
    disk.close()
    last, said = lives[-1], [words for life in lives for words in life.said[-1:]]
    measured = (
        f"{len(lives)} times: {last.reported} reads confirmed, {len(last.missing)} missing, {len(last.doubled)} twice; "
        f"“{said[-1] if said else 'nothing said'}”"
    )
    good = all(life.good for life in lives) and len(said) == len(lives) and last.reported > 0
    promised = "file intact, each confirmed read there once, the rest is kept and tried again, with a message"
    yield Row("disk turns read-only while reads are saved", promised, measured, good)


def read_only_in_drive(effort: Effort) -> Iterator[Row]:
    """The whole device: the disk stays as it is to the end."""
    disk = Ext4.made(effort.folder)
    drive = drive_on(effort.folder, disk.path, disk.fail)
    disk.back()
    yield row_of_drive("disk turns read-only during a drive", drive, disk.path, recovers=False)
    disk.close()
