"""The two prediction APIs as the device uses them: counted, paused when they fail, strictly parsed."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Sequence
from typing import Protocol, TypeVar

from cloud_apis.contract import ContractError, PlateBox, Word, parse_crnn_answer, parse_yolov3_answer
from cloud_apis.contract.vehicles import ReportedVehicle, parse_report_answer
from edge_client.config import PoolSettings
from edge_client.counters import Counters
from edge_client.errors import (
    ApiError,
    ApiGarbageError,
    ApiNotOfferedError,
    ApiOverloadedError,
    ApiPausedError,
    ApiRefusedError,
    ApiTimeoutError,
    ApiUnreachableError,
)
from edge_client.requests.adapting import Adaptation
from edge_client.requests.breaker import Breaker
from edge_client.requests.endpoints import STARTING, Endpoints
from edge_client.requests.transport import Body, Reply, Transport

_LOG = logging.getLogger(__name__)

YOLOV3 = "yolov3"
CRNN = "crnn"
APIS = (YOLOV3, CRNN)
"""Those that a drive needs."""
REPORT = "vehicle-report"
"""One that it makes use of where it is offered; how it fares says nothing of the network."""
_PROBE_S = 2.5
"""How long the first probe may take: with the pause before it, it bounds how late a network's return is seen.

Later ones may take a little longer each, as the server may have become slow.
"""
_RENEW_S = 5.0
"""Changes of routes come in flocks; connections are given up once for each."""
_PASSING = (ApiUnreachableError, ApiTimeoutError, ApiOverloadedError)

_NOT_THERE = (404, 405)
_TOP_K = 1

T = TypeVar("T")


class Apis(Protocol):
    """Detector, reader and vehicle report, wherever they are."""

    def detect(self, jpeg: bytes) -> tuple[PlateBox, ...]:
        """Boxes in pixels of the JPEG sent; raises an `ApiError`."""

    def read(self, crops: Sequence[bytes]) -> tuple[tuple[Word, ...], ...]:
        """The words on each crop (JPEG), in reading order; raises an `ApiError`."""

    def describe(self, jpeg: bytes) -> tuple[ReportedVehicle, ...]:
        """The vehicles of a colour JPEG, in its pixels; raises an `ApiError`."""

    def describes(self) -> bool:
        """Whether vehicles are to be described, as far as is known."""

    def states(self) -> dict[str, str]:
        """Each API as ``ok``, ``failing: <reason>`` or ``down: <reason>``."""

    def lost(self, api: str) -> bool:
        """Whether no answer of this API is to be expected now."""

    def reasons(self) -> list[str]:
        """Why APIs are left alone; empty while none is."""

    def network_changed(self) -> None:
        """Ask again at once, over new connections."""

    def coming(self) -> bool:
        """Whether APIs of this device are being started that will answer soon."""

    def close(self) -> None:
        """Stop waiting for APIs that are down: the drive is ending."""

    def release(self) -> None:
        """Nothing will be asked any more."""


class PlateApis:
    """Detector and reader, and the report of ``vehicles`` if wanted.

    ``patient`` requests about plates wait out a short outage, others fail at once.
    """

    def __init__(
        self,
        endpoints: Endpoints,
        transport: Transport,
        settings: PoolSettings,
        counters: Counters,
        *,
        patient: bool,
        adaptation: Adaptation | None = None,
        vehicles: bool = False,
    ) -> None:
        self._adaptation = adaptation
        self._read_timeout_s = settings.read_timeout_s
        self._endpoints = endpoints
        self._transport = transport
        self._counters = counters
        self._patience_s = settings.outage_wait_s if patient else 0.0
        self._renewed_s = -_RENEW_S
        self.breakers = {api: Breaker(settings) for api in ((*APIS, REPORT) if vehicles else APIS)}
        self._offered = vehicles
        self._asked = set(APIS)  # of others there is nothing to be told before

    def detect(self, jpeg: bytes) -> tuple[PlateBox, ...]:
        """Boxes in pixels of the JPEG sent; raises an `ApiError`."""

        body = Body(data=jpeg, content_type="image/jpeg")
        return self._ask(YOLOV3, body, self._endpoints.yolov3_url, parse_yolov3_answer)

    def read(self, crops: Sequence[bytes]) -> tuple[tuple[Word, ...], ...]:
        """The words on each crop (JPEG), in reading order; raises an `ApiError`."""

        body = Body(parts=[("imgs", crop) for crop in crops])
        return self._ask(CRNN, body, self._endpoints.crnn_url, lambda answer: parse_crnn_answer(answer, len(crops)))

    def describe(self, jpeg: bytes) -> tuple[ReportedVehicle, ...]:
        """The vehicles of a colour JPEG, in its pixels; raises an `ApiError`.

        A server that does not offer the report is not asked again, which is logged.
        """
        if not self._offered:
            raise ApiNotOfferedError(f"{REPORT} is not offered")
        self._asked.add(REPORT)
        body = Body(data=jpeg, content_type="image/jpeg")

        def url() -> str:
            return f"{self._endpoints.report_url()}?top_k={_TOP_K}"

        try:
            return self._ask(REPORT, body, url, parse_report_answer)
        except ApiNotOfferedError:
            if self._offered:
                self._offered = False
                _LOG.info(
                    "the APIs do not offer %s: cars are not described, plates are read as ever "
                    "(vehicles.enabled: false does not ask)",
                    REPORT,
                )
            raise

    def describes(self) -> bool:
        """Whether vehicles are to be described, as far as is known."""
        return self._offered

    def states(self) -> dict[str, str]:
        """Each API as ``ok``, ``failing: <reason>``, ``down: <reason>`` or ``not offered``; those asked at all."""
        told = {
            api: f"down: {b.reason}" if b.shut else f"failing: {b.reason}" if b.reason else "ok"
            for api, b in self.breakers.items()
            if api in self._asked
        }
        return told | {REPORT: "not offered"} if REPORT in told and not self._offered else told

    def lost(self, api: str) -> bool:
        """Whether no answer of this API is to be expected now."""
        return self.breakers[api].shut

    def reasons(self) -> list[str]:
        """Why APIs are left alone; empty while none is."""
        return [self.breakers[api].reason for api in APIS if self.breakers[api].shut]

    def network_changed(self) -> None:
        """Ask again at once, over new connections: this machine's way out may be another one now."""
        now_s = time.monotonic()
        if now_s - self._renewed_s >= _RENEW_S:
            self._renewed_s = now_s
            self._transport.renew()
        for breaker in self.breakers.values():
            breaker.retry_now()

    def coming(self) -> bool:
        """Whether its endpoints are those of APIs that are only being started."""
        return any(self.breakers[api].reason == STARTING for api in APIS)

    def close(self) -> None:
        """Stop waiting for APIs that are down: the drive is ending."""
        self._patience_s = 0.0
        for breaker in self.breakers.values():
            breaker.close()

    def release(self) -> None:
        """Nothing will be asked any more."""
        self._endpoints.release()

    def _ask(self, api: str, body: Body, url: Callable[[], str], parse: Callable[[object], T]) -> T:
        breaker = self.breakers[api]
        patience_s = self._patience_s if api in APIS else 0.0
        while True:
            if not breaker.enter():
                if breaker.may_pass(patience_s) and breaker.wait():
                    continue
                raise ApiPausedError(f"{api} is left alone for a moment: {breaker.reason}")
            self._counters.sent(api)
            try:
                answer = parse(self._send(api, url, body).answer)
            except ContractError as error:
                self._note(api, f"breaks the contract: {error}")
                raise ApiGarbageError(f"{api}: {error}") from None
            except (ApiUnreachableError, ApiOverloadedError) as error:
                wish_s = error.retry_after_s if isinstance(error, ApiOverloadedError) else None
                self._note(api, str(error), passing=True, wish_s=wish_s)
                if breaker.may_pass(patience_s) and breaker.wait():
                    continue
                raise
            except ApiRefusedError as error:
                if api == REPORT and error.status in _NOT_THERE:
                    breaker.succeeded()  # it answers, and that is all there is to it
                    raise ApiNotOfferedError(str(error)) from None
                self._note(api, str(error))
                raise
            except ApiError as error:
                self._note(api, str(error))
                raise
            breaker.succeeded()
            return answer

    def _send(self, api: str, url: Callable[[], str], body: Body) -> Reply:
        """One request, measured. A probe takes a connection of its own: old ones may lead nowhere any more."""
        breaker = self.breakers[api]
        probing = breaker.shut
        where = url()  # one that is not there says nothing about the network
        if probing and api in APIS:
            self._transport.renew()
        if self._adaptation is None:
            return self._transport.ask(where, body)
        timeout_s = min(self._adaptation.targets().timeout_s, self._read_timeout_s)
        if probing:
            timeout_s = min(timeout_s, _PROBE_S * (1 + breaker.failed_probes / 2))
        flight = self._adaptation.begin()
        try:
            reply = self._transport.ask(where, body, timeout_s, again=not probing)
        except _PASSING:
            if api == REPORT:  # a heavier API may be slow over the best of networks
                self._adaptation.drop(flight)
                raise
            self._adaptation.end(flight, body.size, answered=False, frame=api == YOLOV3)
            raise
        except BaseException:
            self._adaptation.drop(flight)
            raise
        self._adaptation.end(
            flight,
            body.size,
            answered=True,
            frame=api == YOLOV3,
            server_s=reply.server_s,
            connected=reply.connected,
        )
        return reply

    def _note(self, api: str, reason: str, *, passing: bool = False, wish_s: float | None = None) -> None:
        self._counters.failed(api)
        self.breakers[api].failed(reason, passing=passing, wish_s=wish_s)
