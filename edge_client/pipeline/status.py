"""Publishes the live counters and states, and logs each change for the worse and back once."""

from __future__ import annotations

import logging
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, replace

from edge_client.counters import Counters
from edge_client.requests.apis import Apis
from edge_client.requests.endpoints import STARTING
from edge_client.requests.pool import RequestPool
from edge_client.states import Grade, PartState, states
from edge_client.types import (
    Alert,
    GpsState,
    GpsStatus,
    LiveStatus,
    NetworkStatus,
    RecordingState,
    RecordingStatus,
    SourceState,
    SourceStatus,
    StoreStatus,
    UtcSource,
)

_LOG = logging.getLogger(__name__)
_RATE_TICKS = 5


@dataclass(frozen=True, slots=True)
class Gauges:
    """What tells the states of the parts; each is asked at every tick and must not block."""

    camera: Callable[[], SourceStatus] = lambda: SourceStatus(SourceState.RUNNING)
    gps: Callable[[], GpsStatus] = lambda: GpsStatus(GpsState.OFF)
    recording: Callable[[], RecordingStatus] = lambda: RecordingStatus(RecordingState.OFF)
    network: Callable[[], NetworkStatus] = NetworkStatus
    store: Callable[[], StoreStatus] = StoreStatus
    alerts: Callable[[], tuple[Alert, ...]] = tuple
    utc_source: Callable[[], UtcSource] = lambda: UtcSource.SYSTEM
    clock_set: Callable[[], bool] = lambda: True


class StatusReport:
    """Called at each tick of the coordinator."""

    def __init__(
        self,
        counters: Counters,
        apis: Apis,
        pool: RequestPool,
        gauges: Gauges,
        on_status: Callable[[LiveStatus], None] | None,
        *,
        drive: str = "",
    ) -> None:
        self._counters = counters
        self._apis = apis
        self._pool = pool
        self._gauges = gauges
        self._on_status = on_status
        self._drive = drive
        self._shown: deque[tuple[float, int]] = deque(maxlen=_RATE_TICKS)
        self._down: set[str] = set()
        self._log = StateLog()

    def publish(self) -> None:
        """Hand the state of this moment out."""
        apis = self._apis.states()
        self._warn(apis)
        summary = self._counters.summary()
        self._shown.append((time.monotonic(), sum(summary.shown.values())))
        (t0, n0), (t1, n1) = self._shown[0], self._shown[-1]
        status = LiveStatus(
            summary=summary,
            frame_rate_hz=(n1 - n0) / (t1 - t0) if t1 > t0 else 0.0,
            apis=apis,
            gps=self._gauges.gps(),
            queue=self._pool.in_flight,
            queue_limit=self._pool.max_in_flight,
            camera=self._gauges.camera(),
            recording=self._gauges.recording(),
            network=self._gauges.network(),
            drive=self._drive,
            utc_source=self._gauges.utc_source(),
            clock_set=self._gauges.clock_set(),
            store=self._gauges.store(),
            alerts=self._gauges.alerts(),
        )
        self._log.note(states(_without_own_lines(status)))
        if self._on_status is not None:
            self._on_status(status)

    def _warn(self, apis: dict[str, str]) -> None:
        for api, state in apis.items():
            down = state.startswith("down") and not state.endswith(STARTING)
            if down and api not in self._down:
                self._down.add(api)
                _LOG.warning("%s is %s; frames go on without it", api, state)
            elif state == "ok" and api in self._down:
                self._down.discard(api)
                _LOG.warning("%s answers again", api)


def _without_own_lines(status: LiveStatus) -> LiveStatus:
    """The status but for what APIs, saver, clock and a receiver that is not there tell in the log themselves."""
    gps = status.gps
    if gps.state is GpsState.CONNECTING:
        gps = replace(gps, state=GpsState.SEARCHING)
    return replace(status, apis={}, store=StoreStatus(), gps=gps, clock_set=True)


class StateLog:
    """Logs a part's turn to the worse, and its return, once each."""

    def __init__(self) -> None:
        self._worse: set[str] = set()

    def note(self, parts: tuple[PartState, ...]) -> None:
        """Compares with what was last logged."""
        for part in parts:
            if part.grade is Grade.BAD and part.part not in self._worse:
                self._worse.add(part.part)
                _LOG.warning("%s", part.sentence)
            elif part.grade in (Grade.OK, Grade.OFF) and part.part in self._worse:
                self._worse.discard(part.part)
                _LOG.warning("%s%s", part.sentence, " again" if part.grade is Grade.OK else "")
