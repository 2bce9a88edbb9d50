"""The soak's row, and a real leaking process under the same eyes."""

from __future__ import annotations

import subprocess
import sys
import threading

import psutil

from tools.faults.soak.growth import Sample, grows, growth
from tools.faults.soak.leaking import leak
from tools.faults.soak.trial import MOST_MIB, Soaked, row_of

SUMMARY = {
    "captured": 100,
    "shown": {"annotated": 60, "carried": 30, "plain": 5},
    "dropped": {"display_queue_full": 5},
    "in_flight": 0,
    "out_of_order": 0,
}


def still(count: int = 100) -> tuple[Sample, ...]:
    return tuple(Sample(float(n), 200 * 2**20, 40, 20, 10**6) for n in range(count))


def test_the_row_wants_every_frame_and_no_growth() -> None:
    good = row_of(Soaked(still(), SUMMARY, "reset 3"))
    assert good.kept
    assert "100 frames captured, 95 shown, 5 dropped; reset 3" in good.measured
    assert not row_of(Soaked(still(), SUMMARY | {"captured": 101}, "")).kept
    assert not row_of(Soaked(still(), SUMMARY | {"out_of_order": 1}, "")).kept
    leaking = tuple(Sample(float(n), 200 * 2**20, 40 + n, 20, 0) for n in range(100))
    assert not row_of(Soaked(leaking, SUMMARY, "")).kept


def test_the_leak_of_the_control_is_one_that_the_check_finds() -> None:
    code = f"from {leak.__module__} import leak; leak()"
    with subprocess.Popen([sys.executable, "-c", code]) as process:
        seen, samples, pause = psutil.Process(process.pid), [], threading.Event()
        try:
            first = seen.num_fds()
            while seen.num_fds() < first + 4:  # it has begun
                pause.wait(0.05)
            for n in range(40):
                held = (seen.memory_info().rss, seen.num_fds(), seen.num_threads(), 0)
                samples.append(Sample(float(n), *held))
                begun = held[1]
                while n % 8 == 7 and seen.num_fds() == begun:  # as long as it takes to leak one more
                    pause.wait(0.05)
        finally:
            process.kill()
    assert any("descriptors" in problem for problem in grows(growth(samples), MOST_MIB))
