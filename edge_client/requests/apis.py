"""The two prediction APIs as the device uses them: counted, paused when they fail, strictly parsed."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TypeVar

from cloud_apis.contract import ContractError, PlateBox, Word, parse_crnn_answer, parse_yolov3_answer
from edge_client.config import PoolSettings
from edge_client.counters import Counters
from edge_client.errors import (
    ApiError,
    ApiGarbageError,
    ApiOverloadedError,
    ApiPausedError,
    ApiUnreachableError,
)
from edge_client.requests.breaker import Breaker
from edge_client.requests.endpoints import Endpoints
from edge_client.requests.transport import Body, Transport

YOLOV3 = "yolov3"
CRNN = "crnn"
APIS = (YOLOV3, CRNN)

T = TypeVar("T")


class PlateApis:
    """Detector and reader. ``patient`` requests wait out a short outage, others fail at once."""

    def __init__(
        self,
        endpoints: Endpoints,
        transport: Transport,
        settings: PoolSettings,
        counters: Counters,
        *,
        patient: bool,
    ) -> None:
        self._endpoints = endpoints
        self._transport = transport
        self._counters = counters
        self._patience_s = settings.outage_wait_s if patient else 0.0
        self.breakers = {api: Breaker(settings) for api in APIS}

    def detect(self, jpeg: bytes) -> tuple[PlateBox, ...]:
        """Boxes in pixels of the JPEG sent; raises an `ApiError`."""

        def send() -> tuple[PlateBox, ...]:
            body = Body(data=jpeg, content_type="image/jpeg")
            return parse_yolov3_answer(self._transport.post(self._endpoints.yolov3_url(), body))

        return self._ask(YOLOV3, send)

    def read(self, crops: Sequence[bytes]) -> tuple[tuple[Word, ...], ...]:
        """The words on each crop (JPEG), in reading order; raises an `ApiError`."""

        def send() -> tuple[tuple[Word, ...], ...]:
            body = Body(parts=[("imgs", crop) for crop in crops])
            return parse_crnn_answer(self._transport.post(self._endpoints.crnn_url(), body), len(crops))

        return self._ask(CRNN, send)

    def states(self) -> dict[str, str]:
        """Each API as ``ok``, ``failing: <reason>`` or ``down: <reason>``."""
        return {
            api: f"down: {b.reason}" if b.shut else f"failing: {b.reason}" if b.reason else "ok"
            for api, b in self.breakers.items()
        }

    def close(self) -> None:
        """Stop waiting for APIs that are down: the drive is ending."""
        self._patience_s = 0.0
        for breaker in self.breakers.values():
            breaker.close()

    def release(self) -> None:
        """Nothing will be asked any more."""
        self._endpoints.release()

    def _ask(self, api: str, send: Callable[[], T]) -> T:
        breaker = self.breakers[api]
        while True:
            if not breaker.enter():
                if breaker.may_pass(self._patience_s) and breaker.wait():
                    continue
                raise ApiPausedError(f"{api} is left alone for a moment: {breaker.reason}")
            self._counters.sent(api)
            try:
                answer = send()
            except ContractError as error:
                self._note(api, f"breaks the contract: {error}")
                raise ApiGarbageError(f"{api}: {error}") from None
            except (ApiUnreachableError, ApiOverloadedError) as error:
                self._note(api, str(error), passing=True)
                if breaker.may_pass(self._patience_s) and breaker.wait():
                    continue
                raise
            except ApiError as error:
                self._note(api, str(error))
                raise
            breaker.succeeded()
            return answer

    def _note(self, api: str, reason: str, *, passing: bool = False) -> None:
        self._counters.failed(api)
        self.breakers[api].failed(reason, passing=passing)
