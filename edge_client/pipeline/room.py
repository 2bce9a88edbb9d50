"""Limits how many frames are in flight: the source waits while there is no room."""

from __future__ import annotations

import threading


class Room:
    """Places for frames; safe for all threads."""

    def __init__(self, places: int) -> None:
        self._condition = threading.Condition()
        self._places = places
        self._free = places
        self._closed = False

    def enter(self) -> bool:
        """Wait for a place and take it; False when the room was closed."""
        with self._condition:
            self._condition.wait_for(lambda: self._free > 0 or self._closed)
            if self._closed:
                return False
            self._free -= 1
            return True

    def limit(self, places: int) -> None:
        """Have at most so many places in all from now on."""
        with self._condition:
            self._free += min(places - self._places, 0)
            self._places = min(places, self._places)

    def leave(self) -> None:
        """Give a place back."""
        with self._condition:
            self._free += 1
            self._condition.notify()

    def close(self) -> None:
        """Let nobody in any more and wake who waits."""
        with self._condition:
            self._closed = True
            self._condition.notify_all()
