"""Counters of one application, in Prometheus' form."""

from __future__ import annotations

from collections.abc import Callable

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram
from prometheus_client.exposition import CONTENT_TYPE_LATEST, generate_latest

_LATENCY_BUCKETS_S = (0.005, 0.01, 0.02, 0.03, 0.05, 0.075, 0.1, 0.15, 0.2, 0.3, 0.5, 1.0, 2.0, 5.0)


class Metrics:
    """Requests, their latencies, and what waits; every application has a registry of its own."""

    content_type = CONTENT_TYPE_LATEST

    def __init__(self) -> None:
        self._registry = CollectorRegistry()
        self._requests = Counter("cloud_apis_requests", "Requests answered", ["api", "status"], registry=self._registry)
        self._seconds = Histogram(
            "cloud_apis_request_seconds",
            "Time from a request's first byte to the end of its answer",
            ["api"],
            buckets=_LATENCY_BUCKETS_S,
            registry=self._registry,
        )
        self._in_flight = Gauge(
            "cloud_apis_in_flight", "Requests that are not yet answered", ["api"], registry=self._registry
        )
        self._rejected = Counter(
            "cloud_apis_rejected", "Requests refused because the queue was full", ["api"], registry=self._registry
        )
        self._waiting = Gauge(
            "cloud_apis_queue_depth", "Requests that wait for a worker", ["api"], registry=self._registry
        )
        self._running = Gauge(
            "cloud_apis_working", "Requests in the hands of a worker", ["api"], registry=self._registry
        )

    def watch(self, api: str, waiting: Callable[[], int], running: Callable[[], int]) -> None:
        """Report a queue's state whenever the metrics are asked for."""
        self._waiting.labels(api).set_function(waiting)
        self._running.labels(api).set_function(running)
        self._rejected.labels(api)

    def begin(self, api: str) -> None:
        """A request has come."""
        self._in_flight.labels(api).inc()

    def end(self, api: str, status: int, took_s: float) -> None:
        """A request is answered."""
        self._in_flight.labels(api).dec()
        self._requests.labels(api, str(status)).inc()
        self._seconds.labels(api).observe(took_s)
        if status == 503:
            self._rejected.labels(api).inc()

    def text(self) -> bytes:
        """All figures, as Prometheus reads them."""
        return generate_latest(self._registry)
