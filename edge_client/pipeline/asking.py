"""Turns frames and crops into requests, whose answers come back to the coordinator as events."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial

from cloud_apis.contract import PlateBox, Word
from cloud_apis.contract.vehicles import ReportedVehicle
from edge_client.config import DetectionSettings
from edge_client.errors import ApiError, ApiGarbageError, ApiNotOfferedError, ApiRefusedError
from edge_client.imaging import frame_boxes, reduce_frame
from edge_client.pipeline.events import (
    CarDescribed,
    Crashed,
    Detected,
    Event,
    LookedAround,
    NoReport,
    SentCar,
    SentCrop,
    SentLook,
    Ticket,
    WordsRead,
)
from edge_client.requests.adapting import Adaptation
from edge_client.requests.apis import Apis
from edge_client.requests.pool import Job, RequestPool

_URGENCY_DETECT = 1.0
_URGENCY_READ = 0.0
_URGENCY_DESCRIBE = 0.5  # one at a time: it may go before the next frame


class Asking:
    """Submits requests to the pool; ``deliver`` gets one event for each, whatever happens to it."""

    def __init__(
        self,
        pool: RequestPool,
        apis: Apis,
        adaptation: Adaptation,
        settings: DetectionSettings,
        deliver: Callable[[Event], None],
    ) -> None:
        self._pool = pool
        self._apis = apis
        self._adaptation = adaptation
        self._settings = settings
        self._deliver = deliver

    def detect(self, ticket: Ticket) -> Job:
        """Ask for the boxes of a frame; reducing it happens on the request's thread."""

        def work() -> None:
            boxes: tuple[PlateBox, ...] | None = None
            try:
                image = ticket.frame.image
                reduced = reduce_frame(image, self._settings, self._adaptation.targets().jpeg_quality)
                answer = self._apis.detect(reduced.jpeg)
                boxes = frame_boxes(answer, reduced, image, self._settings.min_score)
            except ApiError:
                pass  # counted by the APIs; the frame goes without
            except BaseException as error:
                self._deliver(Crashed(error))
                raise
            self._deliver(Detected(ticket, boxes))

        job = Job(work)
        self._pool.submit(job, _URGENCY_DETECT)
        return job

    def read(self, ticket: Ticket | None, crops: Sequence[SentCrop]) -> None:
        """Ask for the words on crops; ``ticket`` is the frame that waits for them, if any."""

        def work() -> None:
            words: Sequence[tuple[Word, ...]] | None = None
            try:
                words = self._apis.read([crop.jpeg for crop in crops])
            except ApiError:
                pass  # counted by the APIs; the crops are sent again later
            except BaseException as error:
                self._deliver(Crashed(error))
                raise
            self._deliver(WordsRead(ticket, crops, words))

        self._pool.submit(Job(work), _URGENCY_READ)

    def describe(self, car: SentCar) -> None:
        """Ask what the car of a picture looks like."""
        self._report(car.picture.jpeg, lambda found: CarDescribed(car, found))

    def look_around(self, look: SentLook) -> None:
        """Ask what the cars of a whole frame look like."""
        self._report(look.picture.jpeg, lambda found: LookedAround(look, found))

    def _report(self, jpeg: bytes, event: Callable[[Sequence[ReportedVehicle] | NoReport], Event]) -> None:
        def work() -> None:
            try:
                found = described(partial(self._apis.describe, jpeg))
            except BaseException as error:
                self._deliver(Crashed(error))
                raise
            self._deliver(event(found))

        self._pool.submit(Job(work), _URGENCY_DESCRIBE)


def described(ask: Callable[[], Sequence[ReportedVehicle]]) -> Sequence[ReportedVehicle] | NoReport:
    """The vehicles that a report tells of, or why there is none."""
    try:
        return ask()
    except ApiNotOfferedError:
        return NoReport.NOT_OFFERED
    except (ApiRefusedError, ApiGarbageError):
        return NoReport.REFUSED
    except ApiError:
        return NoReport.PASSING
