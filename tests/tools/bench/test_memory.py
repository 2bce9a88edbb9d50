"""Memory is sampled from a real process and its growth is found."""

from __future__ import annotations

import subprocess
import sys
import threading

import pytest

from tools.bench.memory import memory, sample


def test_figures_by_hand() -> None:
    samples = [(0.0, 50.0), (60.0, 100.0), (120.0, 110.0), (180.0, 120.0), (240.0, 130.0)]
    result = memory(samples, warm_up_s=60)
    assert (result.warm_mib, result.end_mib, result.most_mib) == (100, 130, 130)
    assert result.minutes == 4
    assert result.slope_mib_per_minute == pytest.approx(10)


def test_no_samples_are_an_error() -> None:
    with pytest.raises(ValueError, match="before"):
        memory([], 1)


def test_a_process_is_watched_until_it_ends() -> None:
    program = "import sys; block = bytearray(64 << 20); print('ready', flush=True); sys.stdin.read()"
    process = subprocess.Popen([sys.executable, "-c", program], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    assert process.stdin is not None
    assert process.stdout is not None
    assert process.stdout.readline() == b"ready\n"
    timer = threading.Timer(1.0, process.stdin.close)
    timer.start()
    samples = sample(process, 0.02)
    timer.join()
    process.stdout.close()
    assert process.returncode == 0
    assert max(mib for _, mib in samples) > 64
