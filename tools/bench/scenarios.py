"""The measurements of the whole system: full rate, real time over a long distance, memory."""

from __future__ import annotations

import shutil
import socket
import statistics
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from tools.bench.delay_proxy import delayed
from tools.bench.device import DashcamRun, run_dashcam, running_apis
from tools.bench.drives import at_rate, looped, rate_of
from tools.bench.figures import Timing, timing
from tools.bench.memory import Memory, memory, sample
from tools.bench.sequential import read_pictures

REALTIME_RATE_HZ: Final = 30
MEMORY_WARM_UP_S: Final = 60.0
SAMPLE_INTERVAL_S: Final = 2.0


@dataclass(frozen=True, slots=True)
class FullRate:
    """Seconds per frame of the dashcam at full rate, start-up included, and of the sequential client.

    `device_cpu_s` and `apis_cpu_s` are the processor time per frame, medians over the dashcam's runs: they tell
    more than the clock where the machine does other work as well.
    """

    frames: int
    dashcam: Timing
    sequential: Timing
    sequential_frames: int
    device_cpu_s: float
    apis_cpu_s: float
    summary: dict[str, object]


@dataclass(frozen=True, slots=True)
class Realtime:
    """One run in real time with the APIs far away.

    `pace` is the drive's length over the run's, start-up included: a recording may be slowed down rather than
    lose frames, and that must not pass unseen.
    """

    captured: int
    lost: int
    out_of_order: int
    annotated: int
    carried: int
    plain: int
    age_p50_s: float
    age_p99_s: float
    reads: int
    pace: float


def full_rate(pictures: Path, folder: Path, config: Path | None, *, repeats: int, peer_pictures: int) -> FullRate:
    """Plays a folder of pictures at full rate, dashcam and sequential client in turn, APIs on this machine.

    The APIs run already, and one short run of each goes before: what is measured is the work.
    """
    files = sorted(p for p in pictures.iterdir() if p.suffix.lower() in (".webp", ".jpg", ".png"))
    if not files:
        raise FileNotFoundError(f"no pictures in {pictures}")
    few = files[:peer_pictures]
    warm = folder / "warm"
    warm.mkdir(parents=True)
    for file in files[:20]:
        shutil.copy(file, warm)
    options = ("--rate", "full", "--web", "off")
    dashcam, sequential, device_cpu, apis_cpu = [], [], [], []
    with running_apis(config) as apis:
        url = f"http://127.0.0.1:{apis.port}"
        run_dashcam(str(warm), folder, apis.port, options)
        read_pictures(few[:10], url)
        for _ in range(repeats):
            cpu_before_s = apis.cpu_s()
            run = run_dashcam(str(pictures), folder, apis.port, options)
            apis_cpu.append((apis.cpu_s() - cpu_before_s) / run.summary["captured"])
            device_cpu.append(run.cpu_s / run.summary["captured"])
            dashcam.append(run.wall_s / run.summary["captured"])
            sequential.append(read_pictures(few, url)[0] / len(few))
    return FullRate(
        len(files),
        timing(dashcam),
        timing(sequential),
        len(few),
        statistics.median(device_cpu),
        statistics.median(apis_cpu),
        run.summary,
    )


def realtime(
    video: Path, folder: Path, config: Path | None, *, seconds: float, round_trip_s: float, repeats: int
) -> list[Realtime]:
    """Plays a video at 30 frames a second with the APIs `round_trip_s` away."""
    drive = _drive(video, folder, seconds)
    results = []
    with running_apis(config) as near, delayed("127.0.0.1", near.port, round_trip_s) as port:
        for _ in range(repeats):
            results.append(_realtime(run_dashcam(str(drive), folder, port, ("--rate", "realtime", "--web", "off"))))
    return results


def resident_memory(video: Path, folder: Path, config: Path | None, *, minutes: float) -> tuple[Memory, DashcamRun]:
    """Plays a video in real time, page and recording on, and watches the device process's memory."""
    drive = _drive(video, folder, minutes * 60)
    samples: list[tuple[float, float]] = []

    def watch(process: subprocess.Popen[bytes]) -> None:
        samples.extend(sample(process, SAMPLE_INTERVAL_S))

    options = ("--rate", "realtime", "--web", f"127.0.0.1:{free_port()}", "--record", str(folder / "annotated.mp4"))
    with running_apis(config) as apis:
        run = run_dashcam(str(drive), folder, apis.port, options, watch)
    return memory(samples, min(MEMORY_WARM_UP_S, minutes * 15)), run


def free_port() -> int:
    """A TCP port on loopback that nothing listens on now."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        return int(server.getsockname()[1])


def worst(runs: Sequence[Realtime]) -> Realtime:
    """The run that lost most, then the one with the oldest frames."""
    return max(runs, key=lambda r: (r.lost + r.out_of_order, r.age_p99_s))


def _drive(video: Path, folder: Path, seconds: float) -> Path:
    """The video at 30 frames a second, that long."""
    folder.mkdir(parents=True, exist_ok=True)
    if abs(rate_of(video) - REALTIME_RATE_HZ) > 0.01:
        video = at_rate(video, folder / "at-30.mp4", REALTIME_RATE_HZ)
    return looped(video, folder / "drive.mp4", seconds)


def _realtime(run: DashcamRun) -> Realtime:
    shown, age = run.summary["shown"], run.summary["frame_age_s"]
    return Realtime(
        run.summary["captured"],
        run.lost,
        run.summary["out_of_order"],
        shown["annotated"],
        shown["carried"],
        shown["plain"],
        age["p50"],
        age["p99"],
        run.summary["reads"],
        run.summary["captured"] / REALTIME_RATE_HZ / run.wall_s,
    )
