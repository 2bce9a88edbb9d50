"""Evidence of one stretch of a drive, put through tracking and voting as the live stream is."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from cloud_apis.contract import PlateBox, Word
from edge_client.config import EdgeSettings
from edge_client.pipeline.events import CarDescribed, SentCar, SentCrop, Sighting, Ticket
from edge_client.pipeline.plate_reading import PlateReading
from edge_client.spool.folder import Entry
from edge_client.tracking.appearance import thumbnails
from edge_client.tracking.tracker import Tracker
from edge_client.types import Frame, Image, TrackRead

_MOST_ENTRIES = 160


class Replay:
    """One stretch, from its first entry on; driven by one thread. What it reads depends on its evidence alone.

    The uids of its reads come from the drive and the first entry: read anew after a crash, they are the same. With
    ``cars`` the cars of the plates are described too.
    """

    def __init__(self, first: Entry, settings: EdgeSettings, *, cars: bool = False) -> None:
        self._first = first
        self._keep_s = settings.tracking.keep_s
        self._tracker = Tracker(settings.tracking)
        self._reading = PlateReading(f"{first.drive}-s{first.sequence}", settings, cars=cars)
        self._reads: dict[str, TrackRead] = {}
        self._last_s: float | None = None
        self._tracked_s = float("-inf")
        self.entries: list[Entry] = []

    def continues(self, entry: Entry, media_s: float) -> bool:
        """Whether this entry belongs to the stretch: otherwise it begins a new one."""
        if (entry.drive, entry.is_crop) != (self._first.drive, self._first.is_crop):
            return False
        if self._last_s is None:
            return True
        quiet = self._last_s - self._tracked_s > self._keep_s  # no plate lives on into this entry
        apart = abs(media_s - self._last_s) > 2 * self._keep_s
        return not (quiet or apart or len(self.entries) >= _MOST_ENTRIES)

    def frame(self, entry: Entry, seen: Sighting, image: Image, boxes: tuple[PlateBox, ...]) -> None:
        """Take a frame in with what the detector found."""
        frame = Frame(
            seen.frame_number,
            image,
            seen.captured_monotonic_s,
            seen.utc,
            seen.fix,
            seen.fix_age_s,
            seen.utc_source,
        )
        ticket = Ticket(frame, seen.media_s, seen.captured_monotonic_s)
        ticket.tracked = self._tracker.update(seen.media_s, boxes, thumbnails(image, boxes))
        if boxes:
            self._tracked_s = seen.media_s
        self._reading.see(ticket)
        self._keep(self._reading.end_tracks(self._tracker.take_ended()))
        self._take(entry, seen.media_s)

    def crop(self, entry: Entry, crop: SentCrop, words: tuple[Word, ...]) -> None:
        """Take a crop in with what stands on it."""
        self._keep(self._reading.answered([crop], [words]))
        self._tracked_s = crop.sighting.media_s
        self._take(entry, crop.sighting.media_s)

    def damaged(self, entry: Entry) -> None:
        """An entry shows nothing; it goes with the others."""
        self.entries.append(entry)

    def due(self, *, last: bool = False) -> list[SentCrop]:
        """Crops to be read now; ``last``: all that are worth it."""
        return self._reading.due(last=last)

    def answered(self, crops: Sequence[SentCrop], words: Sequence[tuple[Word, ...]] | None) -> None:
        """Take the reader's answer in; None when there is none."""
        self._keep(self._reading.answered(crops, words))

    def car_due(self, *, last: bool = False) -> SentCar | None:
        """The picture of a car to be sent now; it counts as sent. ``last``: whatever is worth it."""
        return self._reading.car_due(last=last)

    def described(self, event: CarDescribed) -> None:
        """Take an answer about a car in."""
        self._keep(self._reading.described(event))

    @property
    def cars(self) -> int:
        """Cars described so far."""
        return self._reading.cars().get("described", 0)

    def end(self) -> list[TrackRead]:
        """The stretch is over; gives what was read."""
        self._keep(self._reading.end())
        return [replace(read, drive=self._first.drive, ended=True) for read in self._reads.values()]

    def _take(self, entry: Entry, media_s: float) -> None:
        self.entries.append(entry)
        self._last_s = media_s

    def _keep(self, reads: Sequence[TrackRead]) -> None:
        for read in reads:
            for uid in read.supersedes:
                self._reads.pop(uid, None)
            self._reads[read.uid] = read
