"""What a receiver of events is to the courier, and what can go wrong with one.

The messages of these errors go into the log: they name hosts, never whole URLs, users or passwords.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from edge_client.errors import DashcamError
from edge_client.outbox.box import QueuedEvent


class DeliveryError(DashcamError):
    """Nobody took the event now; ``retry_after_s`` is the receiver's wish, if it stated one."""

    def __init__(self, message: str, retry_after_s: float | None = None) -> None:
        super().__init__(message)
        self.retry_after_s = retry_after_s


class RefusedEventError(DashcamError):
    """The receiver understood the first event and will never take it."""


class Receiver(Protocol):
    """Where events are delivered to. Used from one thread; `close` may come from another."""

    @property
    def name(self) -> str:
        """What tells it from other receivers, also after a restart; holds no secret."""

    @property
    def shown_name(self) -> str:
        """What messages call it."""

    @property
    def batch(self) -> int:
        """How many events it likes to have at once."""

    def deliver(self, events: Sequence[QueuedEvent]) -> int:
        """Hands events over in order; gives how many of them, from the first on, have certainly arrived.

        Raises:
            DeliveryError: not even the first has.
            RefusedEventError: the first never will.
        """

    def close(self) -> None:
        """Gives the connection up; a delivery that runs may fail. Calling it again does nothing."""
