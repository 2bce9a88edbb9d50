"""Takes the jitter of a serial line, a daemon and a busy machine out of the times at which fixes arrive."""

from __future__ import annotations

from collections import deque

_KEPT = 60
_GREATEST_JITTER_S = 1.5


class DelayFilter:
    """Maps a sender's clock to the local one by the least delayed of the last arrivals."""

    def __init__(self) -> None:
        self._offsets_s: deque[float] = deque(maxlen=_KEPT)

    def steady_s(self, sent_s: float, arrived_s: float) -> float:
        """When something sent at ``sent_s`` (the sender's clock) would have arrived here with the least delay.

        Never later than it arrived. A difference that no line explains is a clock that was set: it starts anew.
        """
        offset_s = arrived_s - sent_s
        if self._offsets_s and abs(offset_s - min(self._offsets_s)) > _GREATEST_JITTER_S:
            self._offsets_s.clear()
        self._offsets_s.append(offset_s)
        return sent_s + min(self._offsets_s)
