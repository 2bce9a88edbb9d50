"""Publishes the live counters, and warns when an API goes down or comes back."""

from __future__ import annotations

import logging
import time
from collections import deque
from collections.abc import Callable

from edge_client.counters import Counters
from edge_client.requests.apis import PlateApis
from edge_client.requests.pool import RequestPool
from edge_client.types import LiveStatus, PositionSource

_LOG = logging.getLogger(__name__)
_RATE_TICKS = 5


class StatusReport:
    """Called at each tick of the coordinator."""

    def __init__(
        self,
        counters: Counters,
        apis: PlateApis,
        pool: RequestPool,
        positions: PositionSource,
        on_status: Callable[[LiveStatus], None] | None,
    ) -> None:
        self._counters = counters
        self._apis = apis
        self._pool = pool
        self._positions = positions
        self._on_status = on_status
        self._shown: deque[tuple[float, int]] = deque(maxlen=_RATE_TICKS)
        self._down: set[str] = set()

    def publish(self) -> None:
        """Hand the state of this moment out."""
        states = self._apis.states()
        self._warn(states)
        if self._on_status is None:
            return
        summary = self._counters.summary()
        self._shown.append((time.monotonic(), sum(summary.shown.values())))
        (t0, n0), (t1, n1) = self._shown[0], self._shown[-1]
        self._on_status(
            LiveStatus(
                summary=summary,
                frame_rate_hz=(n1 - n0) / (t1 - t0) if t1 > t0 else 0.0,
                apis=states,
                gps=self._positions.status(),
                queue=self._pool.in_flight,
                queue_limit=self._pool.max_in_flight,
            )
        )

    def _warn(self, states: dict[str, str]) -> None:
        for api, state in states.items():
            down = state.startswith("down")
            if down and api not in self._down:
                self._down.add(api)
                _LOG.warning("%s is %s; frames go on without it", api, state)
            elif state == "ok" and api in self._down:
                self._down.discard(api)
                _LOG.warning("%s answers again", api)
