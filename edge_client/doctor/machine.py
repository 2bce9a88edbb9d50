"""The machine as the doctor sees it: files of the kernel below a root, and commands."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

_TIMEOUT_S = 5.0


def run_command(words: Sequence[str]) -> str | None:
    """What the command prints; None when there is no such command, or when it fails or hangs."""
    try:
        done = subprocess.run(words, capture_output=True, text=True, timeout=_TIMEOUT_S, check=False)
    except (OSError, subprocess.TimeoutExpired):
        return None
    return done.stdout if done.returncode == 0 else None


@dataclass(frozen=True, slots=True)
class Machine:
    """`root` is where `/sys`, `/proc`, `/dev` and `/run` are looked for; `command` runs a program."""

    root: Path = Path("/")
    command: Callable[[Sequence[str]], str | None] = run_command

    def path(self, name: str | Path) -> Path:
        """Where an absolute path lies."""
        return self.root / str(name).lstrip("/")

    def text(self, name: str | Path) -> str | None:
        """The content of a small file without blanks around it; None if it cannot be read."""
        try:
            # Files of the kernel may end strings with NUL.
            return self.path(name).read_text(encoding="utf-8", errors="replace").strip("\0 \t\r\n")
        except OSError:
            return None

    def number(self, name: str | Path) -> int | None:
        """The whole number in a small file."""
        text = self.text(name)
        try:
            return int(text, 0) if text is not None else None
        except ValueError:
            return None

    def list(self, folder: str, pattern: str) -> list[Path]:
        """Paths in a folder, as if the root were `/`, sorted."""
        return sorted(Path("/") / path.relative_to(self.root) for path in self.path(folder).glob(pattern))

    def may(self, name: str | Path, mode: int) -> bool:
        """Whether this account may read (`os.R_OK`) or write (`os.W_OK`) it."""
        return os.access(self.path(name), mode)
