"""Notices that a camera's own video stays away while its pictures come."""

from __future__ import annotations

from collections.abc import Callable

_SILENT_S = 6.0
"""A camera that encodes gives many packets a second."""
_LONGEST_STEP_S = 1.0
"""Of a longer pause between two pictures only this much counts: then the camera itself was away."""


class Silence:
    """Counts the time during which pictures come and packets do not, by the times of the pictures.

    ``failure`` says why there are none, if the camera knows; all calls come from one thread.
    """

    def __init__(self, failure: Callable[[], str]) -> None:
        self._failure = failure
        self._last_s: float | None = None
        self._silent_s = 0.0

    def packet(self) -> None:
        """A packet came."""
        self._silent_s = 0.0

    def picture(self, monotonic_s: float) -> str:
        """A picture of this time came; gives why no video is to be expected, empty while all is well."""
        if self._last_s is not None:
            self._silent_s += min(max(monotonic_s - self._last_s, 0.0), _LONGEST_STEP_S)
        self._last_s = monotonic_s
        told = self._failure()
        return told or ("the camera gives pictures but no video" if self._silent_s > _SILENT_S else "")
