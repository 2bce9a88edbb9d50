"""Disks that the dashcam writes to: room, file system, speed of durable writes, wear."""

from __future__ import annotations

import os
import shutil
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from edge_client.doctor.finding import Finding, Verdict
from edge_client.doctor.machine import Machine
from edge_client.paths import is_folder

_LOW_SPACE_BYTES = 2**30
_SLOW_SYNC_S = 0.5
_SLOW_WRITE_BPS = 2 * 2**20  # a camera's 8 Mbit/s with room for the rest
_TRIAL_BYTES = 4 * 2**20
_SYNCS = 8
_LOST_AT_POWER_OFF = {"tmpfs", "ramfs", "overlay"}
_TORN_BY_POWER_CUTS = {"vfat", "exfat", "msdos"}
_ROOMY = "make room, or lower recording.max_gb: an hour of recording takes up to 3.6 GB"


@dataclass(frozen=True, slots=True)
class Mount:
    """One line of `/proc/self/mountinfo`."""

    point: Path
    kind: str
    device: str
    read_only: bool


@dataclass(frozen=True, slots=True)
class Speed:
    """Bytes per second of a large write, and the slowest of a few small ones that wait for the disk."""

    write_bps: float
    sync_s: float


def disks(machine: Machine, folders: dict[str, Path]) -> Iterator[Finding]:
    """A finding per disk that holds one of the folders, named by what it holds; writes a few MB for a moment."""
    mounts = read_mounts(machine.text("/proc/self/mountinfo") or "")
    by_disk: dict[Path, tuple[Mount | None, Path, list[str]]] = {}
    for name, folder in folders.items():
        there = existing(folder)
        mount = mount_of(mounts, there.resolve())
        key = mount.point if mount is not None else there
        by_disk.setdefault(key, (mount, there, []))[2].append(name)
    for mount, folder, names in by_disk.values():
        yield _disk(f"disk of {' and '.join(names)}", mount, folder)
        if mount is not None and (finding := wear(machine, mount.device)) is not None:
            yield finding


def _disk(part: str, mount: Mount | None, folder: Path) -> Finding:
    free = shutil.disk_usage(folder).free
    text = f"{free / 2**30:.1f} GiB free in {folder}" + (f" ({mount.kind})" if mount is not None else "")
    if mount is not None and mount.read_only:
        return Finding(part, Verdict.WRONG, f"{text}, read-only", f"sudo mount -o remount,rw {mount.point}; then dmesg")
    if not os.access(folder, os.W_OK):
        return Finding(part, Verdict.WRONG, f"{text}, not writable by this account", f"sudo chown $USER {folder}")
    if mount is not None and mount.kind in _LOST_AT_POWER_OFF:
        advice = "switch the overlay file system off (raspi-config), or name folders on a real disk"
        return Finding(part, Verdict.NOTE, f"{text}: all is lost when the power goes", advice)
    if free < _LOW_SPACE_BYTES:
        return Finding(part, Verdict.NOTE, text, _ROOMY)
    try:
        speed = measure(folder)
    except OSError as e:
        return Finding(
            part, Verdict.WRONG, f"{text}, cannot be written: {e.strerror}", "look at dmesg; replace the card"
        )
    text += f", writes {speed.write_bps / 2**20:.0f} MiB/s, a durable write takes {speed.sync_s * 1000:.0f} ms"
    if speed.write_bps < _SLOW_WRITE_BPS or speed.sync_s > _SLOW_SYNC_S:
        return Finding(part, Verdict.NOTE, f"{text}: slow", "take a card of class A2 and U3, or a USB SSD")
    if mount is not None and mount.kind in _TORN_BY_POWER_CUTS:
        advice = "format it as ext4: a power cut can tear files of this file system"
        return Finding(part, Verdict.NOTE, text, advice)
    return Finding(part, Verdict.OK, text)


def read_mounts(text: str) -> list[Mount]:
    """Mounts in the order of the kernel, see `proc(5)`; later ones hide earlier ones."""
    mounts = []
    for line in text.splitlines():
        before, dash, after = line.partition(" - ")
        fields, rest = before.split(), after.split()
        if dash and len(fields) >= 6 and len(rest) >= 3:
            point = Path(fields[4].encode().decode("unicode_escape"))
            read_only = "ro" in fields[5].split(",") or "ro" in rest[2].split(",")
            mounts.append(Mount(point, rest[0], rest[1], read_only))
    return mounts


def mount_of(mounts: list[Mount], folder: Path) -> Mount | None:
    """The mount that holds the folder: the deepest one, and of these the last."""
    holding = [m for m in mounts if folder.is_relative_to(m.point)]
    return max(enumerate(holding), key=lambda pair: (len(pair[1].point.parts), pair[0]))[1] if holding else None


def measure(folder: Path) -> Speed:
    """Writes a few MB into a file of its own, which is removed again.

    Raises:
        OSError: it cannot be written.
    """
    with tempfile.TemporaryFile(dir=folder) as file:
        descriptor = file.fileno()
        block = os.urandom(_TRIAL_BYTES // 4)  # a disk that compresses must not look faster than it is
        start_s = time.perf_counter()
        for _ in range(4):
            file.write(block)
        file.flush()
        os.fsync(descriptor)
        write_s = time.perf_counter() - start_s
        slowest_s = 0.0
        for _ in range(_SYNCS):
            file.write(block[:4096])
            file.flush()
            start_s = time.perf_counter()
            os.fsync(descriptor)
            slowest_s = max(slowest_s, time.perf_counter() - start_s)
    return Speed(_TRIAL_BYTES / max(write_s, 1e-9), slowest_s)


def wear(machine: Machine, device: str) -> Finding | None:
    """What card and file system tell of their age; None when they tell nothing.

    `life_time` and `pre_eol_info` are those of JEDEC eMMC 5.0: tenths of the estimated life, and spare blocks.
    Ordinary SD cards have neither; errors of ext4 are counted in its own place.
    """
    name = Path(device).name
    told, worst = [], Verdict.OK
    disk = name.rpartition("p")[0] if name.startswith(("mmcblk", "nvme")) and "p" in name else name.rstrip("0123456789")
    life = machine.text(f"/sys/block/{disk}/device/life_time")
    if life is not None:
        used = max((int(part, 16) for part in life.split() if part.lower().startswith("0x")), default=0)
        told.append(f"{disk} has used {max(used - 1, 0) * 10}-{used * 10} % of its life")
        worst = Verdict.NOTE if used >= 9 else worst
    spare = machine.number(f"/sys/block/{disk}/device/pre_eol_info")
    if spare is not None and spare >= 2:
        told.append("its spare blocks are nearly gone")
        worst = Verdict.WRONG if spare >= 3 else Verdict.NOTE
    errors = machine.number(f"/sys/fs/ext4/{name}/errors_count")
    if errors:
        told.append(f"ext4 has counted {errors} errors on {name}")
        worst = Verdict.WRONG
    if not told:
        return None
    advice = "" if worst is Verdict.OK else f"copy what you want to keep; then sudo fsck {device} or a new card"
    return Finding("disk's age", worst, "; ".join(told), advice)


def existing(folder: Path) -> Path:
    """The folder, or the nearest one above it that is there."""
    folder = folder.absolute()
    while not is_folder(folder):
        folder = folder.parent
    return folder
