"""The button that locks a recording: whoever sees that something happened presses it."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType
from typing import Protocol


class Lockable(Protocol):
    """What the button works on."""

    def lock(self, reason: str) -> None:
        """Keeps the segment of this moment; waits for nothing."""


class LockButton:
    """Passes on to the recording of the drive, if there is one. May be pressed from any thread or signal handler."""

    def __init__(self) -> None:
        self._recorder: Lockable | None = None

    def connect(self, recorder: Lockable | None) -> None:
        """What is locked from now on; None at the end of its drive."""
        self._recorder = recorder

    def lock(self, reason: str) -> bool:
        """Keeps the segment of this moment for good; False when nothing is recorded."""
        recorder = self._recorder
        if recorder is None:
            return False
        recorder.lock(reason)
        return True


@contextmanager
def pressed_by_signal(button: LockButton) -> Iterator[None]:
    """Lets SIGUSR1 press the button meanwhile; only for the main thread."""

    def handle(number: int, frame: FrameType | None) -> None:
        button.lock("signal")

    before = signal.signal(signal.SIGUSR1, handle)
    try:
        yield
    finally:
        signal.signal(signal.SIGUSR1, before)
