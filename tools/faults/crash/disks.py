"""Small file systems to be broken: ext4 in a file, and tmpfs. For use in a mount namespace of one's own.

All is gone with the namespace, whatever happens to the process.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import shutil
import struct
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

_SHUTDOWN = 0x8004587D  # _IOR('X', 125, __u32): EXT4_IOC_SHUTDOWN
_NO_LOG_FLUSH = 2
_IMAGE_BYTES = 96 * 2**20


class DiskError(Exception):
    """The file system cannot be had here; the message says why."""


@dataclass(slots=True)
class Ext4:
    """An ext4 on a loop device, mounted at ``path``."""

    image: Path
    path: Path

    @classmethod
    def made(cls, folder: Path) -> Ext4:
        """A new one, mounted. Raises DiskError."""
        disk = cls(folder / "disk.img", folder / "disk")
        disk.path.mkdir()
        with disk.image.open("wb") as file:
            file.truncate(_IMAGE_BYTES)
        _run("mkfs.ext4", "-q", "-F", "-m", "0", str(disk.image))
        disk.mount()
        return disk

    def mount(self) -> None:
        """Mount it; what its journal knows is made good first, as after any power cut."""
        _run("mount", "-o", "loop,errors=remount-ro", str(self.image), str(self.path))

    def unmount(self) -> None:
        """Take it off; nobody may have a file of it open."""
        _run("umount", str(self.path))

    def cut_power(self) -> None:
        """From now on nothing reaches the device: what was not made durable is lost, the journal's last part too."""
        handle = os.open(self.path, os.O_RDONLY)
        try:
            fcntl.ioctl(handle, _SHUTDOWN, struct.pack("I", _NO_LOG_FLUSH))
        finally:
            os.close(handle)

    def back(self) -> None:
        """Power is on again."""
        self.unmount()
        self.mount()

    def fail(self) -> None:
        """The kernel finds an error in it and makes it read-only, whoever writes at the moment."""
        device = Path(_run("findmnt", "-n", "-o", "SOURCE", str(self.path)).strip()).name
        Path(f"/sys/fs/ext4/{device}/trigger_fs_error").write_text("1", encoding="ascii")

    def close(self) -> None:
        """Take it off for good."""
        self.unmount()
        self.image.unlink()


@contextlib.contextmanager
def small_disk(path: Path, size_bytes: int) -> Iterator[Path]:
    """A tmpfs of that size. Raises DiskError."""
    path.mkdir(exist_ok=True)
    _run("mount", "-t", "tmpfs", "-o", f"size={size_bytes}", "tmpfs", str(path))
    try:
        yield path
    finally:
        _run("umount", "-l", str(path))


def fill(folder: Path, leave_bytes: int) -> Path:
    """A file that takes all room of its disk but so much; `free` gives it back."""
    ballast = folder / "ballast"
    with ballast.open("wb") as file, contextlib.suppress(OSError):
        left = shutil.disk_usage(folder).free - leave_bytes
        os.posix_fallocate(file.fileno(), 0, max(left, 1))
    return ballast


def why_no_disks() -> str:
    """Why no small tmpfs can be mounted here; empty when it can."""
    return _why_not(*_namespace(), "true")


def why_no_power_cuts() -> str:
    """Why no ext4 can be mounted and shut down here; empty when it can."""
    if os.geteuid() != 0:
        return "it takes root, for ext4 in a file"
    for tool in ("mkfs.ext4", "findmnt"):
        if shutil.which(tool) is None:
            return f"there is no {tool} (apt install e2fsprogs mount)"
    if not Path("/dev/loop-control").exists():
        return "the kernel has no loop devices"
    return _why_not(*_namespace(), "true")


def in_namespace(command: list[str]) -> list[str]:
    """The command in a mount namespace of its own, with the right to mount there."""
    return [*_namespace(), *command]


def _namespace() -> list[str]:
    own = ["unshare", "--mount", "--propagation", "private"]
    return own if os.geteuid() == 0 else [*own, "--user", "--map-root-user"]


def _why_not(*command: str) -> str:
    try:
        done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)
    except OSError as error:
        return f"{command[0]}: {error.strerror}"
    return "" if done.returncode == 0 else done.stderr.strip() or f"{command[0]} fails"


def _run(*command: str) -> str:
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=120)
    if done.returncode != 0:
        raise DiskError(f"{' '.join(command)}: {done.stderr.strip()}")
    return done.stdout
