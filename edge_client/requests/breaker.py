"""Leaves an API alone for a moment when it fails again and again, and then probes it with one request."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

from edge_client.config import PoolSettings

_PROBE_WAIT_S = 0.5


class Breaker:
    """Shut after failures in a row, for a time that doubles with every failed probe; safe for all threads."""

    def __init__(self, settings: PoolSettings, clock: Callable[[], float] = time.monotonic) -> None:
        self._settings = settings
        self._clock = clock
        self._condition = threading.Condition()
        self._failures = 0
        self._failing_since_s: float | None = None
        self._pause_s = settings.pause_s
        self._shut_until_s: float | None = None
        self._probing = False
        self._failed_probes = 0
        self._reason = ""
        self._passing = False
        self._closed = False

    def enter(self) -> bool:
        """Whether to send a request now; while shut, one probe may pass when the pause is over."""
        with self._condition:
            if self._shut_until_s is None:
                return True
            if self._probing or self._clock() < self._shut_until_s:
                return False
            self._probing = True
            return True

    def succeeded(self) -> None:
        """Note an answer: all is well again."""
        with self._condition:
            self._failures = 0
            self._failing_since_s = None
            self._shut_until_s = None
            self._probing = False
            self._failed_probes = 0
            self._pause_s = self._settings.pause_s
            self._reason = ""
            self._condition.notify_all()

    def failed(self, reason: str, *, passing: bool = True, wish_s: float | None = None) -> None:
        """Note a failure; ``reason`` is shown as the API's state, ``passing`` says that waiting may help.

        A pause that it brings lasts as long as the server wishes (``Retry-After``), within the longest one set.
        """
        with self._condition:
            self._passing = passing
            now_s = self._clock()
            self._failures += 1
            self._reason = reason
            if self._failing_since_s is None:
                self._failing_since_s = now_s
            if self._probing:
                self._probing = False
                self._failed_probes += 1
                self._pause_s = min(2 * self._pause_s, self._settings.max_pause_s)
                self._shut_until_s = now_s + self._pause(wish_s)
            elif self._shut_until_s is None and self._failures >= self._settings.failures_to_pause:
                self._shut_until_s = now_s + self._pause(wish_s)
            self._condition.notify_all()

    def _pause(self, wish_s: float | None) -> float:
        return min(max(self._pause_s, wish_s or 0.0), self._settings.max_pause_s)

    def may_pass(self, patience_s: float) -> bool:
        """Whether it is an outage that began less than this time ago, so that waiting may help."""
        with self._condition:
            since_s = self._failing_since_s
            if self._closed or since_s is None or not self._passing:
                return since_s is None and patience_s > 0 and not self._closed
            return self._clock() - since_s < patience_s

    @property
    def reason(self) -> str:
        """Why the last request failed; empty when it went well."""
        return self._reason

    @property
    def shut(self) -> bool:
        """Whether requests are being held back."""
        return self._shut_until_s is not None

    def wait(self) -> bool:
        """Wait until another try may be worth it; False when the drive is ending."""
        with self._condition:
            if not self._closed:
                pause_s = _PROBE_WAIT_S
                if self._shut_until_s is not None and not self._probing:
                    pause_s = max(self._shut_until_s - self._clock(), 0.001)
                self._condition.wait(pause_s)
            return not self._closed

    @property
    def failed_probes(self) -> int:
        """Probes that failed in a row."""
        return self._failed_probes

    def retry_now(self) -> None:
        """The network has changed: probe at once, and begin with short pauses again."""
        with self._condition:
            self._pause_s = self._settings.pause_s
            if self._shut_until_s is not None:
                self._shut_until_s = min(self._shut_until_s, self._clock())
            self._condition.notify_all()

    def close(self) -> None:
        """Wake all who wait: the drive is ending."""
        with self._condition:
            self._closed = True
            self._condition.notify_all()
