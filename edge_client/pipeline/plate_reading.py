"""Decides which crops of a drive are read, and brings the answers into the book of plates."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

from cloud_apis.contract import Word, plate_text
from edge_client.config import EdgeSettings
from edge_client.imaging import cut_crop, encode_crop, sharpness, touches_edge
from edge_client.pipeline.car_looking import CarLooking, Reporting
from edge_client.pipeline.events import (
    CarDescribed,
    LookedAround,
    SentCar,
    SentCrop,
    SentLook,
    Sighting,
    Ticket,
)
from edge_client.pipeline.looking_around import LookingAround
from edge_client.tracking.budget import TokenBucket
from edge_client.tracking.choice import CropChoice, Look
from edge_client.tracking.motion import shape_of
from edge_client.tracking.plates import PlateBook
from edge_client.tracking.vote import Vote
from edge_client.types import SingleRead, Stamp, TrackedBox, TrackRead

_CROPS_PER_REQUEST = 8

Choice = CropChoice[SentCrop]


class PlateReading:
    """The state of reading in one drive; driven by the coordinator alone. Times are media seconds.

    ``choice`` makes what chooses the crops, from what tells the vote of a track; by default the settings' budget.
    With ``cars`` the cars of the plates are described too, and those without a plate if looks around are asked for.
    """

    def __init__(
        self,
        run_uid: str,
        settings: EdgeSettings,
        choice: Callable[[Callable[[int], Vote]], Choice] | None = None,
        *,
        cars: bool = False,
    ) -> None:
        self._drive = run_uid
        self._settings = settings.reading
        self._book = PlateBook(run_uid, settings.reads, settings.reading)
        vote_of = self._book.vote_of
        bucket = TokenBucket(settings.reading.requests_per_s, settings.reading.requests_burst)
        self._choice = choice(vote_of) if choice is not None else Choice(settings.reading, vote_of, bucket)
        reporting = Reporting()
        self._cars = CarLooking(settings.vehicles, bucket, reporting) if cars else None
        self._around = LookingAround(run_uid, settings.vehicles, bucket, reporting) if cars else None
        self._began: dict[int, Stamp] = {}
        self._last: dict[int, Stamp] = {}
        self._left: set[int] = set()
        self._ending: set[int] = set()
        self._now_s = 0.0
        self._over = False
        self._given_up: list[SentCrop] = []

    @property
    def count(self) -> int:
        """Plates read so far."""
        return self._book.count

    def see(self, ticket: Ticket, lost: Sequence[int] = ()) -> None:
        """Note the plates of a frame, and hold the crops that are the best of theirs so far.

        ``lost`` tracks are out of sight, for now at least: no better crops of them are waited for.
        """
        self._now_s = max(self._now_s, ticket.media_s)
        for track in lost:
            self._choice.lost(track)
            if self._cars is not None:
                self._cars.lost(track, self._now_s)
        for tracked in ticket.tracked:
            if not tracked.carried:
                self._see(ticket, tracked)
        if self._around is not None:
            self._around.see(ticket)

    def due(self, *, last: bool = False) -> list[SentCrop]:
        """The crops to be sent now, the most urgent first; they count as sent. ``last`` waits for no better ones."""
        self._over = self._over or last
        return self._choice.due(self._now_s, _CROPS_PER_REQUEST, last=last)

    def car_due(self, *, last: bool = False) -> SentCar | None:
        """The picture of a car to be sent now; it counts as sent. ``last`` waits for no better one."""
        return self._cars.due(self._now_s, last=last) if self._cars is not None else None

    def look_due(self, ticket: Ticket) -> SentLook | None:
        """The whole of this frame, if it is to be sent now; it counts as sent. Plates and their cars go before."""
        return self._around.due(ticket, self._now_s) if self._around is not None else None

    def looked(self, event: LookedAround) -> None:
        """Take an answer about a whole frame in, however late it comes."""
        if self._around is not None:
            self._around.answered(event.look, event.found, self._now_s)

    def described(self, event: CarDescribed) -> list[TrackRead]:
        """Take an answer about a car in, however late it comes; gives the reads to store."""
        car = event.car
        vehicle = self._cars.answered(car, event.found, self._now_s) if self._cars is not None else None
        if vehicle is None:
            return []
        if self._around is not None:
            self._around.described(vehicle, car.sighting.media_s)
        return self._book.describe(car.track, vehicle, car.sighting.media_s)

    def cars(self) -> dict[str, int]:
        """The counters of described cars; none where none are."""
        if self._cars is None or self._around is None:
            return {}
        return self._cars.summary() | self._around.summary()

    def answered(self, crops: Sequence[SentCrop], words: Sequence[tuple[Word, ...]] | None) -> list[TrackRead]:
        """Take an answer in, however late it comes; gives the reads to store. None: there was no answer."""
        changed: list[TrackRead] = []
        for index, crop in enumerate(crops):
            if words is None:
                if self._over:
                    self._given_up.append(crop)
                else:
                    self._choice.failed(crop.track, _look(crop), self._now_s, crop)
                continue
            single = _single(crop, words[index])
            agrees = not self._book.contradicts(single)
            changed += self._book.add(single, Stamp(crop.began, crop.began_monotonic_s), crop.sighting.media_s)
            self._choice.answered(crop.track, agrees=agrees)
            if self._cars is not None and self._book.has_another_car(crop.track):
                self._cars.again(crop.track)
        return changed

    def labelled(self, tracked: TrackedBox) -> TrackedBox:
        """The box with its plate's text as far as it is known now."""
        vote = self._book.vote_of(tracked.track_id)
        look = self._book.look_of(tracked.track_id)
        if look is not None:
            tracked = replace(tracked, vehicle=look.title)
        if not self._book.storable(vote):
            return tracked
        return replace(tracked, text=vote.text, confidence=vote.confidence)

    def end_tracks(self, tracks: Sequence[int]) -> list[TrackRead]:
        """Let tracks go that ended, once nothing of them waits; gives the reads to store once more.

        Cars without a plate that have passed are among these.
        """
        changed = []
        self._ending.update(tracks)
        if self._cars is not None:
            for track in tracks:
                self._cars.lost(track, self._now_s)
        for track in [t for t in self._ending if not (self._choice.needs(t) or self._needs_look(t))]:
            self._ending.discard(track)
            self._choice.forget(track)
            changed += self._without_plate(track)
            self._began.pop(track, None)
            self._last.pop(track, None)
            changed += self._book.end_track(track)
        around = self._around.passed(self._now_s) if self._around is not None else []
        return changed + around + self._book.close_idle(self._now_s)

    def unread(self, sent: Sequence[SentCrop]) -> list[SentCrop]:
        """The drive is over: all crops worth a request that nobody has read, of plates that are not in the list.

        ``sent`` are on their way, and no answer will be waited for.
        """
        left, more = [*self._given_up, *sent], list(sent)
        while True:
            for crop in more:
                self._choice.answered(crop.track, agrees=True)
            more = self.due(last=True)
            if not more:
                break
            left += more
        unread = [crop for crop in left if not self._book.storable(self._book.vote_of(crop.track))]
        self._left = {crop.track for crop in unread}
        return unread

    def end(self) -> list[TrackRead]:
        """The drive is over; gives the reads to store once more, and the cars whose plates were not read or found.

        Plates that are left for another drive to read are not among these.
        """
        cars = [read for track in sorted(set(self._began) - self._left) for read in self._without_plate(track)]
        around = self._around.end() if self._around is not None else []
        return cars + around + self._book.end_all()

    def _needs_look(self, track: int) -> bool:
        return self._cars is not None and self._cars.needs(track)

    def _without_plate(self, track: int) -> list[TrackRead]:
        """The car of a track that goes, if no plate of it is in the list."""
        if self._cars is None:
            return []
        seen = (self._began[track], self._last[track]) if track in self._last else None
        look = None if self._book.listed(track) else self._book.look_of(track)
        found = self._cars.sighting(self._drive, track, look, seen)
        self._cars.forget(track)
        return found

    def _see(self, ticket: Ticket, tracked: TrackedBox) -> None:
        frame, track, box = ticket.frame, tracked.track_id, tracked.box
        now = Stamp(frame.captured_utc, frame.captured_monotonic_s)
        began = self._began.setdefault(track, now)
        self._last[track] = now
        self._book.seen(track, now, ticket.media_s)
        if self._cars is not None:
            self._cars.see(ticket, tracked)
        crop = cut_crop(frame.image, box, self._settings.crop_margin)
        _, _, width, height = shape_of(box)
        sharp = sharpness(crop)
        look = Look(width, height, sharp, not tracked.doubtful, not touches_edge(box, frame.image), box.score)

        def encoded() -> SentCrop:
            jpeg = encode_crop(crop, self._settings)
            sighting = Sighting.of(frame, ticket.media_s)
            size = crop.shape[1], crop.shape[0]
            return SentCrop(track, jpeg, *size, sharp, box, sighting, began.utc, began.monotonic_s)

        self._choice.offer(track, look, ticket.media_s, encoded)


def _look(crop: SentCrop) -> Look:
    _, _, width, height = shape_of(crop.box)
    return Look(width, height, crop.sharpness, score=crop.box.score)


def _single(crop: SentCrop, words: tuple[Word, ...]) -> SingleRead:
    seen = crop.sighting
    return SingleRead(
        track_id=crop.track,
        frame_number=seen.frame_number,
        utc=seen.utc,
        words=words,
        text=plate_text(words),
        confidences=tuple(c for word in words for c in word.confidences),
        crop_jpeg=crop.jpeg,
        crop_width_px=crop.width_px,
        crop_height_px=crop.height_px,
        sharpness=crop.sharpness,
        box=crop.box,
        fix=seen.fix,
        fix_age_s=seen.fix_age_s,
        utc_source=seen.utc_source,
        media_s=seen.media_s,
        captured_monotonic_s=seen.captured_monotonic_s,
    )
