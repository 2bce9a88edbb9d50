"""A live source under a watchdog: started again when it falls silent, breaks off or hangs."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Iterator

from edge_client.config import SourceSettings
from edge_client.errors import SourceError
from edge_client.sources.device import Opener, Picture
from edge_client.sources.reader import Lost, Message, Opened, Reader
from edge_client.sources.state import Lifecycle, Patience, Step
from edge_client.types import Image, SourceState, SourceStatus

_LOG = logging.getLogger(__name__)
_MOST_HANGING = 4
_CLOSE_S = 1.0


class WatchedSource:
    """Pictures of a camera or stream, BGR, over all its restarts; after one they may have another size.

    It is opened at once, by a thread of its own that also reads it. One that hangs in a driver is abandoned: it
    ends by itself or never. A URL whose length is known is a recording that lies elsewhere: it is not live, and
    not opened again once it has ended.

    Raises `SourceError` when it cannot be opened (unless the settings say to wait for it), or stays lost for
    longer than the settings say. The thread that iterates is the watchdog.
    """

    def __init__(self, name: str, opener: Opener, settings: SourceSettings, rate_hz: float) -> None:
        self._name = name
        self._opener = opener
        self._rate_hz = rate_hz
        self._count: int | None = None
        self._skip = settings.frames_to_skip
        self._size: tuple[int, ...] | None = None
        self._picture_s = time.monotonic()
        self._closed = threading.Event()
        self._hanging: list[Reader] = []
        self._life = Lifecycle.begin(
            Patience(
                open_s=settings.open_timeout_s,
                silence_s=settings.read_timeout_s,
                give_up_s=settings.reconnect_s,
                wait_at_start=settings.wait_for_camera,
                longest_pause_s=settings.reconnect_pause_s,
            ),
            time.monotonic(),
        )
        self._reader = Reader(name, opener)
        while self._life.step is Step.OPEN:
            self._go_on()
        if self._life.state is SourceState.ENDED:
            raise SourceError(f"cannot open the {name}: {self._life.reason}")

    @property
    def frame_rate_hz(self) -> float:
        """Frames per second as the source states them, else as expected of it."""
        return self._rate_hz

    @property
    def frame_count(self) -> int | None:
        """Frames of a recording that lies elsewhere, None for what is live."""
        return self._count

    @property
    def live(self) -> bool:
        """Whether frames that are not taken in time are gone."""
        return self._count is None

    @property
    def picture_monotonic_s(self) -> float:
        """When the last picture was taken."""
        return self._picture_s

    def __iter__(self) -> Iterator[Image]:
        while self._life.step is not Step.REST:
            picture = self._go_on()
            if picture is None:
                continue
            if self._skip > 0:
                self._skip -= 1
                continue
            self._picture_s = max(self._picture_s, picture.monotonic_s)
            yield picture.image
        if self._life.reason and self._life.has_run:
            raise SourceError(f"lost the {self._name} and could not open it again: {self._life.reason}")
        if self._life.reason:
            raise SourceError(f"the {self._name} gives no picture: {self._life.reason}")

    def status(self) -> SourceStatus:
        """Where the source stands."""
        life = self._life
        return (life.ended() if self._closed.is_set() else life).status()

    def close(self) -> None:
        """Close the source; one that hangs is left to itself."""
        self._closed.set()
        reader = self._reader
        reader.abandon()
        if self._life.state is SourceState.RUNNING:  # a camera that works is given back in order
            reader.join(_CLOSE_S)

    def _go_on(self) -> Picture | None:
        """Wait for what the current step is about, and let the state follow; a picture if one came."""
        left_s = self._life.deadline_s - time.monotonic()
        if self._life.step is Step.PAUSE:
            self._closed.wait(max(left_s, 0.0))
            message = None
        else:
            message = self._reader.take(left_s)
        if self._closed.is_set():
            self._life = self._life.ended()
            return None
        self._follow(self._next(message, time.monotonic()))
        return message if isinstance(message, Picture) else None

    def _next(self, message: Message | None, now_s: float) -> Lifecycle:
        life = self._life
        match message:
            case Opened(rate_hz, count):
                if rate_hz is not None:
                    self._rate_hz = rate_hz
                if not life.has_run:
                    self._count = count
                return life.opened(now_s)
            case Picture(image):
                self._note_size(image)
                return life.pictured(now_s)
            case Lost(reason):
                return life.failed(now_s, reason) if self.live else life.ended()
            case None:
                late = life.due(now_s)
                # What lies elsewhere would begin again at its start.
                return late if self.live or late is life else life.ended(late.reason)

    def _follow(self, new: Lifecycle) -> None:
        """Do what the new state asks for: let go of the reader, or start another one."""
        old = self._life
        if new.step is Step.OPEN and old.step is Step.PAUSE:
            new = self._open_again(new)
        elif new.step in (Step.PAUSE, Step.REST) and old.step is not new.step:
            self._reader.abandon()
            self._hanging.append(self._reader)
        self._life = new
        self._tell(old, new)

    def _open_again(self, life: Lifecycle) -> Lifecycle:
        self._hanging = [reader for reader in self._hanging if reader.alive]
        if len(self._hanging) >= _MOST_HANGING:  # each holds a thread, and most likely the camera
            return life.failed(time.monotonic(), f"its driver hangs, {len(self._hanging)} readers are stuck in it")
        self._reader = Reader(self._name, self._opener)
        if self._closed.is_set():  # closed meanwhile, which only reached the reader before
            self._reader.abandon()
        return life

    def _tell(self, old: Lifecycle, new: Lifecycle) -> None:
        if new.state is SourceState.RUNNING and old.lost_s is not None:
            after_s = time.monotonic() - old.lost_s
            _LOG.debug("the %s is back after %.1f s (restart %d)", self._name, after_s, new.restarts)
        elif new.step is Step.PAUSE and (new.state, new.reason) != (old.state, old.reason):
            _LOG.debug("the %s is %s: %s; starting it again", self._name, new.state, new.reason)

    def _note_size(self, image: Image) -> None:
        size = image.shape[:2]
        if self._size is not None and size != self._size:
            (old_height, old_width), (height, width) = self._size, size
            _LOG.warning("the %s now gives %d×%d after %d×%d", self._name, width, height, old_width, old_height)
        self._size = size
