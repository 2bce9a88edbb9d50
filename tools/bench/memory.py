"""Resident memory of a process over time."""

from __future__ import annotations

import subprocess
import time
from dataclasses import dataclass

import psutil

from tools.bench.figures import slope

MEBIBYTE = 2**20


@dataclass(frozen=True, slots=True)
class Memory:
    """Resident memory of the device process, in MiB: after warming up, at the end, at most, and its slope."""

    minutes: float
    warm_mib: float
    end_mib: float
    most_mib: float
    slope_mib_per_minute: float


def sample(process: subprocess.Popen[bytes], interval_s: float) -> list[tuple[float, float]]:
    """Seconds since the start and MiB resident, every `interval_s`, until the process ends.

    Children are not counted.
    """
    seen = psutil.Process(process.pid)
    samples: list[tuple[float, float]] = []
    start = time.monotonic()
    while True:
        try:
            process.wait(interval_s)
        except subprocess.TimeoutExpired:
            try:
                samples.append((time.monotonic() - start, seen.memory_info().rss / MEBIBYTE))
            except psutil.NoSuchProcess:
                return samples
        else:
            return samples


def memory(samples: list[tuple[float, float]], warm_up_s: float) -> Memory:
    """Figures of the samples; the slope is that of the second half. Raises ValueError without samples."""
    if not samples:
        raise ValueError("the process ended before it could be looked at")
    warm = next((mib for t, mib in samples if t >= warm_up_s), samples[-1][1])
    half = [s for s in samples if s[0] >= samples[-1][0] / 2]
    return Memory(
        samples[-1][0] / 60,
        warm,
        samples[-1][1],
        max(mib for _, mib in samples),
        slope([t / 60 for t, _ in half], [mib for _, mib in half]),
    )
