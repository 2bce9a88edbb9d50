"""Counts what becomes of frames and requests; consistent at every moment.

``captured == shown + dropped + in flight`` holds in each summary, because all of it changes under one lock.
"""

from __future__ import annotations

import threading
from collections.abc import Callable

from edge_client.ages import AgeHistogram
from edge_client.types import Outcome, Summary


class Counters:
    """The live counters of one run; safe to use from all threads."""

    def __init__(self, apis: tuple[str, ...]) -> None:
        self._lock = threading.Lock()
        self._captured = 0
        self._in_flight = 0
        self._shown = {outcome.value: 0 for outcome in Outcome}
        self._dropped: dict[str, int] = {}
        self._out_of_order = 0
        self._last_shown = -1
        self._ages = AgeHistogram()
        self._requests = {api: {"sent": 0, "failed": 0} for api in apis}
        self._reads = 0
        self._uplink: Callable[[], dict[str, float]] = dict
        self._spool: Callable[[], dict[str, int]] = dict
        self._left: Callable[[], dict[str, int]] = dict
        self._vehicles: Callable[[], dict[str, int]] = dict

    def attach(
        self,
        *,
        uplink: Callable[[], dict[str, float]],
        spool: Callable[[], dict[str, int]],
        left: Callable[[], dict[str, int]],
        vehicles: Callable[[], dict[str, int]] = dict,
    ) -> None:
        """Have the summary tell these counters of other parts too."""
        self._uplink = uplink
        self._spool = spool
        self._left = left
        self._vehicles = vehicles

    def captured(self) -> int:
        """Count a frame in; gives its number."""
        with self._lock:
            number = self._captured
            self._captured += 1
            self._in_flight += 1
            return number

    def shown(self, number: int, outcome: Outcome, age_s: float) -> None:
        """Count a frame out as shown."""
        with self._lock:
            self._in_flight -= 1
            self._shown[outcome.value] += 1
            self._ages.add(age_s)
            if number <= self._last_shown:
                self._out_of_order += 1
            self._last_shown = max(number, self._last_shown)

    def dropped(self, reason: str) -> None:
        """Count a frame out as dropped."""
        with self._lock:
            self._in_flight -= 1
            self._dropped[reason] = self._dropped.get(reason, 0) + 1

    def sent(self, api: str) -> None:
        """Count a request."""
        with self._lock:
            self._requests.setdefault(api, {"sent": 0, "failed": 0})["sent"] += 1

    def failed(self, api: str) -> None:
        """Count a request that brought no answer to use."""
        with self._lock:
            self._requests.setdefault(api, {"sent": 0, "failed": 0})["failed"] += 1

    def reads(self, count: int) -> None:
        """Set the number of plates read so far."""
        with self._lock:
            self._reads = count

    def summary(self) -> Summary:
        """All counters as of one moment."""
        uplink, spool, left, vehicles = self._uplink(), self._spool(), self._left(), self._vehicles()
        with self._lock:
            return Summary(
                captured=self._captured,
                shown=dict(self._shown),
                dropped=dict(self._dropped),
                in_flight=self._in_flight,
                out_of_order=self._out_of_order,
                frame_age_p50_s=self._ages.quantile(0.50),
                frame_age_p99_s=self._ages.quantile(0.99),
                requests={api: dict(counts) for api, counts in self._requests.items()},
                reads=self._reads,
                uplink=uplink,
                spool=spool,
                left=left,
                vehicles=vehicles,
            )
