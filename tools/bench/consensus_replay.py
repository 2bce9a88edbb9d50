"""Plays recordings through the device's own tracking, choosing and voting, once for each policy of asking."""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Final

from cloud_apis.contract import PlateBox
from edge_client.config import EdgeSettings
from edge_client.pipeline.events import SentCrop, Ticket
from edge_client.pipeline.plate_reading import Choice, PlateReading
from edge_client.tracking.appearance import thumbnails
from edge_client.tracking.choice import Look
from edge_client.tracking.tracker import Tracker
from edge_client.tracking.vote import Vote
from edge_client.types import Frame, TrackedBox, TrackRead
from tools.bench.consensus_data import Models, Recording

ROUND_TRIP_S: Final = 0.15
_START: Final = datetime(2026, 1, 1, tzinfo=UTC)


class EveryCrop(Choice):
    """Asks for every crop of every frame, as the original system did."""

    def __init__(self, settings: EdgeSettings, vote_of: Callable[[int], Vote]) -> None:
        super().__init__(settings.reading, vote_of)
        self._waiting: list[SentCrop] = []

    def offer(self, number: int, look: Look, now_s: float, crop: Callable[[], SentCrop]) -> None:
        """Take it, however it looks."""
        self._waiting.append(crop())

    def due(self, now_s: float, most: int, *, last: bool = False) -> list[SentCrop]:
        """All of them."""
        waiting, self._waiting = self._waiting, []
        return waiting


@dataclass(frozen=True, slots=True)
class Policy:
    """A way to choose crops; ``every`` sends all of them."""

    name: str
    settings: EdgeSettings
    every: bool = False

    def reading(self, uid: str) -> PlateReading:
        """The reading of one drive."""
        settings = self.settings
        return PlateReading(uid, settings, (lambda vote_of: EveryCrop(settings, vote_of)) if self.every else None)


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of one recording, or of several: counts, and the texts that were stored wrongly.

    ``tracks`` are all geometric tracks, ``legible`` those whose plate's text is known. ``plates`` are the texts
    that stand in the recording. ``requests`` counts crops.
    """

    tracks: int = 0
    legible: int = 0
    tracks_right: int = 0
    requests: int = 0
    plates: int = 0
    plates_right: int = 0
    stored: int = 0
    wrong: tuple[str, ...] = ()
    missed: tuple[str, ...] = ()
    crop_says_so: int = 0
    """Stored reads whose evidence crop was itself read as the voted text."""

    def __add__(self, other: Outcome) -> Outcome:
        return Outcome(
            self.tracks + other.tracks,
            self.legible + other.legible,
            self.tracks_right + other.tracks_right,
            self.requests + other.requests,
            self.plates + other.plates,
            self.plates_right + other.plates_right,
            self.stored + other.stored,
            self.wrong + other.wrong,
            self.missed + other.missed,
            self.crop_says_so + other.crop_says_so,
        )


@dataclass(slots=True)
class _Player:
    """One policy on one recording."""

    policy: Policy
    models: Models
    reading: PlateReading
    tracker: Tracker
    requests: int = 0
    stored: dict[str, TrackRead] = field(default_factory=dict)
    on_way: deque[tuple[float, list[SentCrop]]] = field(default_factory=deque)
    truths: dict[int, Counter[str]] = field(default_factory=dict)
    texts: dict[int, str] = field(default_factory=dict)

    def play(self, ticket: Ticket, boxes: Sequence[PlateBox], labels: Sequence[str | None]) -> None:
        """Take the next frame, after the answers that have come by then."""
        while self.on_way and self.on_way[0][0] <= ticket.media_s:
            self._answer(self.on_way.popleft()[1])
        image = ticket.frame.image
        ticket.tracked = self.tracker.update(ticket.media_s, boxes, thumbnails(image, boxes))
        for tracked, label in zip([t for t in ticket.tracked if not t.carried], labels, strict=True):
            truths = self.truths.setdefault(tracked.track_id, Counter())
            if label is not None:
                truths[label] += 1
        self.reading.see(ticket, self.tracker.take_lost())
        self._save(self.reading.end_tracks(self.tracker.take_ended()))
        self._send(ticket.media_s)

    def end(self) -> None:
        """The recording is over."""
        while self.on_way:
            self._answer(self.on_way.popleft()[1])
        while self._send(0.0, last=True):
            self._answer(self.on_way.popleft()[1])
        self._save(self.reading.end())

    def _send(self, now_s: float, *, last: bool = False) -> bool:
        crops = self.reading.due(last=last)
        if crops:
            self.requests += len(crops)
            self.on_way.append((now_s + ROUND_TRIP_S, crops))
        return bool(crops)

    def _answer(self, crops: list[SentCrop]) -> None:
        self._save(self.reading.answered(crops, self.models.read([c.jpeg for c in crops])))
        for crop in crops:
            text = self.reading.labelled(TrackedBox(crop.track, crop.box, carried=False)).text
            if text is not None:
                self.texts[crop.track] = text

    def _save(self, reads: Sequence[TrackRead]) -> None:
        for read in reads:
            for uid in read.supersedes:
                self.stored.pop(uid, None)
            self.stored[read.uid] = read


def replay(
    recording: Recording, policies: Sequence[Policy], models: Models, *, rate_hz: float | None = None
) -> list[Outcome]:
    """Outcomes in the order of the policies, all on the same boxes; frames come at their own times, or at a rate."""
    settings = policies[0].settings
    players = [_Player(p, models, p.reading(f"run{n}"), Tracker(settings.tracking)) for n, p in enumerate(policies)]
    for number, picture in enumerate(recording.pictures()):
        boxes = models.detect(picture.image, settings.detection)
        labels = [picture.label_of(box) if recording.boxed else None for box in boxes]
        time_s = picture.time_s if rate_hz is None else number / rate_hz
        frame = Frame(number, picture.image, time_s, _START + timedelta(seconds=time_s))
        ticket = Ticket(frame, time_s, time_s)
        for player in players:
            player.play(ticket, boxes, labels)
    for player in players:
        player.end()
    return [_outcome(recording, player) for player in players]


def _outcome(recording: Recording, player: _Player) -> Outcome:
    legible = tracks_right = 0
    for track, truths in player.truths.items():
        right = recording.plates if not recording.boxed else {text for text, _ in truths.most_common(1) if text}
        legible += bool(right)
        tracks_right += player.texts.get(track) in right
    texts = {read.text for read in player.stored.values()}
    evident = [
        r for r in player.stored.values() if any(s.crop_jpeg is r.crop_jpeg and s.text == r.text for s in r.singles)
    ]
    return Outcome(
        tracks=len(player.truths),
        legible=legible,
        tracks_right=tracks_right,
        requests=player.requests,
        plates=len(recording.plates),
        plates_right=len(texts & recording.plates),
        stored=len(player.stored),
        wrong=tuple(sorted(r.text for r in player.stored.values() if r.text not in recording.plates)),
        missed=tuple(sorted(recording.plates - texts)),
        crop_says_so=len(evident),
    )


def _says_so(read: TrackRead) -> bool:
    """Whether the evidence crop was itself read as the voted text."""
    return any(s.crop_jpeg is read.crop_jpeg and s.text == read.text for s in read.singles)


def varied(settings: EdgeSettings, **reading: object) -> EdgeSettings:
    """The settings with other ones of the section `reading`."""
    return settings.model_copy(update={"reading": settings.reading.model_copy(update=reading)})
