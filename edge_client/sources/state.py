"""The life of a live source as pure transitions: what happened goes in, what is to be done comes out.

One value, `Lifecycle`, says where a source stands and which step its owner has to take. Whoever owns the camera
(`edge_client.sources.watched`) takes the steps and reports back; nothing here opens, reads or waits.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Self

from edge_client.types import SourceState, SourceStatus

_MOST_DOUBLINGS = 30


class Step(StrEnum):
    """What the owner does until `Lifecycle.deadline_s`."""

    OPEN = "open"  # wait for the source to open
    READ = "read"  # wait for a picture
    PAUSE = "pause"  # have nothing open
    REST = "rest"  # nothing, for good


@dataclass(frozen=True, slots=True)
class Patience:
    """How long to wait for what, in seconds.

    ``give_up_s`` is how long a lost source is tried again, None for ever. One that never gave a picture is not
    tried again, unless ``wait_at_start``.
    """

    open_s: float = 10.0
    silence_s: float = 5.0
    give_up_s: float | None = None
    wait_at_start: bool = False
    first_pause_s: float = 0.2
    longest_pause_s: float = 10.0

    def pause_s(self, failures: int) -> float:
        """The pause after so many failures in a row: doubled each time, up to the longest."""
        return min(self.first_pause_s * 2.0 ** min(failures, _MOST_DOUBLINGS), self.longest_pause_s)


@dataclass(frozen=True, slots=True)
class Lifecycle:
    """Where a source stands at a moment of the monotonic clock.

    Stalled is a source that can be opened but gives no picture, reconnecting one that ended or cannot be opened.
    ``failures`` are those in a row, ``lost_s`` when the pictures ceased (None while they come), ``running_s``
    when they began to come, and ``restarts`` how often it was opened after the first time. An ended one stays so,
    and what comes too late for the step that is being taken changes nothing.
    """

    patience: Patience
    state: SourceState
    step: Step
    deadline_s: float
    restarts: int = 0
    failures: int = 0
    lost_s: float | None = None
    running_s: float | None = None
    reason: str = ""

    @classmethod
    def begin(cls, patience: Patience, now_s: float) -> Self:
        """A source that is being opened for the first time."""
        return cls(patience, SourceState.STARTING, Step.OPEN, now_s + patience.open_s)

    @property
    def has_run(self) -> bool:
        """Whether a picture ever came."""
        return self.running_s is not None

    def status(self) -> SourceStatus:
        """What others are shown."""
        return SourceStatus(self.state, self.restarts, self.reason)

    def opened(self, now_s: float) -> Self:
        """It is open; the first picture is to come."""
        if self.step is not Step.OPEN:
            return self
        return replace(self, step=Step.READ, deadline_s=now_s + self.patience.silence_s)

    def pictured(self, now_s: float) -> Self:
        """A picture came."""
        if self.step is not Step.READ:
            return self
        running_s = self.running_s if self.state is SourceState.RUNNING else now_s
        return replace(
            self,
            state=SourceState.RUNNING,
            deadline_s=now_s + self.patience.silence_s,
            running_s=running_s,
            lost_s=None,
            reason="",
        )

    def failed(self, now_s: float, reason: str) -> Self:
        """It could not be opened, or it ended by itself."""
        if self.step not in (Step.OPEN, Step.READ):
            return self
        return self._lost(now_s, SourceState.RECONNECTING, reason)

    def due(self, now_s: float) -> Self:
        """The deadline has passed: the watchdog bites, or the pause is over."""
        if now_s < self.deadline_s:
            return self
        if self.step is Step.OPEN:
            return self._lost(now_s, SourceState.RECONNECTING, f"did not open within {self.patience.open_s:g} s")
        if self.step is Step.READ:
            return self._lost(now_s, SourceState.STALLED, f"no picture for {self.patience.silence_s:g} s")
        if self.step is Step.PAUSE:
            return replace(self, step=Step.OPEN, restarts=self.restarts + 1, deadline_s=now_s + self.patience.open_s)
        return self

    def ended(self, reason: str = "") -> Self:
        """It came to its end, or was closed."""
        if self.state is SourceState.ENDED:
            return self
        return replace(self, state=SourceState.ENDED, step=Step.REST, deadline_s=math.inf, reason=reason)

    def _lost(self, now_s: float, state: SourceState, reason: str) -> Self:
        patience = self.patience
        if not self.has_run and not patience.wait_at_start:
            return self.ended(reason)
        was_steady = (
            self.state is SourceState.RUNNING
            and self.running_s is not None
            and now_s - self.running_s >= patience.longest_pause_s
        )
        # One that breaks again and again after a picture or two must not be opened five times a second.
        failures = 0 if was_steady else self.failures
        lost_s = now_s if self.lost_s is None else self.lost_s
        next_s = now_s + patience.pause_s(failures)
        if self.has_run and patience.give_up_s is not None:
            give_up_s = lost_s + patience.give_up_s
            if now_s >= give_up_s:
                return replace(self.ended(reason), lost_s=lost_s)
            next_s = min(next_s, give_up_s)
        return replace(
            self,
            state=state,
            step=Step.PAUSE,
            deadline_s=next_s,
            failures=failures + 1,
            lost_s=lost_s,
            reason=reason,
        )
