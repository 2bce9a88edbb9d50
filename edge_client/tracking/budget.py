"""How many requests may be made in a time: a bucket that fills with tokens steadily."""

from __future__ import annotations


class TokenBucket:
    """``rate_hz`` tokens come in each second, at most ``size`` wait; times are media seconds, from any begin."""

    def __init__(self, rate_hz: float, size: float) -> None:
        self._rate_hz = rate_hz
        self._size = max(size, 1.0)
        self._tokens = self._size
        self._at_s: float | None = None

    def take(self, now_s: float, leave: float = 0.0) -> bool:
        """Take one token if there is one, and that part of the bucket, 0..1, is left for others then.

        A time before the last one adds none.
        """
        if self._at_s is None or now_s > self._at_s:
            gained = 0.0 if self._at_s is None else (now_s - self._at_s) * self._rate_hz
            self._tokens = min(self._tokens + gained, self._size)
            self._at_s = now_s
        if self._tokens < 1.0 + leave * (self._size - 1.0):
            return False
        self._tokens -= 1.0
        return True

    def give_back(self) -> None:
        """A token was taken for nothing."""
        self._tokens = min(self._tokens + 1.0, self._size)
