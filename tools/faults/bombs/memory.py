"""How much memory a process took at most within a while: Linux keeps the mark, and lets it be set back."""

from __future__ import annotations

import re
from pathlib import Path


class PeakMemory:
    """The peak of a process's resident memory since it was set back. Raises OSError where the kernel has none."""

    def __init__(self, pid: int) -> None:
        self._folder = Path("/proc") / str(pid)
        self._before_mb = 0.0
        self.set_back()

    def set_back(self) -> None:
        """Forget the peak: from now on (see *proc_pid_clear_refs(5)*)."""
        (self._folder / "clear_refs").write_text("5", encoding="ascii")
        self._before_mb = self._read("VmRSS")

    @property
    def growth_mb(self) -> float:
        """How far the peak is above what was taken when it was set back."""
        return self._read("VmHWM") - self._before_mb

    def _read(self, name: str) -> float:
        found = re.search(rf"{name}:\s+(\d+) kB", (self._folder / "status").read_text(encoding="ascii"))
        if found is None:
            raise OSError(f"the kernel does not tell {name}")
        return int(found.group(1)) / 1024
