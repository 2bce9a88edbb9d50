"""Draws each shown frame once and brings it to the displays, none of which can hold up another."""

from __future__ import annotations

import collections
import logging
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import replace

from edge_client.blur import Blurring
from edge_client.errors import DisplayError
from edge_client.overlay import draw
from edge_client.types import Display, Image, Outcome, ShownFrame

_LOG = logging.getLogger(__name__)
_QUEUE_BYTES = 32 * 2**20
"""What a display's queue may hold: large pictures have fewer places than small ones."""
_BLIND_AFTER_S = 2.0
"""Frames are marked when no result came for so long: then it is not the rhythm of the requests."""


class Feed:
    """The thread and the queue of one display.

    A display that wants every frame has a queue; the others have one place that the newest frame takes.
    """

    def __init__(
        self, display: Display, places: int, on_crash: Callable[[BaseException], None], *, patient: bool
    ) -> None:
        self.display = display
        self._on_crash = on_crash
        self._patient = patient and display.every_frame
        self._places = places if display.every_frame else 1
        self._queue: collections.deque[tuple[ShownFrame, Image]] = collections.deque()
        self._condition = threading.Condition()
        self._closing = False
        self._dead = False
        self.missed = 0
        self._thread = threading.Thread(target=self._run, name=f"display-{display.name}", daemon=True)
        self._thread.start()

    @property
    def alive(self) -> bool:
        """Whether the display still shows something."""
        return not self._dead

    def put(self, shown: ShownFrame, annotated: Image) -> None:
        """Hand a frame over; a patient feed waits for room, another one misses the frame."""
        with self._condition:
            fits = max(_QUEUE_BYTES // (shown.frame.image.nbytes + annotated.nbytes), 2)
            places = min(self._places, fits)
            if self._patient:
                self._condition.wait_for(lambda: len(self._queue) < places or self._dead or self._closing)
            if self._dead:
                return
            if len(self._queue) >= places:
                if self.display.every_frame:
                    if not self.missed:
                        _LOG.warning("%s cannot keep up: frames are missing in it", self.display.name)
                    self.missed += 1
                    return
                self._queue.clear()
            self._queue.append((shown, annotated))
            self._condition.notify_all()

    def finish(self) -> None:
        """Let the display show what waits and close."""
        with self._condition:
            self._closing = True
            self._condition.notify_all()

    def join(self, timeout_s: float) -> bool:
        """Wait for its end; False when it still works after the timeout."""
        self._thread.join(timeout_s)
        return not self._thread.is_alive()

    def _run(self) -> None:
        try:
            while True:
                with self._condition:
                    self._condition.wait_for(lambda: self._queue or self._closing)
                    if not self._queue:
                        break
                    shown, annotated = self._queue.popleft()
                    self._condition.notify_all()
                self.display.show(shown, annotated)
        except (DisplayError, OSError) as error:
            _LOG.warning("%s ends: %s", self.display.name, error)
        except BaseException as error:
            self._on_crash(error)
            raise
        finally:
            with self._condition:
                self._dead = True
                self._queue.clear()
                self._condition.notify_all()
            try:
                self.display.close()
            except (DisplayError, OSError) as error:
                _LOG.warning("%s: %s", self.display.name, error)


class Screen:
    """The drawing thread and the feeds.

    ``on_delivered`` is called after each frame, ``on_crash`` with an error that nobody foresaw. ``blurring`` hides
    plates before anything is drawn: displays that get every frame are recordings, the others show. ``named`` tells
    what is written of a plate.
    """

    def __init__(
        self,
        displays: Sequence[Display],
        places: int,
        on_delivered: Callable[[], None],
        on_crash: Callable[[BaseException], None],
        *,
        patient: bool,
        blurring: Blurring | None = None,
        named: Callable[[str], str] = str,
    ) -> None:
        self._places = places
        self._patient = patient
        self._blurring = blurring
        self._named = named
        self._on_delivered = on_delivered
        self._on_crash = on_crash
        self._looked_at_s: float | None = None
        self._feeds = [Feed(display, places, on_crash, patient=patient) for display in displays]
        self._queue: collections.deque[ShownFrame] = collections.deque()
        self._condition = threading.Condition()
        self._closing = False
        self._thread = threading.Thread(target=self._run, name="screen", daemon=True)
        self._thread.start()

    def has_room(self) -> bool:
        """Whether another frame may wait to be drawn; a patient screen's source waits instead."""
        return self._patient or len(self._queue) < self._places

    def put(self, shown: ShownFrame) -> None:
        """Let a frame be drawn and displayed; returns at once."""
        with self._condition:
            self._queue.append(shown)
            self._condition.notify()

    def closed_by_user(self) -> bool:
        """Whether the user closed a display and so wants the end."""
        return any(feed.display.closed_by_user() for feed in self._feeds)

    def close(self, timeout_s: float) -> None:
        """Show what waits and close all displays."""
        end_s = time.monotonic() + timeout_s
        with self._condition:
            self._closing = True
            self._condition.notify()
        self._thread.join(timeout_s)
        for feed in self._feeds:
            feed.finish()
        for feed in self._feeds:
            if not feed.join(max(end_s - time.monotonic(), 0.1)):
                _LOG.warning("%s does not end in time", feed.display.name)
            if feed.missed:
                _LOG.warning("%s lacks %d frames: it could not keep up", feed.display.name, feed.missed)

    def _run(self) -> None:
        try:
            while self._deliver_next():
                self._on_delivered()
        except BaseException as error:
            self._on_crash(error)
            raise

    def _deliver_next(self) -> bool:
        with self._condition:
            self._condition.wait_for(lambda: self._queue or self._closing)
            if not self._queue:
                return False
            shown = self._queue.popleft()
        captured_s = shown.frame.captured_monotonic_s
        if self._looked_at_s is None or shown.outcome is Outcome.ANNOTATED:
            self._looked_at_s = captured_s
        blind = captured_s - self._looked_at_s > _BLIND_AFTER_S
        blurring = self._blurring
        if blurring is None or not (blurring.shown or blurring.recorded):
            self._feed(self._lettered(shown), [feed for feed in self._feeds if feed.alive], blind=blind)
            return True
        blurred, shown = self._lettered(blurring.apply(shown)), self._lettered(shown)
        for recorded, is_blurred in ((False, blurring.shown), (True, blurring.recorded)):
            feeds = [feed for feed in self._feeds if feed.alive and feed.display.every_frame == recorded]
            self._feed(blurred if is_blurred else shown, feeds, blind=blind)
        return True

    def _lettered(self, shown: ShownFrame) -> ShownFrame:
        """The frame with what is to be written of its plates."""
        boxes = tuple(replace(t, text=self._named(t.text)) if t.text else t for t in shown.boxes)
        return shown if boxes == shown.boxes else replace(shown, boxes=boxes)

    def _feed(self, shown: ShownFrame, feeds: Sequence[Feed], *, blind: bool) -> None:
        if feeds:
            annotated = draw(shown, blind=blind)
            for feed in feeds:
                feed.put(shown, annotated)
