"""A store that tells others of each read, such as the page and the summary."""

from __future__ import annotations

from collections.abc import Callable

from edge_client.types import ReadStore, TrackRead


class PublishingStore:
    """Saves into another store and then tells the listeners, which must not block."""

    def __init__(self, store: ReadStore, *listeners: Callable[[TrackRead], None]) -> None:
        """`listeners` are called in order with each read, also with one whose saving failed for now."""
        self._store = store
        self._listeners = listeners

    def save(self, read: TrackRead) -> None:
        """As the store behind it, whose errors come through."""
        try:
            self._store.save(read)
        finally:
            for listener in self._listeners:
                listener(read)

    def close(self) -> None:
        """Closes the store behind it."""
        self._store.close()
