"""Decides which crops of a frame are read, and brings the answers into the book of plates."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from cloud_apis.contract import Word, plate_text
from edge_client.config import EdgeSettings
from edge_client.imaging import cut_crop, encode_crop, sharpness, touches_edge
from edge_client.pipeline.events import SentCrop, Sighting, Ticket
from edge_client.tracking.choice import CropChoice, Look
from edge_client.tracking.motion import Shape, overlap, shape_of
from edge_client.tracking.plates import PlateBook
from edge_client.types import SingleRead, TrackedBox, TrackRead

_CROPS_PER_FRAME = 8
_PAUSE_S = 0.15
_STEADY_OVERLAP = 0.3
_PENDING_REALTIME = 1
_PENDING_FULL = 3


class PlateReading:
    """The state of reading in one drive; driven by the coordinator alone."""

    def __init__(self, run_uid: str, settings: EdgeSettings, *, full: bool) -> None:
        self._settings = settings.reading
        self._book = PlateBook(run_uid, settings.reads, settings.reading)
        self._choice = CropChoice(
            settings.reading,
            pending=_PENDING_FULL if full else _PENDING_REALTIME,
            pause_s=0.0 if full else _PAUSE_S,
        )
        self._began: dict[int, datetime] = {}
        self._last_shape: dict[int, Shape] = {}
        self._ending: set[int] = set()

    @property
    def count(self) -> int:
        """Plates read so far."""
        return self._book.count

    def choose(self, ticket: Ticket, now_s: float) -> list[SentCrop]:
        """The crops of a frame that are worth reading, largest first; they count as sent."""
        image = ticket.frame.image
        chosen: list[SentCrop] = []
        for tracked in sorted(ticket.tracked, key=lambda t: t.box.xmin - t.box.xmax):
            if tracked.carried:
                continue
            track, box = tracked.track_id, tracked.box
            self._began.setdefault(track, ticket.frame.captured_utc)
            self._book.seen(track, ticket.frame.captured_utc, ticket.media_s)
            crop = cut_crop(image, box, self._settings.crop_margin)
            shape = shape_of(box)
            steady = overlap(shape, self._last_shape.get(track, shape)) >= _STEADY_OVERLAP
            self._last_shape[track] = shape
            look = Look(shape[2], shape[3], sharpness(crop), steady, not touches_edge(box, image))
            if len(chosen) < _CROPS_PER_FRAME and self._choice.worth(track, look, now_s, self._book.vote_of(track)):
                self._choice.sent(track, look, now_s)
                jpeg = encode_crop(crop, self._settings)
                began = self._began[track]
                sighting = Sighting.of(ticket.frame, ticket.media_s)
                size = crop.shape[1], crop.shape[0]
                chosen.append(SentCrop(track, jpeg, *size, look.sharpness, box, sighting, began))
        return chosen

    def answered(self, crops: Sequence[SentCrop], words: Sequence[tuple[Word, ...]] | None) -> list[TrackRead]:
        """Take an answer in, however late it comes; gives the reads to store."""
        changed: list[TrackRead] = []
        for index, crop in enumerate(crops):
            self._choice.answered(crop.track, usable=words is not None)
            if words is not None:
                changed += self._book.add(_single(crop, words[index]), crop.began, crop.sighting.media_s)
        return changed

    def labelled(self, tracked: TrackedBox) -> TrackedBox:
        """The box with its plate's text as far as it is known now."""
        vote = self._book.vote_of(tracked.track_id)
        if not self._book.storable(vote):
            return tracked
        return TrackedBox(tracked.track_id, tracked.box, tracked.carried, vote.text, vote.confidence)

    def end_tracks(self, tracks: Sequence[int]) -> list[TrackRead]:
        """Let tracks go that ended; gives the reads to store once more."""
        changed = []
        self._ending.update(tracks)
        for track in [t for t in self._ending if not self._choice.pending(t)]:
            self._ending.discard(track)
            self._began.pop(track, None)
            self._last_shape.pop(track, None)
            self._choice.forget(track)
            changed += self._book.end_track(track)
        return changed

    def end(self) -> list[TrackRead]:
        """The drive is over; gives the reads to store once more."""
        return self._book.end_all()


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
