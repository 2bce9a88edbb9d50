"""A receiver that is listened to while driving: it may be unplugged, silent or without a fix at any time."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from edge_client.errors import PositionError
from edge_client.positions.history import FixHistory
from edge_client.types import Fix, GpsState, GpsStatus

_LOG = logging.getLogger(__name__)
_FIRST_PAUSE_S = 0.5
_LONGEST_PAUSE_S = 15.0
_CLOSING_S = 1.0
_TALKING_S = 5.0
_VOID_S = 1.5
"""With mixed talkers one satellite system may be void in the very moment in which the others have a fix."""


@dataclass(frozen=True, slots=True)
class Heard:
    """What came from a receiver at once: a fix (or more of the last one), or word that it has none.

    ``broken`` is true for a line that is no intact sentence; ``notice`` says what is wrong, empty if nothing is any
    more, None if that has not changed.
    """

    fix: Fix | None = None
    void: bool = False
    broken: bool = False
    notice: str | None = None


class Link(Protocol):
    """A way to a receiver."""

    @property
    def name(self) -> str:
        """What messages call it."""

    def listen(self) -> Iterator[Heard]:
        """Connect and hear until it is lost: then `PositionError` says why. Disconnects when it is closed."""

    def interrupt(self) -> None:
        """Let a `listen` that waits end soon; from any thread."""


class Receiver:
    """Listens on a thread of its own, from the start; connects again after growing pauses, for ever.

    ``on_fix`` gets each new fix with a time once, from that thread.
    """

    def __init__(
        self,
        link: Link,
        history: FixHistory,
        max_age_s: float,
        on_fix: Callable[[Fix], None] = lambda fix: None,
        *,
        first_pause_s: float = _FIRST_PAUSE_S,
    ) -> None:
        self._link = link
        self._history = history
        self._max_age_s = max_age_s
        self._on_fix = on_fix
        self._first_pause_s = first_pause_s
        self._stop = threading.Event()
        self._connected = False
        self._notice = ""
        self._rejected = 0
        self._void_s = float("-inf")
        self._told_utc: datetime | None = None
        self._thread = threading.Thread(target=self._run, name="positions", daemon=True)
        self._thread.start()

    def at(self, media_time_s: float, monotonic_s: float) -> Fix | None:
        """The position at a capture, as it is known by now."""
        return self._history.at(monotonic_s)

    def utc_at(self, media_time_s: float) -> datetime | None:
        """None: the time of a drive is told by its clock, which gets the fixes."""
        return None

    def status(self) -> GpsStatus:
        """Where the receiver stands; ``rejected`` lines were broken, or fixes that nobody could have driven to."""
        now_s = time.monotonic()
        fix = self._history.latest
        age_s = max(now_s - fix.monotonic_s, 0.0) if fix is not None else None
        if not self._connected:
            state = GpsState.CONNECTING
        elif age_s is not None and age_s <= self._max_age_s and self._void_s <= now_s - age_s + _VOID_S:
            state = GpsState.FIX
        elif fix is None or now_s - self._void_s <= _TALKING_S:
            state = GpsState.SEARCHING
        else:
            state = GpsState.STALE
        reason = self._notice
        if not reason and state is GpsState.SEARCHING:
            reason = f"{self._link.name} has no fix"
        if not reason and state is GpsState.STALE:
            reason = f"{self._link.name} told nothing new for {age_s or 0.0:.0f} s"
        return GpsStatus(state, fix, age_s, self._rejected, reason)

    def close(self) -> None:
        """End listening; a device that does not let go is left to itself after a second."""
        self._stop.set()
        self._link.interrupt()
        self._thread.join(_CLOSING_S)

    def _run(self) -> None:
        pause_s = self._first_pause_s
        while not self._stop.is_set():
            heard_well = False
            listening = self._link.listen()
            try:
                for heard in listening:
                    self._take(heard)
                    heard_well = heard_well or not heard.broken
                    if self._stop.is_set():
                        return
            except PositionError as error:
                self._lost(str(error))
            except Exception as error:  # noqa: BLE001 - whatever a device says, the next words may be good ones
                self._lost(
                    f"{self._link.name} said what cannot be understood: {type(error).__name__}: {str(error)[:100]}"
                )
            finally:
                close = getattr(listening, "close", None)
                if close is not None:
                    close()
            self._connected = False
            pause_s = self._first_pause_s if heard_well else min(2 * pause_s, _LONGEST_PAUSE_S)
            self._stop.wait(pause_s)

    def _lost(self, reason: str) -> None:
        if self._stop.is_set():
            return
        if reason != self._notice:
            _LOG.warning("no positions: %s; it is tried again", reason)
        self._notice = reason

    def _take(self, heard: Heard) -> None:
        self._connected = True
        if heard.notice is not None:
            if heard.notice and heard.notice != self._notice:
                _LOG.warning("positions: %s", heard.notice)
            self._notice = heard.notice
        self._rejected += heard.broken
        if heard.void:
            self._void_s = time.monotonic()
        if heard.fix is None:
            return
        if not self._history.put(heard.fix):
            self._rejected += 1
            return
        if heard.fix.utc is not None and heard.fix.utc != self._told_utc:
            self._told_utc = heard.fix.utc
            self._on_fix(heard.fix)
