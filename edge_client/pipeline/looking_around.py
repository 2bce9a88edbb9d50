"""Decides when a whole frame is asked about, for cars whose plate is not found, and makes sightings of these."""

from __future__ import annotations

from collections.abc import Sequence

from cloud_apis.contract.vehicles import ReportedVehicle
from edge_client.config import VehicleSettings
from edge_client.frame_pictures import frame_picture, sights_in
from edge_client.pipeline.car_looking import AGAIN_S, PLATES_PART, Reporting, read_of_car
from edge_client.pipeline.events import NoReport, SentLook, Sighting, Ticket
from edge_client.tracking.budget import TokenBucket
from edge_client.tracking.motion import shape_of
from edge_client.tracking.plateless import PlatelessCar, PlatelessCars, Sight
from edge_client.types import Stamp, TrackRead, Vehicle

_Shot = tuple[bytes, Sighting]
"""A car's picture, JPEG, and the frame that it was cut from."""


class LookingAround:
    """The state of looking around in one drive; driven by the coordinator alone. Times are media seconds.

    ``bucket`` is the budget of requests, of which plates are left the same part as beside their cars.
    """

    def __init__(self, drive: str, settings: VehicleSettings, bucket: TokenBucket, reporting: Reporting) -> None:
        self._drive = drive
        self._settings = settings
        self._bucket = bucket
        self._reporting = reporting
        self._cars: PlatelessCars[_Shot] = PlatelessCars(settings.look_around_s)
        self._wanted = settings.store_unread and settings.look_around_s > 0
        self._next_s = float("-inf")
        self._looks = 0
        self._refused = 0
        self._kept = 0

    def see(self, ticket: Ticket) -> None:
        """Note the plates of a frame."""
        if ticket.tracked:
            self._cars.plates(_centres(ticket))

    def due(self, ticket: Ticket, now_s: float) -> SentLook | None:
        """The whole of a frame, if it is to be sent now; it counts as sent.

        Only a frame with its own detection will do, as it is known which plates it shows.
        """
        if not (self._wanted and self._reporting.offered) or ticket.boxes is None or ticket.media_s < self._next_s:
            return None
        if now_s < self._reporting.not_before_s or not self._bucket.take(now_s, PLATES_PART):
            return None
        self._next_s = ticket.media_s + self._settings.look_around_s
        self._cars.asked(ticket.media_s)
        picture = frame_picture(ticket.frame.image, self._settings)
        return SentLook(picture, _centres(ticket), Sighting.of(ticket.frame, ticket.media_s))

    def answered(self, look: SentLook, found: Sequence[ReportedVehicle] | NoReport, now_s: float) -> None:
        """Take an answer in, however late it comes."""
        if isinstance(found, NoReport):
            self._failed(found, now_s)
            return
        self._looks += 1
        seen = look.sighting
        sights = [_shot(sight, seen) for sight in sights_in(look.picture, found, look.plates, self._settings)]
        self._cars.found(seen.media_s, Stamp(seen.utc, seen.captured_monotonic_s), sights)

    def described(self, vehicle: Vehicle, time_s: float) -> None:
        """The car of a plate looked like this at that time."""
        self._cars.described(vehicle, time_s)

    def passed(self, now_s: float) -> list[TrackRead]:
        """The cars without a plate that have passed, as they are to be stored."""
        return [self._read(car) for car in self._cars.passed(now_s)]

    def end(self) -> list[TrackRead]:
        """The drive is over; gives the cars without a plate that were still followed."""
        return [self._read(car) for car in self._cars.end()]

    def summary(self) -> dict[str, int]:
        """The counters of a run: looks answered and refused, cars kept, cars whose plate appeared after all."""
        return {
            "looks": self._looks,
            "looks_refused": self._refused,
            "plateless": self._kept,
            "plateless_dropped": self._cars.dropped,
        }

    def _failed(self, why: NoReport, now_s: float) -> None:
        self._cars.failed()
        if why is NoReport.NOT_OFFERED:
            self._reporting.offered = False
            return
        self._bucket.give_back()
        self._refused += why is NoReport.REFUSED
        self._reporting.not_before_s = now_s + AGAIN_S

    def _read(self, car: PlatelessCar[_Shot]) -> TrackRead:
        self._kept += 1
        crop, best = car.picture
        return read_of_car(f"{self._drive}-w{car.number}", self._drive, (car.first, car.last), best, crop, car.vehicle)


def _centres(ticket: Ticket) -> tuple[tuple[float, float], ...]:
    return tuple(shape_of(tracked.box)[:2] for tracked in ticket.tracked)


def _shot(sight: Sight[bytes], seen: Sighting) -> Sight[_Shot]:
    return Sight(sight.shape, sight.vehicle, sight.quality, lambda: (sight.picture(), seen), sight.plated)
