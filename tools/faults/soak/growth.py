"""What a process holds over time, and how much that grew in the second half of the time."""

from __future__ import annotations

import statistics
from collections.abc import Sequence
from dataclasses import dataclass

MEBIBYTE = 2**20
_LEAST_SAMPLES = 12


@dataclass(frozen=True, slots=True)
class Sample:
    """One look: seconds since the beginning, resident bytes, open descriptors, threads, bytes on the disk."""

    at_s: float
    resident_bytes: int
    descriptors: int
    threads: int
    disk_bytes: int


@dataclass(frozen=True, slots=True)
class Growth:
    """From the beginning of the second half to its end."""

    resident_mib: float
    descriptors: int
    threads: int
    disk_mib: float


def growth(samples: Sequence[Sample]) -> Growth:
    """Of the second half: memory and disk by the medians of its first and last fifth, the others by their floors.

    Connections come and go with the faults: how many descriptors and threads there are at quiet moments (a tenth of the
    time) of the half's first third and of its last tells whether some are never given back. Raises ValueError for too
    few samples.
    """
    half = samples[len(samples) // 2 :]
    if len(half) < _LEAST_SAMPLES:
        raise ValueError(f"{len(samples)} samples are too few to tell a growth")
    fifth, third = len(half) // 5, len(half) // 3

    def risen(values: Sequence[int]) -> float:
        return statistics.median(values[-fifth:]) - statistics.median(values[:fifth])

    def floor_risen(values: Sequence[int]) -> int:
        return sorted(values[-third:])[third // 10] - sorted(values[:third])[third // 10]

    return Growth(
        risen([s.resident_bytes for s in half]) / MEBIBYTE,
        floor_risen([s.descriptors for s in half]),
        floor_risen([s.threads for s in half]),
        risen([s.disk_bytes for s in half]) / MEBIBYTE,
    )


def grows(found: Growth, most_mib: float) -> list[str]:
    """What grew that must not, in words; nothing when all is well. The disk has limits of its own."""
    problems = []
    if found.resident_mib > most_mib:
        problems.append(f"{found.resident_mib:.0f} MiB of memory")
    if found.descriptors > 0:
        problems.append(f"{found.descriptors} descriptors")
    if found.threads > 0:
        problems.append(f"{found.threads} threads")
    return problems
