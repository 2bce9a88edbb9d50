"""What the device process costs when others do the inference: processor time and memory."""

from __future__ import annotations

import subprocess
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import psutil

from tools.bench.device import DashcamRun, run_dashcam
from tools.bench.drives import at_rate, looped, rate_of
from tools.bench.figures import slope
from tools.bench.instant_apis import instant_apis

RATE_HZ: Final = 30
WARM_UP_S: Final = 10.0
INTERVAL_S: Final = 1.0
MEBIBYTE: Final = 2**20


@dataclass(frozen=True, slots=True)
class Load:
    """Seconds since the start, processor seconds so far (user and system), and MiB resident."""

    at_s: float
    cpu_s: float
    resident_mib: float


@dataclass(frozen=True, slots=True)
class DeviceLoad:
    """Figures of one run after warming up.

    `core_share` is processor time per second of film: 0.6 is 60 % of one core at 30 frames/s, however busy the
    machine is otherwise. `pace` below 1 says that the film was played slower than it should.
    """

    seconds: float
    core_share: float
    resident_mib: float
    most_mib: float
    slope_mib_per_minute: float
    captured: int
    lost: int
    pace: float


def watch(process: subprocess.Popen[bytes], interval_s: float = INTERVAL_S) -> list[Load]:
    """Samples until the process ends; its children are not counted."""
    seen = psutil.Process(process.pid)
    samples: list[Load] = []
    start_s = time.monotonic()
    while True:
        try:
            process.wait(interval_s)
        except subprocess.TimeoutExpired:
            try:
                times, memory = seen.cpu_times(), seen.memory_info()
            except psutil.NoSuchProcess:
                return samples
            samples.append(Load(time.monotonic() - start_s, times.user + times.system, memory.rss / MEBIBYTE))
        else:
            return samples


def figures(samples: Sequence[Load], warm_up_s: float, run: DashcamRun) -> DeviceLoad:
    """Figures of the samples. Raises ValueError when there are fewer than two after warming up."""
    warm = [s for s in samples if s.at_s >= warm_up_s]
    if len(warm) < 2:
        raise ValueError("the run was too short to be measured")
    span_s = warm[-1].at_s - warm[0].at_s
    captured = int(run.summary["captured"])
    pace = captured / RATE_HZ / run.wall_s
    half = [s for s in warm if s.at_s >= (warm[0].at_s + warm[-1].at_s) / 2]
    return DeviceLoad(
        seconds=span_s,
        core_share=(warm[-1].cpu_s - warm[0].cpu_s) / span_s / min(pace, 1.0),
        resident_mib=warm[-1].resident_mib,
        most_mib=max(s.resident_mib for s in warm),
        slope_mib_per_minute=slope([s.at_s / 60 for s in half], [s.resident_mib for s in half]),
        captured=captured,
        lost=run.lost,
        pace=pace,
    )


def device_load(video: Path, folder: Path, *, minutes: float, options: Sequence[str]) -> DeviceLoad:
    """Plays a video of 30 frames a second that long, against APIs that answer at once from another process."""
    folder.mkdir(parents=True, exist_ok=True)
    if abs(rate_of(video) - RATE_HZ) > 0.01:
        video = at_rate(video, folder / "at-30.mp4", RATE_HZ)
    seconds = minutes * 60 + WARM_UP_S
    drive = looped(video, folder / "drive.mp4", seconds)
    samples: list[Load] = []
    with instant_apis() as port:
        run = run_dashcam(str(drive), folder, port, options, lambda process: samples.extend(watch(process)))
    return figures(samples, WARM_UP_S, run)


CASES: Final = {
    "no recording, no page": ("--web", "off"),
    "recording": ("--web", "off", "--recordings", "{folder}/recordings"),
}


def options_of(case: str, folder: Path) -> list[str]:
    """The dashcam's options for a case."""
    return [word.replace("{folder}", str(folder)) for word in CASES[case]]
