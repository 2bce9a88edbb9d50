"""Running the dashcam and the prediction APIs as a user does: as processes, from outside."""

from __future__ import annotations

import contextlib
import json
import os
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import psutil

from edge_client.config import ApiSettings
from edge_client.errors import EmbeddedApiError
from edge_client.requests.embedded import EmbeddedApis


class RunError(Exception):
    """The dashcam or the APIs did not run; the message says why."""


@dataclass(frozen=True, slots=True)
class DashcamRun:
    """A run that ended well: the summary as `--summary-json` writes it, and its time from start to end.

    `cpu_s` is the processor time of the dashcam alone, without the APIs.
    """

    summary: dict[str, Any]
    wall_s: float
    cpu_s: float

    @property
    def shown(self) -> int:
        """Frames shown."""
        return sum(self.summary["shown"].values())

    @property
    def lost(self) -> int:
        """Frames captured but not shown."""
        return int(self.summary["captured"]) - self.shown


@dataclass(frozen=True, slots=True)
class RunningApis:
    """The prediction APIs on this loopback port."""

    port: int
    process: psutil.Process

    def cpu_s(self) -> float:
        """Processor time that the APIs have used so far."""
        times = self.process.cpu_times()
        return float(times.user + times.system)


@contextlib.contextmanager
def running_apis(config: Path | None = None) -> Iterator[RunningApis]:
    """The prediction APIs on a free loopback port, ready. Raises RunError."""
    before = {child.pid for child in psutil.Process().children()}
    apis = EmbeddedApis(ApiSettings(embedded_config=config))
    try:
        apis.start(threading.Event())
        port = urlsplit(apis.yolov3_url()).port
        if port is None:
            raise RunError("the APIs have no port")
        (process,) = (child for child in psutil.Process().children() if child.pid not in before)
        yield RunningApis(port, process)
    except EmbeddedApiError as error:
        raise RunError(str(error)) from error
    finally:
        apis.close()


def command(source: str, folder: Path, port: int, options: Sequence[str]) -> list[str]:
    """The command line of a run that writes into `folder` and asks the APIs on that loopback port."""
    url = f"http://127.0.0.1:{port}"
    return [
        *(sys.executable, "-m", "edge_client", "run", source, "--no-window"),
        *("--reads", str(folder / "reads.db"), "--summary-json", str(folder / "summary.json")),
        *("--yolov3-endpoint", url, "--crnn-endpoint", url, *options),
    ]


def run_dashcam(
    source: str,
    folder: Path,
    port: int,
    options: Sequence[str],
    watch: Callable[[subprocess.Popen[bytes]], None] | None = None,
) -> DashcamRun:
    """Runs the dashcam to the end of the source. `watch` is called once with the process and may wait.

    Raises RunError with the dashcam's last line when it fails.
    """
    folder.mkdir(parents=True, exist_ok=True)
    for left in folder.glob("reads.db*"):
        left.unlink()
    start, cpu_before_s = time.perf_counter(), _children_cpu_s()
    with (folder / "log.txt").open("wb") as log:
        process = subprocess.Popen(
            command(source, folder, port, options),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=log,
        )
        try:
            if watch is not None:
                watch(process)
            code = process.wait()
        except BaseException:
            process.kill()
            process.wait()
            raise
    wall_s = time.perf_counter() - start
    if code != 0:
        words = (folder / "log.txt").read_text(encoding="utf-8", errors="replace").strip().splitlines()
        raise RunError(f"the dashcam ended with {code}: {words[-1] if words else 'without a word'}")
    summary: dict[str, Any] = json.loads((folder / "summary.json").read_text(encoding="utf-8"))
    return DashcamRun(summary, wall_s, _children_cpu_s() - cpu_before_s)


def _children_cpu_s() -> float:
    """Processor time of the processes that we started and that have ended."""
    times = os.times()
    return times.children_user + times.children_system
