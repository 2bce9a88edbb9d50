"""Decides which cars of a drive are described, from which picture, and makes sightings of those without a plate."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from cloud_apis.contract.vehicles import ReportedVehicle
from edge_client.car_pictures import car_of, car_picture
from edge_client.config import VehicleSettings
from edge_client.pipeline.events import NoReport, SentCar, Sighting, Ticket
from edge_client.tracking.budget import TokenBucket
from edge_client.tracking.cars import CarChoice, car_quality
from edge_client.types import Stamp, TrackedBox, TrackRead, Vehicle

PLATES_PART = 1 / 3
"""Part of the budget's reserve that is left for plates."""
AGAIN_S = 1.0


@dataclass(slots=True)
class Reporting:
    """What is known of the vehicle report in one drive, by all who ask it. Times are media seconds."""

    offered: bool = True
    not_before_s: float = float("-inf")
    """After a failure: when it may be asked again."""


class CarLooking:
    """The state of describing cars in one drive; driven by the coordinator alone. Times are media seconds.

    ``bucket`` is the budget of requests, which plates go before.
    """

    def __init__(self, settings: VehicleSettings, bucket: TokenBucket, reporting: Reporting) -> None:
        self._settings = settings
        self._bucket = bucket
        self._reporting = reporting
        self._choice: CarChoice[SentCar] = CarChoice(settings)
        self._told: dict[int, SentCar] = {}  # the last picture of each track whose car was described
        self._over = False
        self._described = 0
        self._not_found = 0
        self._given_up = 0
        self._without_plate = 0

    def see(self, ticket: Ticket, tracked: TrackedBox) -> None:
        """Note a detected plate of a frame, and hold the picture of its car if it is the best so far."""
        box, image = tracked.box, ticket.frame.image
        if not self._reporting.offered or box.xmax - box.xmin < self._settings.min_width_px:
            return
        quality = car_quality(box, image.shape[1], image.shape[0])

        def picture() -> SentCar:
            cut = car_picture(image, box, self._settings)
            return SentCar(tracked.track_id, cut, Sighting.of(ticket.frame, ticket.media_s))

        self._choice.offer(tracked.track_id, quality, ticket.media_s, picture)

    def lost(self, track: int, now_s: float) -> None:
        """A track is out of sight: no better picture is waited for."""
        self._choice.lost(track, now_s)

    def again(self, track: int) -> None:
        """The track has another plate now, and so another car."""
        self._choice.again(track)

    def due(self, now_s: float, *, last: bool = False) -> SentCar | None:
        """The picture to be sent now; it counts as sent. ``last`` waits for no better one, and for no budget."""
        self._over = self._over or last
        if not self._reporting.offered or (now_s < self._reporting.not_before_s and not last):
            return None
        due = self._choice.due(now_s, lambda: last or self._bucket.take(now_s, PLATES_PART), last=last)
        return due[1] if due is not None else None

    def answered(self, car: SentCar, found: Sequence[ReportedVehicle] | NoReport, now_s: float) -> Vehicle | None:
        """Take an answer in, however late it comes; gives what the car looks like, where that was told."""
        if isinstance(found, NoReport):
            self._failed(car, found, now_s)
            return None
        vehicle = car_of(car.picture, found, self._settings.min_confidence)
        known = vehicle is not None and vehicle.known
        self._choice.answered(car.track, told=known)
        if not known:
            self._not_found += 1
            return None
        self._described += car.track not in self._told
        self._told[car.track] = car
        return vehicle

    def needs(self, track: int) -> bool:
        """Whether an answer about this track's car is on its way or still to be asked for."""
        return self._reporting.offered and self._choice.needs(track)

    def forget(self, track: int) -> None:
        """Let an ended track go."""
        self._given_up += self._choice.forget(track) and self._reporting.offered
        self._told.pop(track, None)

    def sighting(
        self, drive: str, track: int, vehicle: Vehicle | None, seen: tuple[Stamp, Stamp] | None
    ) -> list[TrackRead]:
        """The car of a track without a plate in the list, as it is to be stored; ``seen``: first and last."""
        car = self._told.get(track)
        if car is None or vehicle is None or seen is None or not self._settings.store_unread:
            return []
        self._without_plate += 1
        return [read_of_car(f"{drive}-v{track}", drive, seen, car.sighting, car.picture.jpeg, vehicle)]

    def summary(self) -> dict[str, int]:
        """The counters of a run: tracks described, answers without the car, tracks given up, cars without a plate."""
        return {
            "described": self._described,
            "not_found": self._not_found,
            "given_up": self._given_up,
            "without_plate": self._without_plate,
        }

    def _failed(self, car: SentCar, why: NoReport, now_s: float) -> None:
        self._choice.failed(car.track, car, passing=why is NoReport.PASSING)
        if why is NoReport.NOT_OFFERED:
            self._reporting.offered = False
        elif self._over:
            self.forget(car.track)
        else:
            self._bucket.give_back()
            self._reporting.not_before_s = now_s + AGAIN_S


def read_of_car(
    uid: str, drive: str, seen: tuple[Stamp, Stamp], best: Sighting, crop_jpeg: bytes, vehicle: Vehicle
) -> TrackRead:
    """A car without a plate in the list as it is stored; ``seen``: first and last, ``best``: of its picture."""
    fix = best.fix
    return TrackRead(
        uid=uid,
        text="",
        confidence=0.0,
        character_confidences=(),
        first_seen=seen[0].utc,
        last_seen=seen[1].utc,
        latitude_deg=fix.latitude_deg if fix is not None else None,
        longitude_deg=fix.longitude_deg if fix is not None else None,
        fix_age_s=best.fix_age_s,
        crop_jpeg=crop_jpeg,
        singles=(),
        drive=drive,
        ended=True,
        utc_source=best.utc_source,
        speed_mps=fix.speed_mps if fix is not None else None,
        course_deg=fix.course_deg if fix is not None else None,
        satellites=fix.satellites if fix is not None else None,
        hdop=fix.hdop if fix is not None else None,
        vehicle=vehicle,
        first_monotonic_s=seen[0].monotonic_s,
        last_monotonic_s=seen[1].monotonic_s,
    )
