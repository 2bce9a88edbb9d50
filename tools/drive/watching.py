"""Looks at a running drive from outside: its counters by the web page, its process by the kernel."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import psutil
import requests

INTERVAL_S = 0.25
_TIMEOUT_S = 2.0
_NO_READS = 2**60  # a revision that no board reaches: the answer holds the state alone
MEBIBYTE = 2**20


@dataclass(frozen=True, slots=True)
class Sample:
    """One look. `at_s` is seconds since the watching began; the counters are those of `--summary-json`."""

    at_s: float
    cpu_s: float
    resident_mib: float
    captured: int
    shown: dict[str, int]
    dropped: int
    reads: int
    age_p99_s: float
    frame_rate_hz: float
    states: dict[str, str]

    @property
    def shown_frames(self) -> int:
        """Frames shown, whichever way."""
        return sum(self.shown.values())


class Watcher:
    """Samples a process and its page in a thread of its own until the process ends."""

    def __init__(self, process: psutil.Process, page: str, on_sample: Callable[[Sample], None]) -> None:
        """`page` is the address of the page, such as `http://127.0.0.1:8081`; `on_sample` is called in the thread."""
        self._process = process
        self._page = page
        self._on_sample = on_sample
        self._end = threading.Event()
        self._thread = threading.Thread(target=self._run, name="watcher", daemon=True)
        self.samples: list[Sample] = []

    def start(self) -> None:
        """Begin."""
        self._thread.start()

    def stop(self) -> None:
        """End, and wait for it."""
        self._end.set()
        self._thread.join(10)

    def _run(self) -> None:
        start_s = time.monotonic()
        with requests.Session() as session:
            session.trust_env = False
            while not self._end.wait(INTERVAL_S):
                try:
                    answer = session.get(f"{self._page}/api/live", params={"after": _NO_READS}, timeout=_TIMEOUT_S)
                    status = answer.json()["status"]
                    times, memory = self._process.cpu_times(), self._process.memory_info()
                except (requests.RequestException, ValueError, KeyError, psutil.NoSuchProcess):
                    continue  # not yet, or no more
                if status is None:
                    continue
                cpu_s = times.user + times.system
                sample = sample_of(status, time.monotonic() - start_s, cpu_s, memory.rss / MEBIBYTE)
                self.samples.append(sample)
                self._on_sample(sample)


def sample_of(status: dict[str, Any], at_s: float, cpu_s: float, resident_mib: float) -> Sample:
    """A sample out of the page's status."""
    summary = status["summary"]
    return Sample(
        at_s=at_s,
        cpu_s=cpu_s,
        resident_mib=resident_mib,
        captured=int(summary["captured"]),
        shown={str(k): int(v) for k, v in summary["shown"].items()},
        dropped=sum(summary["dropped"].values()),
        reads=int(summary["reads"]),
        age_p99_s=float(summary["frame_age_s"]["p99"]),
        frame_rate_hz=float(status["frame_rate_hz"]),
        states={str(s["part"]): f"{s['word']} {s['detail']}".strip() for s in status.get("states", ())},
    )
