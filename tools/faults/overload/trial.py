"""Twice what the APIs can do, for minutes: `cloud-apis serve` as it is shipped, on loopback.

The capacity, and what is normal, are measured first: as many clients as there are places in the detector's queue ask
again as soon as they are answered, so that the queue is as full as it can be without anybody being refused. Clients
are no part of a server: where there are several processors they run on others than the APIs.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import threading
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import cv2
import numpy as np
import psutil

from cloud_apis.contract import YOLOV3_PATH
from cloud_apis.settings import load_settings
from tools.bench.device import running_apis
from tools.faults.overload.load import Answer, Server, closed_loop, open_loop, p99_s
from tools.faults.row import Row
from tools.faults.soak.growth import Sample, growth
from tools.faults.trial import Effort, Trial

MOST_RATIO = 1.5
MOST_MIB = 20.0
_TIMES = 2.0
_AFTERWARDS = 20
_LOOK_S = 0.5


@dataclass(frozen=True, slots=True)
class Measured:
    """All answers: of the normal load, of the overload, and of the requests right after it."""

    normal: Sequence[Answer]
    normal_s: float
    heavy: Sequence[Answer]
    heavy_s: float
    after: Sequence[Answer]
    memory: Sequence[Sample]

    @property
    def capacity_hz(self) -> float:
        """Answers a second under the normal load."""
        return sum(answer.status == 200 for answer in self.normal) / self.normal_s


def overload(effort: Effort) -> Iterator[Row]:
    """Measure and judge."""
    measured = measure(effort.seconds(60, 3), effort.seconds(300, 3))
    yield refusals(measured)
    yield recovery(measured, timed=not effort.short)
    if not effort.short:
        yield latency(measured)
        yield memory(measured)


def measure(normal_s: float, heavy_s: float) -> Measured:
    """The load, normal and heavy. Raises RunError when the APIs do not start."""
    places = load_settings().yolov3.queue
    with running_apis() as apis, _apart(apis.process), _memory(apis.process) as samples:

        async def loads() -> tuple[list[Answer], list[Answer], list[Answer]]:
            server = Server(apis.port, YOLOV3_PATH, _picture())
            await closed_loop(server, places, min(normal_s / 4, 5.0))  # warms up
            normal = await closed_loop(server, places, normal_s)
            samples.clear()
            rate_hz = _TIMES * sum(answer.status == 200 for answer in normal) / normal_s
            heavy = await open_loop(server, max(rate_hz, 1.0), heavy_s)
            after = [await server.ask() for _ in range(_AFTERWARDS)]
            server.close()
            return normal, heavy, after

        normal, heavy, after = asyncio.run(loads())
        return Measured(normal, normal_s, heavy, heavy_s, after, tuple(samples))


def refusals(measured: Measured) -> Row:
    """What is too much is refused in the right way, and nothing else happens."""
    good = sum(answer.status == 200 for answer in measured.heavy)
    refused = [answer for answer in measured.heavy if answer.status == 503]
    polite = sum(answer.retry_after.isdecimal() and int(answer.retry_after) > 0 for answer in refused)
    others = len(measured.heavy) - good - len(refused)
    share = good / measured.heavy_s / measured.capacity_hz if measured.capacity_hz else 0.0
    told = (
        f"{len(measured.heavy) / measured.heavy_s:.0f} requests/s for {measured.heavy_s:g} s: {good} answered "
        f"({share:.2f} of the capacity), {len(refused)} refused with 503, {polite} of them with Retry-After, "
        f"{others} otherwise"
    )
    kept = good > 0 and bool(refused) and polite == len(refused) and not others
    return Row("twice the capacity", "the excess gets 503 with Retry-After, nothing else fails", told, kept)


def recovery(measured: Measured, *, timed: bool) -> Row:
    """The first requests after the overload."""
    slowest_s = max(answer.took_s for answer in measured.after)
    good = sum(answer.status == 200 for answer in measured.after)
    told = f"{good} of the next {len(measured.after)} requests answered, the slowest after {1000 * slowest_s:.0f} ms"
    kept = good == len(measured.after) and (not timed or slowest_s <= p99_s(measured.normal))
    promised = "the next requests are answered" + (", none slower than normal" if timed else "")
    return Row("the end of the overload", promised, told, kept)


def latency(measured: Measured) -> Row:
    """How long what is accepted takes."""
    normal_s, heavy_s = p99_s(measured.normal), p99_s(measured.heavy)
    told = f"{1000 * heavy_s:.0f} ms, normal {1000 * normal_s:.0f} ms: {heavy_s / normal_s:.2f} times"
    promised = f"p99 at most {MOST_RATIO:g} times that of a full queue nobody is refused at"
    return Row("accepted requests under overload", promised, told, heavy_s <= MOST_RATIO * normal_s)


def memory(measured: Measured) -> Row:
    """What the server grew by in the second half of the overload."""
    grown = growth(measured.memory)
    told = f"{grown.resident_mib:+.1f} MiB, {grown.descriptors:+d} descriptors in the second half"
    return Row("memory under overload", f"at most {MOST_MIB:g} MiB more", told, grown.resident_mib <= MOST_MIB)


@contextlib.contextmanager
def _apart(server: psutil.Process) -> Iterator[None]:
    """The server on half of the processors that there are, this process on the others."""
    all_of_them = sorted(os.sched_getaffinity(0))
    half = len(all_of_them) // 2
    if not half:
        yield
        return
    for thread in server.threads():
        os.sched_setaffinity(thread.id, all_of_them[:half])
    os.sched_setaffinity(0, all_of_them[half:])
    try:
        yield
    finally:
        os.sched_setaffinity(0, all_of_them)


@contextlib.contextmanager
def _memory(process: psutil.Process) -> Iterator[list[Sample]]:
    samples: list[Sample] = []
    over = threading.Event()

    def look() -> None:
        at_s = 0.0
        while not over.wait(_LOOK_S):
            at_s += _LOOK_S
            with contextlib.suppress(psutil.Error):
                samples.append(Sample(at_s, process.memory_info().rss, process.num_fds(), process.num_threads(), 0))

    thread = threading.Thread(target=look, name="memory", daemon=True)
    thread.start()
    try:
        yield samples
    finally:
        over.set()
        thread.join()


def _picture() -> bytes:
    """What the device sends: 416×234 in grey, with as much detail as a street has."""
    noise = np.random.default_rng(1).integers(0, 256, (234 // 6, 416 // 6), np.uint8)
    done, data = cv2.imencode(".jpg", cv2.resize(noise, (416, 234), interpolation=cv2.INTER_CUBIC))
    if not done:
        raise ValueError("the picture cannot be encoded")
    return data.tobytes()


OVERLOAD = Trial("overload", "twice the capacity of the APIs", overload)
