"""Measures every request and lets the controller of the uplink act: on the pool, the pictures and the patience."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass

from edge_client.config import EdgeSettings
from edge_client.requests.pool import RequestPool
from edge_client.requests.uplink import Limits, Observation, Targets, Uplink

_STALL_S = 2.0
_FIRST_STALL_S = 3.0
_STALL_LATENCIES = 4.0


@dataclass(frozen=True, slots=True)
class Flight:
    """A request on its way."""

    sent_s: float
    in_flight: int
    number: int


class Adaptation:
    """Safe for all threads. ``active`` is false where every frame is waited for: then only measures are taken."""

    def __init__(self, settings: EdgeSettings, *, active: bool, clock: Callable[[], float] = time.monotonic) -> None:
        pool = settings.pool
        best = settings.detection.yolov3_jpeg_quality
        deadline_s = settings.reassembly.deadline_s
        limits = Limits(pool.max_in_flight, best, min(pool.least_jpeg_quality, best), deadline_s, pool.read_timeout_s)
        self._fixed = None if active else Targets(pool.max_in_flight, 1, best, pool.read_timeout_s)
        self._uplink = Uplink(limits)
        self._clock = clock
        self._lock = threading.Lock()
        self._flights: dict[int, float] = {}
        self._count = 0
        self._unanswered_since_s: float | None = None
        self._sent_bytes = 0
        self._least_in_flight = pool.max_in_flight
        self._coarsest = best
        self._widest_stride = 1
        self._pool: RequestPool | None = None

    def drive(self, pool: RequestPool) -> None:
        """Have this pool follow the target from now on."""
        with self._lock:
            self._pool = pool
            self._steer()

    def begin(self) -> Flight:
        """A request is being sent."""
        with self._lock:
            self._count += 1
            now_s = self._clock()
            if self._unanswered_since_s is None:
                self._unanswered_since_s = now_s
            self._flights[self._count] = now_s
            return Flight(now_s, len(self._flights), self._count)

    def end(
        self,
        flight: Flight,
        size_bytes: int,
        *,
        answered: bool,
        frame: bool,
        server_s: float | None = None,
        connected: bool = False,
    ) -> None:
        """A request has ended."""
        with self._lock:
            now_s = self._clock()
            del self._flights[flight.number]
            self._sent_bytes += size_bytes
            if answered:
                self._unanswered_since_s = now_s if self._flights else None
            self._uplink.observe(
                Observation(flight.sent_s, now_s, size_bytes, flight.in_flight, answered, frame, server_s, connected)
            )
            self._steer()

    def drop(self, flight: Flight) -> None:
        """A request has ended in a way that tells nothing of the network."""
        with self._lock:
            self._flights.pop(flight.number, None)
            self._unanswered_since_s = self._clock() if self._flights else None

    def targets(self, frame_rate_hz: float = 30.0) -> Targets:
        """What to do now with frames that come at this rate."""
        with self._lock:
            if self._fixed is not None:
                return self._fixed
            targets = self._uplink.targets(frame_rate_hz)
            self._widest_stride = max(self._widest_stride, targets.stride)
            return targets

    def silence_s(self) -> float:
        """How long nothing has been answered although something was asked; 0 while all goes as it should."""
        with self._lock:
            if self._unanswered_since_s is None:
                return 0.0
            silent_s = self._clock() - self._unanswered_since_s
            trip_s = self._uplink.round_trip_s
            usual_s = _FIRST_STALL_S if trip_s is None else max(_STALL_S, _STALL_LATENCIES * trip_s)
            return silent_s if silent_s > usual_s else 0.0

    @property
    def round_trip_s(self) -> float | None:
        """The least time of an answer in the last seconds."""
        return self._uplink.round_trip_s

    @property
    def throughput_bps(self) -> float | None:
        """Bits a second that the uplink carried while it was in use."""
        return self._uplink.throughput_bps

    def summary(self) -> dict[str, float]:
        """The counters of a run."""
        with self._lock:
            return {
                "sent_bytes": self._sent_bytes,
                "decreases": self._uplink.decreases,
                "least_in_flight": self._least_in_flight,
                "least_jpeg_quality": self._coarsest,
                "widest_stride": self._widest_stride,
                "round_trip_s": round(self._uplink.round_trip_s or 0.0, 4),
                "throughput_bps": round(self._uplink.throughput_bps or 0.0),
            }

    def _steer(self) -> None:
        targets = self._fixed or self._uplink.targets(1.0)
        self._coarsest = min(self._coarsest, targets.jpeg_quality)
        if self._pool is not None and self._pool.limit != targets.in_flight:
            self._least_in_flight = min(self._least_in_flight, targets.in_flight)
            self._pool.set_limit(targets.in_flight)
