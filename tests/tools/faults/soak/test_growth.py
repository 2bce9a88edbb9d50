"""The check of the soak on series that leak, and on ones that do not."""

from __future__ import annotations

import random
from collections.abc import Callable

import pytest

from tools.faults.soak.growth import MEBIBYTE, Growth, Sample, grows, growth

MOST_MIB = 20.0


def series(
    resident_mib: Callable[[float], float] = lambda _s: 200.0,
    descriptors: Callable[[int], int] = lambda _s: 40,
    threads: Callable[[int], int] = lambda _s: 20,
    seconds: int = 1800,
) -> list[Sample]:
    chance = random.Random(1)
    return [
        Sample(
            s,
            round((resident_mib(s) + chance.uniform(-3, 3)) * MEBIBYTE),
            descriptors(s) + chance.randrange(8),  # connections come and go
            threads(s),
            1000 * s,
        )
        for s in range(0, seconds, 2)
    ]


def problems(samples: list[Sample]) -> list[str]:
    return grows(growth(samples), MOST_MIB)


def test_a_process_that_warms_up_and_then_stays_as_it_is_is_well() -> None:
    assert problems(series(lambda s: 250 - 150 / (1 + s / 60))) == []
    assert problems(series(lambda s: 300 if 1000 < s < 1100 else 200)) == []  # a peak that goes by
    assert problems(series(descriptors=lambda s: 40 + 30 * (s % 60 > 40))) == []  # storms


@pytest.mark.parametrize(
    ("samples", "found"),
    [
        (series(lambda s: 200 + s / 20), "MiB of memory"),  # 90 MiB in half an hour
        (series(lambda s: 200 + (30 if s > 1500 else 0)), "MiB of memory"),
        (series(descriptors=lambda s: 40 + s // 60), "descriptors"),  # one a minute
        (series(descriptors=lambda s: 5 if s > 1790 else 40 + s // 30), "descriptors"),  # few in the end hide nothing
        (series(threads=lambda s: 20 + s // 200), "threads"),
        (series(lambda s: 200 + s, lambda s: 40 + s // 2, seconds=60), "descriptors"),
    ],
)
def test_a_leak_is_found(samples: list[Sample], found: str) -> None:
    assert any(found in problem for problem in problems(samples))


def test_figures_and_too_few_samples() -> None:
    found = growth([Sample(s, s * MEBIBYTE, s, 2 * s, 3 * s * MEBIBYTE) for s in range(100)])
    assert (found.resident_mib, found.disk_mib) == (40.0, 120.0)
    assert (found.descriptors, found.threads) == (34, 68)
    assert grows(Growth(20.0, 0, 0, 999.0), MOST_MIB) == []
    with pytest.raises(ValueError, match="10 samples are too few"):
        growth(series(seconds=20))
