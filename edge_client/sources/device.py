"""What a live source is to the one who reads it, whatever lies behind it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol, runtime_checkable

from edge_client.types import Image


@dataclass(frozen=True, slots=True, eq=False)
class Picture:
    """One picture, BGR, and when it was taken on the clock of `time.monotonic`."""

    image: Image
    monotonic_s: float


class Device(Protocol):
    """An opened camera or stream. All but ``interrupt`` is called from the one thread that opened it."""

    @property
    def frame_rate_hz(self) -> float | None:
        """As it states it, None where it states nonsense."""

    @property
    def frame_count(self) -> int | None:
        """Frames of a recording that lies elsewhere, None for what is live."""

    def read(self) -> Picture | None:
        """The next picture; None at the end or when interrupted. May hang for as long as a driver likes.

        Raises `SourceError` with the reason when there will be no more.
        """

    def interrupt(self) -> None:
        """Let a read that is under way, and all later ones, end as soon as can be; from any thread, never waits."""

    def close(self) -> None:
        """Give everything back. May hang too."""


Opener = Callable[[], Device]
"""Opens a device, or raises `SourceError` with the reason."""


@runtime_checkable
class TimedSource(Protocol):
    """A source that knows when the picture it yielded last was taken, better than the one who takes it."""

    @property
    def picture_monotonic_s(self) -> float:
        """Capture time of the last picture, on the clock of `time.monotonic`; asked by the thread that iterates."""
