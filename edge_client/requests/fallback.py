"""The configured APIs, and while they cannot be reached, ones on the device itself."""

from __future__ import annotations

import importlib.util
import logging
import threading
from collections.abc import Callable, Sequence
from typing import TypeVar

from cloud_apis.contract import PlateBox, Word
from cloud_apis.contract.vehicles import ReportedVehicle
from edge_client.config import EdgeSettings
from edge_client.counters import Counters
from edge_client.errors import (
    ApiOverloadedError,
    ApiPausedError,
    ApiTimeoutError,
    ApiUnreachableError,
    EmbeddedApiError,
)
from edge_client.requests.adapting import Adaptation
from edge_client.requests.apis import Apis, PlateApis
from edge_client.requests.embedded import EmbeddedApis
from edge_client.requests.transport import Transport

_LOG = logging.getLogger(__name__)
_NEEDED = ("onnxruntime", "fastapi", "uvicorn")
_GONE = (ApiUnreachableError, ApiTimeoutError, ApiOverloadedError, ApiPausedError)

T = TypeVar("T")


def can_embed() -> bool:
    """Whether the extra `cloud` is installed here."""
    return all(importlib.util.find_spec(name) is not None for name in _NEEDED)


class FallbackApis:
    """Asks the far APIs first. The near ones are started when the far ones are lost for the first time, and stay."""

    def __init__(
        self,
        far: PlateApis,
        settings: EdgeSettings,
        counters: Counters,
        adaptation: Adaptation,
        embedded: EmbeddedApis | None = None,
    ) -> None:
        self._far = far
        self._settings = settings
        self._counters = counters
        self._adaptation = adaptation
        self._embedded = embedded or EmbeddedApis(settings.apis, vehicles=settings.vehicles.enabled)
        self._near: PlateApis | None = None
        self._stop = threading.Event()
        self._lock = threading.Lock()
        self._starter: threading.Thread | None = None

    def detect(self, jpeg: bytes) -> tuple[PlateBox, ...]:
        """As `PlateApis.detect`."""
        return self._ask(lambda apis: apis.detect(jpeg))

    def read(self, crops: Sequence[bytes]) -> tuple[tuple[Word, ...], ...]:
        """As `PlateApis.read`."""
        return self._ask(lambda apis: apis.read(crops))

    def describe(self, jpeg: bytes) -> tuple[ReportedVehicle, ...]:
        """As `PlateApis.describe`."""
        return self._ask(lambda apis: apis.describe(jpeg))

    def describes(self) -> bool:
        """As `PlateApis.describes`, of the far APIs."""
        return self._far.describes()

    def states(self) -> dict[str, str]:
        """As `PlateApis.states`, of the far APIs."""
        return self._far.states()

    def lost(self, api: str) -> bool:
        """Whether no answer is to be expected now, from far or near."""
        near = self._near
        return self._far.lost(api) and (near is None or near.lost(api))

    def reasons(self) -> list[str]:
        """As `PlateApis.reasons`, of the far APIs."""
        return self._far.reasons()

    def network_changed(self) -> None:
        """As `PlateApis.network_changed`."""
        self._far.network_changed()

    def coming(self) -> bool:
        """Whether the near APIs are being started."""
        return self._near is None and self._starter is not None and self._starter.is_alive()

    def close(self) -> None:
        """Stop waiting: the drive is ending."""
        self._far.close()
        self._stop.set()
        if self._near is not None:
            self._near.close()

    def release(self) -> None:
        """Nothing will be asked any more."""
        self._stop.set()
        self._far.release()
        self._embedded.release()

    def end(self) -> None:
        """End the near APIs."""
        self._stop.set()
        if self._starter is not None:
            self._starter.join()
        self._embedded.close()

    def _ask(self, ask: Callable[[Apis], T]) -> T:
        try:
            return ask(self._far)
        except _GONE:
            self._begin()
            if (near := self._near) is None:
                raise
        return ask(near)

    def _begin(self) -> None:
        with self._lock:
            if self._starter is None and any(state.startswith("down") for state in self._far.states().values()):
                self._starter = threading.Thread(target=self._start, name="near-apis", daemon=True)
                self._starter.start()

    def _start(self) -> None:
        _LOG.warning("the APIs cannot be reached: plates are read on this device meanwhile, once its APIs have started")
        try:
            if not self._embedded.start(self._stop):
                return
        except EmbeddedApiError as error:
            _LOG.warning("%s; evidence is kept for later instead", error)
            return
        settings = self._settings.pool
        near = PlateApis(
            self._embedded,
            Transport(settings),
            settings,
            self._counters,
            patient=False,
            adaptation=self._adaptation,
            vehicles=self._settings.vehicles.enabled,
        )
        self._embedded.subscribe(near.network_changed)
        self._near = near
        _LOG.warning("plates are read on this device until the APIs answer again")
