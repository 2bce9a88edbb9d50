"""The one thread that knows the state of a drive: it takes events in and lets frames out, in order.

A frame passes two gates. At the first it waits for its detection, so that boxes are linked in the order of
the frames; at the second, at full rate only, for the reads of its own plates. No frame waits at either
longer than its deadline.
"""

from __future__ import annotations

import queue
import time
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from cloud_apis.contract import PlateBox
from edge_client.config import EdgeSettings
from edge_client.counters import Counters
from edge_client.errors import SourceError
from edge_client.pipeline.asking import Asking
from edge_client.pipeline.events import (
    Captured,
    CaptureEnded,
    CarDescribed,
    Crashed,
    Detected,
    Event,
    LookedAround,
    SentCrop,
    Stop,
    Ticket,
    WordsRead,
)
from edge_client.pipeline.plate_reading import PlateReading
from edge_client.pipeline.room import Room
from edge_client.pipeline.saver import Saver
from edge_client.pipeline.screen import Screen
from edge_client.reassembly import Reassembly
from edge_client.requests.adapting import Adaptation
from edge_client.requests.pool import RequestPool
from edge_client.spool.spool import Spool
from edge_client.tracking.appearance import thumbnails
from edge_client.tracking.tracker import Tracker
from edge_client.types import Outcome, ShownFrame, TrackedBox, TrackRead

_TICK_S = 0.5
_WEAK = 2
"""Requests in flight that an uplink must carry at least for cars to be asked for beside plates."""
_GRACE_S = 1.5
"""How long frames in flight may still wait for their results after a stop."""
_PROBE_S = 0.25
"""Realtime, while the APIs are gone: frames wait no longer, as each probe would hold a second of them in memory."""
_WAITING_BYTES = 56 * 2**20
"""Realtime: frames in flight hold at most this much; beyond it the oldest leave without a result."""


@dataclass(frozen=True, slots=True)
class Parts:
    """What the coordinator works with."""

    pool: RequestPool
    adaptation: Adaptation
    asking: Asking
    reading: PlateReading
    saver: Saver
    spool: Spool
    screen: Screen
    counters: Counters
    room: Room


class Coordinator:
    """Runs until the source has ended and everything that is in flight has come to its end."""

    def __init__(
        self,
        settings: EdgeSettings,
        parts: Parts,
        inbox: queue.SimpleQueue[Event],
        *,
        full: bool,
        frame_rate_hz: float,
        deadline_s: float,
        on_tick: Callable[[], bool],
        on_stop: Callable[[], None],
    ) -> None:
        self._settings = settings
        self._parts = parts
        self._inbox = inbox
        self._full = full
        self._frame_rate_hz = frame_rate_hz
        self._deadline_s = deadline_s
        self._on_tick = on_tick
        self._on_stop = on_stop
        self._detections: Reassembly[Ticket] = Reassembly()
        self._releases: Reassembly[Ticket] = Reassembly()
        self._tracker = Tracker(settings.tracking)
        self._unbegun: deque[Ticket] = deque()
        self._last_asked = -(10**9)
        self._asked: list[Sequence[SentCrop]] = []  # requests to the reader that are on their way
        self._describing = False  # a request about cars is on its way
        self._capture_ended = False
        self._stopped_at_s: float | None = None
        self._source_error: SourceError | None = None

    @property
    def stopped_at_s(self) -> float | None:
        """When the end was asked for, by the monotonic clock; None when the source ended by itself."""
        return self._stopped_at_s

    def run(self) -> SourceError | None:
        """Work until all is done; gives the source's error, if it ended with one."""
        next_tick_s = time.monotonic()
        while not self._done():
            now_s = time.monotonic()
            if now_s >= next_tick_s:
                next_tick_s = now_s + _TICK_S
                if self._on_tick():
                    self._stop(now_s)
            deadlines = [self._detections.next_deadline_s(), self._releases.next_deadline_s(), next_tick_s]
            wait_s = max(min(d for d in deadlines if d is not None) - time.monotonic(), 0.0)
            try:
                self._handle(self._inbox.get(timeout=wait_s))
                while True:
                    self._handle(self._inbox.get_nowait())
            except queue.Empty:
                pass
            self._advance(time.monotonic())
        self._parts.spool.leave(self._parts.reading.unread([crop for crops in self._asked for crop in crops]))
        self._save(self._parts.reading.end())
        return self._source_error

    def _done(self) -> bool:
        stopped = self._stopped_at_s is not None and time.monotonic() > self._stopped_at_s + _GRACE_S
        # A source that hangs, in a driver or on a dead disk, does not hold the end up.
        if not (self._capture_ended or stopped) or len(self._detections) + len(self._releases):
            return False
        if self._stopped_at_s is None and not self._asked:
            self._read_last()
        if self._stopped_at_s is None:
            self._look(last=True)
        return stopped or not (self._asked or self._describing)

    def _handle(self, event: Event) -> None:
        match event:
            case Captured():
                self._captured(event)
            case Detected():
                self._detected(event)
            case WordsRead():
                self._words_read(event)
            case CarDescribed():
                self._describing = False
                self._save(self._parts.reading.described(event))
            case LookedAround():
                self._describing = False
                self._parts.reading.looked(event)
            case CaptureEnded():
                self._capture_ended = True
                if isinstance(event.error, SourceError):
                    self._source_error = event.error
            case Stop():
                self._stop(time.monotonic())
            case Crashed():
                raise event.error

    def _stop(self, now_s: float) -> None:
        """The end is wanted: nothing new is asked, what is in flight gets a short time."""
        if self._stopped_at_s is not None:
            return
        self._stopped_at_s = now_s
        self._on_stop()
        while self._unbegun:
            self._cancel(self._unbegun.popleft())

    def _captured(self, event: Captured) -> None:
        frame = event.frame
        ticket = Ticket(frame, event.media_s, frame.captured_monotonic_s + self._patience_s())
        self._detections.add(frame.number, ticket, ticket.deadline_s)
        wanted = frame.number % self._settings.detection.pick_every_nth_frame == 0
        stride = 1 if self._full else self._stride()
        if not wanted or frame.number - self._last_asked < stride or self._stopped_at_s is not None:
            self._detections.complete(frame.number)
            return
        ticket.job = self._parts.asking.detect(ticket)
        if not self._full:
            self._unbegun.append(ticket)
            self._skip_late_work(self._settings.pool.waiting_frames if stride == 1 else 1)

    def _patience_s(self) -> float:
        """How long a frame may wait; where the APIs are gone, not long behind the one that probes for them."""
        lost = not self._full and self._parts.spool.lost
        return min(self._deadline_s, _PROBE_S) if lost else self._deadline_s

    def _stride(self) -> int:
        """How many frames there are between two to be sent, plus one; counted from the last that was begun."""
        while self._unbegun and (job := self._unbegun[0].job) is not None and job.begun:
            self._last_asked = self._unbegun.popleft().frame.number
        return self._parts.adaptation.targets(self._frame_rate_hz).stride

    def _skip_late_work(self, places: int) -> None:
        """Keep only the newest frames waiting for a request: the others would be late anyway."""
        while len(self._unbegun) > places:
            ticket = self._unbegun.popleft()
            if not self._cancel(ticket):
                self._last_asked = ticket.frame.number

    def _cancel(self, ticket: Ticket) -> bool:
        if ticket.job is None or not self._parts.pool.cancel(ticket.job):
            return False
        self._detections.complete(ticket.frame.number)
        return True

    def _detected(self, event: Detected) -> None:
        ticket = event.ticket
        if event.boxes is not None:
            self._parts.spool.answered(ticket.media_s)
        if self._detections.complete(ticket.frame.number):
            ticket.boxes = event.boxes
        elif event.boxes is not None and self._stopped_at_s is None:
            # Too late for the display, not for the reads.
            self._track(ticket, event.boxes)
            self._read(ticket)

    def _words_read(self, event: WordsRead) -> None:
        self._asked = [crops for crops in self._asked if crops is not event.crops]
        if event.words is None:
            self._parts.spool.unread(event.crops)
        else:
            self._parts.spool.read(event.crops)
        self._save(self._parts.reading.answered(event.crops, event.words))
        if (ticket := event.ticket) is not None:
            ticket.reads_pending -= 1
            if ticket.reads_pending <= 0:
                self._releases.complete(ticket.frame.number)

    def _advance(self, now_s: float) -> None:
        over_s = now_s
        if self._stopped_at_s is not None and now_s > self._stopped_at_s + _GRACE_S:
            over_s = float("inf")
        for ticket in self._detections.release(over_s, self._places(self._detections)):
            self._link(ticket)
        for ticket in self._releases.release(over_s):
            self._show(ticket)

    def _places(self, waiting: Reassembly[Ticket]) -> int | None:
        oldest = waiting.oldest()
        if self._full or oldest is None:
            return None
        return max(_WAITING_BYTES // oldest.frame.image.nbytes, 4)

    def _link(self, ticket: Ticket) -> None:
        if ticket.boxes is not None:
            self._track(ticket, ticket.boxes)
        else:
            if ticket.job is not None:
                self._parts.pool.cancel(ticket.job)
            ticket.tracked = self._tracker.predict(ticket.media_s)
            self._parts.reading.see(ticket, self._tracker.take_lost())
            if self._stopped_at_s is None or self._parts.spool.lost:
                self._parts.spool.missed(ticket.frame, ticket.media_s)
        ticket.job = None  # it refers to the ticket: without the circle the frame is freed at once
        self._save(self._parts.reading.end_tracks(self._tracker.take_ended()))
        self._read(ticket)
        self._releases.add(ticket.frame.number, ticket, ticket.deadline_s)
        if not (self._full and ticket.reads_pending):
            self._releases.complete(ticket.frame.number)

    def _track(self, ticket: Ticket, boxes: tuple[PlateBox, ...]) -> None:
        ticket.tracked = self._tracker.update(ticket.media_s, boxes, thumbnails(ticket.frame.image, boxes))
        self._parts.reading.see(ticket, self._tracker.take_lost())

    def _read(self, ticket: Ticket) -> None:
        busy = not self._full and len(self._asked) >= max(self._parts.pool.limit // 2, 1)
        if busy or self._stopped_at_s is not None:
            return
        crops = self._parts.reading.due()
        if crops:
            ticket.reads_pending += 1
            self._asked.append(crops)
            self._parts.asking.read(ticket, crops)
        self._look(ticket)

    def _look(self, ticket: Ticket | None = None, *, last: bool = False) -> None:
        """Have a car described, or else all cars of this frame; plates have been asked for before."""
        weak = not self._full and not last and self._parts.pool.limit < _WEAK
        if self._describing or weak or self._parts.spool.lost:
            return
        car = self._parts.reading.car_due(last=last)
        if car is not None:
            self._describing = True
            self._parts.asking.describe(car)
            return
        look = self._parts.reading.look_due(ticket) if ticket is not None else None
        if look is not None:
            self._describing = True
            self._parts.asking.look_around(look)

    def _read_last(self) -> None:
        """The source has ended: no better crops will come."""
        crops = self._parts.reading.due(last=True)
        if crops:
            self._asked.append(crops)
            self._parts.asking.read(None, crops)

    def _show(self, ticket: Ticket) -> None:
        parts = self._parts
        if not parts.screen.has_room():
            parts.counters.dropped("display_queue_full")
            parts.room.leave()
            return
        boxes = tuple(self._shown(parts.reading.labelled(t)) for t in ticket.tracked)
        without = Outcome.CARRIED if boxes else Outcome.PLAIN
        outcome = Outcome.ANNOTATED if ticket.boxes is not None else without
        age_s = time.monotonic() - ticket.frame.captured_monotonic_s
        parts.counters.shown(ticket.frame.number, outcome, age_s)
        parts.screen.put(ShownFrame(ticket.frame, outcome, boxes, age_s))

    def _shown(self, tracked: TrackedBox) -> TrackedBox:
        """The box, without its text where the owner does not want that shown."""
        if tracked.text is None or not self._parts.saver.hides(tracked.text):
            return tracked
        return replace(tracked, text=None, confidence=None, vehicle="")

    def _save(self, reads: list[TrackRead]) -> None:
        if reads:
            self._parts.saver.put(self._parts.spool.live(reads))
        self._parts.counters.reads(self._parts.reading.count)
