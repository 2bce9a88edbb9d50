"""Watches the process that reads the spoiled inputs: time for each case, memory, and whether it lives."""

from __future__ import annotations

import contextlib
import queue
import statistics
import subprocess
import sys
import tempfile
import threading
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

import psutil

from tools.faults.fuzz.child import BROKEN

CASE_S: Final = 15.0
"""A case that takes longer hangs: generous, since the machine may be busy with something else."""
READY_S: Final = 240.0
MOST_GROWTH_MB: Final = 20.0
_MOST_BROKEN: Final = 25
_SAMPLES: Final = 200
_ROOT: Final = Path(__file__).resolve().parents[3]


@dataclass(slots=True)
class Figures:
    """What became of the cases."""

    became: Counter[str] = field(default_factory=Counter)
    broken: list[tuple[int, str]] = field(default_factory=list)
    """Numbers of the cases that broke something, and what they broke."""
    slowest_ms: float = 0.0
    rss_mb: list[float] = field(default_factory=list)
    """Memory of the process, sampled evenly over the cases."""

    @property
    def fed(self) -> int:
        """How many cases were read, one way or the other."""
        return self.became.total() + len(self.broken)

    @property
    def growth_mb(self) -> float:
        """How much more memory the last quarter took than the second one; libraries warm up in the first."""
        quarter = len(self.rss_mb) // 4
        if quarter < 2:
            return 0.0
        return statistics.median(self.rss_mb[-quarter:]) - statistics.median(self.rss_mb[quarter : 2 * quarter])

    @property
    def good(self) -> bool:
        """Whether nothing broke, hung or grew."""
        return not self.broken and self.growth_mb <= MOST_GROWTH_MB

    def __str__(self) -> str:
        refused = ", ".join(f"{count} {word}" for word, count in sorted(self.became.items()))
        text = (
            f"{self.fed:,} cases: {refused or 'none'}; slowest {self.slowest_ms:.0f} ms, growth {self.growth_mb:.0f} MB"
        )
        if self.broken:
            text += f"; {len(self.broken)} BROKEN, such as " + "; ".join(f"#{n} {what}" for n, what in self.broken[:3])
        return text


def run_cases(name: str, count: int, seed: int, folder: Path, case_s: float = CASE_S) -> Figures:
    """Feed so many cases of a format to processes of their own, one after the other where one hangs or dies.

    Gives up after a few dozen broken cases: more tell no more.
    """
    figures = Figures()
    first, every = 0, max(1, count // _SAMPLES)
    while first < count and len(figures.broken) < _MOST_BROKEN:
        with tempfile.TemporaryDirectory(dir=folder) as scratch, _child(name, seed, first, count, scratch) as child:
            first = _follow(child, first, count, every, case_s, figures)
    return figures


class _Child:
    """The process, its lines as they come, and what it wrote when it ended."""

    def __init__(self, arguments: list[str]) -> None:
        command = [sys.executable, "-X", "faulthandler", "-m", "tools.faults.fuzz.child", *arguments]
        self.process = subprocess.Popen(
            command, cwd=_ROOT, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
        )
        self._lines: queue.SimpleQueue[str] = queue.SimpleQueue()
        self._errors = ""
        self._threads = [threading.Thread(target=work, daemon=True) for work in (self._read, self._listen)]
        for thread in self._threads:
            thread.start()

    def line(self, timeout_s: float) -> str:
        """The next line; empty when the process has ended. Raises queue.Empty when none comes in time."""
        return self._lines.get(timeout=timeout_s)

    def end(self) -> str:
        """End it, and tell how it had ended itself, if it had."""
        with contextlib.suppress(subprocess.TimeoutExpired):
            self.process.wait(1)
        code = self.process.poll()
        self.process.kill()
        self.process.wait()
        for thread in self._threads:
            thread.join(5)
        lines = self._errors.strip().splitlines() or [""]
        told = next((line for line in lines if line.startswith("Fatal Python error")), lines[-1])
        return f"the process ended with {code}: {told[:200]}"

    def _read(self) -> None:
        assert self.process.stdout is not None  # noqa: S101 - for the type checker
        for line in self.process.stdout:
            self._lines.put(line)
        self._lines.put("")

    def _listen(self) -> None:
        assert self.process.stderr is not None  # noqa: S101 - for the type checker
        for line in self.process.stderr:
            self._errors = (self._errors + line)[-20_000:]


@contextlib.contextmanager
def _child(name: str, seed: int, first: int, count: int, folder: str) -> Iterator[_Child]:
    child = _Child([name, str(seed), str(first), str(count), folder])
    try:
        yield child
    finally:
        child.end()


def _follow(child: _Child, first: int, count: int, every: int, case_s: float, figures: Figures) -> int:
    """Take down what becomes of the cases; gives the first that is still to be fed."""
    try:
        if not child.line(READY_S):
            raise RuntimeError(child.end())
    except queue.Empty:
        raise RuntimeError("the reader of the spoiled inputs did not get ready") from None
    process = psutil.Process(child.process.pid)
    for number in range(first, count):
        try:
            line = child.line(case_s)
        except queue.Empty:
            figures.broken.append((number, f"hangs: no answer within {case_s:g} s"))
            return number + 1
        if not line:
            figures.broken.append((number, child.end()))
            return number + 1
        _note(line, number, figures)
        if number % every == 0:
            with contextlib.suppress(psutil.Error):  # it may just have ended
                figures.rss_mb.append(process.memory_info().rss / 2**20)
    return count


def _note(line: str, number: int, figures: Figures) -> None:
    _, took_ms, became = line.rstrip("\n").split(" ", 2)
    figures.slowest_ms = max(figures.slowest_ms, float(took_ms))
    if became.startswith(BROKEN):
        figures.broken.append((number, became.removeprefix(BROKEN)))
    else:
        figures.became[became] += 1
