"""Runs steps: prints each command as a person would type it, its output, and whether what had to come of it came."""

from __future__ import annotations

import shlex
import subprocess
import sys
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

_MODULES = {
    "cloud-deploy": "deploy",
    "sample-inference": "tools.sample_inference",
    "dashcam": "edge_client",
    "python -m tools.demo": "tools.demo",
}
_LIMIT_S = 900.0


class SequenceError(Exception):
    """A step did not do what it had to; the message names it."""


@dataclass(frozen=True, slots=True)
class Step:
    """One command: the program by its name and its options, and what is wrong with its output, "" for nothing."""

    title: str
    program: str
    options: tuple[str, ...]
    problem: Callable[[str], str] = lambda _: ""
    exit_code: int = 0

    @property
    def typed(self) -> str:
        """The command as a person types it."""
        return f"{self.program} {shlex.join(self.options)}"


@dataclass(frozen=True, slots=True)
class Done:
    """A step that did what it had to, and how long it took."""

    title: str
    seconds: float


def run(steps: Iterable[Step], folder: Path, environment: Mapping[str, str], say: Callable[[str], None]) -> list[Done]:
    """Run the steps in ``folder``; raises `SequenceError` at the first that fails."""
    done = []
    for step in steps:
        say(f"\n# {step.title}\n$ {step.typed}")
        begun_s = time.monotonic()
        output = _run(step, folder, environment, say)
        if problem := step.problem(output):
            raise SequenceError(f"{step.title}: {problem}")
        done.append(Done(step.title, time.monotonic() - begun_s))
    return done


def _run(step: Step, folder: Path, environment: Mapping[str, str], say: Callable[[str], None]) -> str:
    command = [sys.executable, "-m", _MODULES[step.program], *step.options]
    try:
        ended = subprocess.run(
            command,
            cwd=folder,
            env=dict(environment),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=False,
            timeout=_LIMIT_S,
        )
    except subprocess.TimeoutExpired:
        raise SequenceError(f"{step.title}: `{step.typed}` does not end within {_LIMIT_S:g} s") from None
    for text in (ended.stdout, ended.stderr):
        if text.strip():
            say(text.rstrip())
    if ended.returncode != step.exit_code:
        raise SequenceError(f"{step.title}: `{step.typed}` ended with {ended.returncode} instead of {step.exit_code}")
    return ended.stdout
