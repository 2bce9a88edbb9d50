"""Plays a recording at its own speed, on a schedule that does not drift."""

from __future__ import annotations

import threading
import time

_LARGEST_LAG_S = 1.0


class Pacing:
    """Frame ``n`` is due ``n`` frame times after the first; a schedule that is far behind begins anew."""

    def __init__(self, frame_rate_hz: float) -> None:
        self._period_s = 1.0 / frame_rate_hz
        self._start_s: float | None = None

    def wait(self, index: int, stop: threading.Event) -> bool:
        """Wait until the frame is due; False when ``stop`` was set."""
        now_s = time.monotonic()
        if self._start_s is None:
            self._start_s = now_s - index * self._period_s
        due_s = self._start_s + index * self._period_s
        if now_s - due_s > _LARGEST_LAG_S:
            self._start_s += now_s - due_s
        return not stop.wait(due_s - now_s) if due_s > now_s else not stop.is_set()
