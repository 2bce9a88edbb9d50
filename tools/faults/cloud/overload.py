"""More clients than an API on the cluster has room for, beside as many as it has room for.

Normal is the load at which one replica is just kept busy: a closed loop of as many clients as there are places in it,
those that are worked on and those that wait, so that the queue is as full as it can be without anybody being refused.
Under the overload a client that is refused asks again after as long as an answer takes normally: so often the clients,
so often the load.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np

from tools.cluster.trial import TrialCluster
from tools.faults.cloud.load import Load
from tools.faults.row import Row

MOST_RATIO: Final = 2.0
LEAST_ANSWERS: Final = 300
"""Of fewer the 99th percentile is that of two or three requests."""
_API: Final = "yolov3"
_WORKERS, _QUEUE = 1, 8
_PLACES: Final = _WORKERS + _QUEUE
_TIMES: Final = 3
_WARM_UP_S, _MEASURED_S, _LONGEST_S = 5.0, 10.0, 240.0


@dataclass(frozen=True, slots=True)
class Measured:
    """What became of the requests that came to an end within ``seconds``; ``polite`` of the refusals say when to come
    again."""

    clients: int
    seconds: float
    answered_s: Sequence[float]
    refused: int
    polite: int
    failed: Sequence[str]

    @property
    def rate_hz(self) -> float:
        """Requests a second, whatever became of them."""
        return (len(self.answered_s) + self.refused + len(self.failed)) / self.seconds

    @property
    def p99_ms(self) -> float:
        """Of the accepted requests."""
        return float(np.percentile(self.answered_s, 99)) * 1000 if self.answered_s else float("nan")

    @property
    def mean_s(self) -> float:
        """Of the accepted requests."""
        return float(np.mean(self.answered_s)) if self.answered_s else 0.0


def overload(cluster: TrialCluster) -> Row:
    """Three times as many clients as one replica has places, compared to as many as it has."""
    wanted: dict[str, Any] = {"replicas": {"min": 1, "max": 1}, "workers": _WORKERS, "queue": _QUEUE}
    cluster.apply({_API: wanted})
    cluster.wait_for(_API, lambda app: len(app.replicas) == 1)  # one that is to go takes requests for some seconds
    url = f"{cluster.url}/{_API}"
    normal = measure(url, _PLACES)
    return judged(normal, measure(url, _TIMES * _PLACES, pause_s=normal.mean_s))


def measure(
    url: str,
    clients: int,
    *,
    pause_s: float | None = None,
    warm_up_s: float = _WARM_UP_S,
    seconds: float = _MEASURED_S,
    least: int = LEAST_ANSWERS,
) -> Measured:
    """So many clients for so long after a warm-up, and on until there are enough answers, but not for ever.

    Clients that are refused come again after ``pause_s``, None: when they are told to.
    """
    with Load(url, clients, pause_s=pause_s) as load:
        time.sleep(warm_up_s)
        load.forget()
        begun_s = time.monotonic()
        time.sleep(seconds)
        load.wait_until(least, _LONGEST_S)
        took_s = time.monotonic() - begun_s
        answered_s, refused, polite, failed = load.so_far()
    return Measured(clients, took_s, answered_s, refused, polite, failed)


def judged(normal: Measured, heavy: Measured) -> Row:
    """Whether the excess is refused as it should be, and what is accepted is not much later than normally."""
    ratio = heavy.p99_ms / normal.p99_ms
    result = (
        f"{heavy.clients} clients, {heavy.rate_hz:.0f} requests/s: {len(heavy.answered_s)} accepted, {heavy.refused} "
        f"refused with 503, {heavy.polite} of them with Retry-After, {len(heavy.failed)} failed; p99 of the accepted "
        f"{heavy.p99_ms:.0f} ms. {normal.clients} clients, {normal.rate_hz:.0f} requests/s: {len(normal.answered_s)} "
        f"accepted, {normal.refused} refused, {len(normal.failed)} failed; p99 {normal.p99_ms:.0f} ms. "
        f"{ratio:.2f} times"
    )
    enough = min(len(normal.answered_s), len(heavy.answered_s)) >= LEAST_ANSWERS
    unhindered = not normal.refused and not normal.failed
    orderly = 0 < heavy.refused == heavy.polite and not heavy.failed
    promised = f"503s with Retry-After, none failed, p99 of the accepted ≤ {MOST_RATIO:g} times that of a full queue"
    return Row("overload", promised, result, enough and unhindered and orderly and ratio <= MOST_RATIO)
