"""The soak: a drive in real time through the proxy of faults; all that it holds is looked at."""

from __future__ import annotations

import contextlib
import json
import re
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psutil
import yaml

from tools.bench.device import RunError, command
from tools.bench.drives import looped
from tools.bench.instant_apis import instant_apis
from tools.bench.scenarios import free_port
from tools.crash.film import write_film
from tools.faults.proxy.schedule import EXAMPLE
from tools.faults.row import Row
from tools.faults.soak.growth import Sample, grows, growth
from tools.faults.trial import Effort, Trial

MOST_MIB = 20.0
RECORDINGS_BYTES = 60 * 10**6
_FILM_S = 20.0
_LEAST_CONTROL_S = 25.0
_LOOKS = 900
_LEAST_LOOK_S = 0.25
_MODULE_AT = 2  # where the command line of the dashcam names its module
_OURS = ("minute.mp4", "film.mp4", "edge.yaml", "log.txt", "proxy.txt")
LEAKING = "tools.faults.soak.leaking"


@dataclass(frozen=True, slots=True)
class Soaked:
    """What came of a drive: its samples, its counters, and how many requests met which fault."""

    samples: tuple[Sample, ...]
    summary: dict[str, Any]
    faults: str


def soak(effort: Effort) -> Iterator[Row]:
    """The drive, and a leaking one that the same check must find."""
    drive = drive_among_faults(effort.folder / "drive", effort.seconds(1800, 30))
    yield row_of(drive)
    seconds = max(effort.seconds(60, 25), _LEAST_CONTROL_S)
    control = drive_among_faults(effort.folder / "control", seconds, module=LEAKING)
    problems = grows(growth(control.samples), MOST_MIB)
    told = f"in {seconds:g} s: {', '.join(problems) or 'nothing'} found"
    found = any("memory" in problem for problem in problems) and any("descriptors" in problem for problem in problems)
    yield Row("control: a dashcam that leaks", "the same check fails", told, found)


def row_of(drive: Soaked) -> Row:
    """Whether nothing grew and every frame is accounted for."""
    found = growth(drive.samples)
    problems = grows(found, MOST_MIB)
    s = drive.summary
    shown, dropped = sum(s["shown"].values()), sum(s["dropped"].values())
    accounted = s["captured"] == shown + dropped > 0 and s["in_flight"] == 0 and s["out_of_order"] == 0
    most_disk = max(sample.disk_bytes for sample in drive.samples)
    told = (
        f"{drive.samples[-1].at_s / 60:.1f} min, second half: {found.resident_mib:+.1f} MiB of memory, "
        f"{found.descriptors:+d} descriptors, {found.threads:+d} threads, {found.disk_mib:+.0f} MiB of disk (at most "
        f"{most_disk / 1e6:.0f} MB); {s['captured']} frames captured, {shown} shown, {dropped} dropped; {drive.faults}"
    )
    promised = f"second half: at most {MOST_MIB:g} MiB more, no more descriptors or threads; every frame accounted for"
    return Row("soak among random faults", promised, told, not problems and accounted)


def drive_among_faults(folder: Path, seconds: float, module: str = "edge_client") -> Soaked:
    """Drives so long, in real time. Raises RunError when the dashcam or the proxy does not run."""
    folder.mkdir(parents=True)
    film = looped(write_film(folder / "minute.mp4", _FILM_S), folder / "film.mp4", seconds)
    settings = folder / "edge.yaml"
    recording = {"max_gb": RECORDINGS_BYTES / 10**9, "reserve_gb": 0, "segment_s": 20}
    settings.write_text(yaml.safe_dump({"recording": recording, "offline": {"min_free_mb": 0}}), encoding="utf-8")
    page = f"127.0.0.1:{free_port()}"
    options = ["--rate", "realtime", "--web", page, "--recordings", str(folder / "recordings")]
    log = folder / "log.txt"
    with instant_apis() as near, _proxy(near, folder) as proxy, log.open("wb") as words:
        line = command(str(film), folder, proxy.port, [*options, "--config", str(settings)])
        line[_MODULE_AT] = module
        process = subprocess.Popen(line, stdin=subprocess.DEVNULL, stdout=words, stderr=words)
        try:
            looks = _watched(process, folder, max(seconds / _LOOKS, _LEAST_LOOK_S), 3 * seconds + 120)
        finally:
            process.kill()
            process.wait()
        faults = proxy.ended()
    if process.returncode != 0:
        last = log.read_text(encoding="utf-8", errors="replace").strip().splitlines()
        raise RunError(f"the dashcam ended with {process.returncode}: {last[-1] if last else 'without a word'}")
    samples = tuple(sample for sample in looks if sample.at_s <= seconds)  # at its end a drive lets all go
    return Soaked(samples, json.loads((folder / "summary.json").read_text(encoding="utf-8")), faults)


@dataclass(slots=True)
class _Proxy:
    process: subprocess.Popen[str]
    log: Path
    port: int = 0

    def ended(self) -> str:
        """Ends it; gives its last line, which counts."""
        self.process.send_signal(signal.SIGINT)
        with contextlib.suppress(subprocess.TimeoutExpired):
            self.process.wait(20)
        lines = self.log.read_text(encoding="utf-8").strip().splitlines()
        return lines[-1] if lines else ""


@contextlib.contextmanager
def _proxy(to: int, folder: Path) -> Iterator[_Proxy]:
    log = folder / "proxy.txt"
    line = [sys.executable, "-m", "tools.faults", "proxy", "--to", f"http://127.0.0.1:{to}", "--listen", "0"]
    with log.open("wb") as words:
        proxy = _Proxy(subprocess.Popen([*line, str(EXAMPLE)], stdout=words, stderr=words, text=True), log)
    try:
        end_s = time.monotonic() + 60
        while time.monotonic() < end_s and proxy.process.poll() is None:
            if found := re.search(r"http://127\.0\.0\.1:(\d+)", log.read_text(encoding="utf-8")):
                proxy.port = int(found[1])
                break
            with contextlib.suppress(subprocess.TimeoutExpired):
                proxy.process.wait(0.1)
        if not proxy.port:
            raise RunError("the proxy did not start")
        yield proxy
    finally:
        proxy.process.kill()
        proxy.process.wait()


def _watched(process: subprocess.Popen[bytes], folder: Path, every_s: float, longest_s: float) -> tuple[Sample, ...]:
    """Samples until the process ends, or is killed as it does not."""
    seen, began_s, samples = psutil.Process(process.pid), time.monotonic(), []
    while (at_s := time.monotonic() - began_s) < longest_s:
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(every_s)
            break
        with contextlib.suppress(psutil.Error, OSError):
            held = (seen.memory_info().rss, seen.num_fds(), seen.num_threads(), _disk_bytes(folder))
            samples.append(Sample(at_s, *held))
    return tuple(samples)


def _disk_bytes(folder: Path) -> int:
    """Of what the dashcam writes: recordings, reads and spool."""
    sizes = []
    for path in folder.rglob("*"):
        with contextlib.suppress(OSError):
            if path.is_file() and path.name not in _OURS:
                sizes.append(path.stat().st_size)
    return sum(sizes)


SOAK = Trial("soak", "half an hour of driving among faults", soak, in_short=False)
