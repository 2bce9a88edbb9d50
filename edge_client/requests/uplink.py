"""Decides how much is sent over the uplink, from how long its answers take. Pure: observations in, targets out.

Requests in flight follow additive increase, multiplicative decrease (Chiu and Jain, 1989): one more per round
trip while answers come without queueing, six tenths after a round in which they queued or failed. Queueing is
told by the delay over the least one of the last seconds, as TCP Vegas does (Brakmo and Peterson, 1995), so that
the window ends near the product of rate and round trip however slow or far away the far end is. JPEG quality
goes down by a part where too few answers come over a narrow network, and up again a little at a time.
"""

from __future__ import annotations

import math
from collections import deque
from dataclasses import dataclass

_WANTED_HZ = 8.0
"""Inferred frames a second that tracking does well with: finer pictures are worth no fewer."""
_DECREASE = 0.6
_COARSER = 0.85
_FINER = 2.0
_ROUND_S = 0.5
_QUEUE_PART = 0.25
"""Part of the deadline that an answer may queue for."""
_FULL_PART = 0.8
"""Part of the deadline that an answer may take altogether, where the distance leaves so much."""
_LEAST_QUEUE_PART = 0.1
_LATE_PART = 0.9
_SLICE_S = 4.0
_SLICES = 4
_LONE_ANSWERS = 3
_PACE = 1.25
"""Frames are offered a little faster than they are answered, so that stride alone never slows anything."""
_SMOOTHING = 0.125
_NETWORK_BOUND = 0.5
_FIRST_WINDOW = 2.0
_LEAST_TIMEOUT_S = 3.0
_TIMEOUT_LATENCIES = 5.0
_MOST_BACKOFF = 8.0
_ENOUGH = 5


@dataclass(frozen=True, slots=True)
class Limits:
    """What the controller may choose from. ``deadline_s`` is the display's, from capture on."""

    max_in_flight: int
    best_quality: int
    least_quality: int
    deadline_s: float
    timeout_s: float


@dataclass(frozen=True, slots=True)
class Observation:
    """One request that has ended: its times by one clock, its size, and how many were in flight as it began.

    ``server_s`` is the part of it that the server spent, where it says so. ``answered`` is false when it failed
    for lack of network or time. ``frame`` tells a frame's from a crop's, whose reading takes longer. ``connected``: a
    new connection was made for it, which takes round trips of its own.
    """

    sent_s: float
    ended_s: float
    size_bytes: int
    in_flight: int
    answered: bool = True
    frame: bool = True
    server_s: float | None = None
    connected: bool = False

    @property
    def latency_s(self) -> float:
        """From the first byte sent to the last one received."""
        return self.ended_s - self.sent_s


@dataclass(frozen=True, slots=True)
class Targets:
    """What to do now: requests in flight, every how many-th frame to send, JPEG quality, and patience."""

    in_flight: int
    stride: int
    jpeg_quality: int
    timeout_s: float


class Uplink:
    """The state of the controller; driven by one thread at a time."""

    def __init__(self, limits: Limits) -> None:
        self._limits = limits
        self._window = min(_FIRST_WINDOW, float(limits.max_in_flight))
        self._starting = True
        self._quality = float(limits.best_quality)
        self._least = _LeastOf()
        self._latency_s: float | None = None
        self._answers = 0
        self._lone_slow: list[float] = []
        self._decreased_s = -math.inf
        self._round = _Round(-math.inf)
        self._throughput = _Throughput()
        self._backoff = 1.0
        self.decreases = 0

    @property
    def round_trip_s(self) -> float | None:
        """The least time of an answer in the last seconds; None before the first one."""
        return self._least.value

    @property
    def throughput_bps(self) -> float | None:
        """Bits a second that were acknowledged while requests were in flight; None before the first answer."""
        return self._throughput.value_bps

    def observe(self, seen: Observation) -> None:
        """Take a request's end in; they come in the order of their ends."""
        self._throughput.add(seen)
        if not seen.answered:
            if seen.sent_s >= self._decreased_s and seen.latency_s >= 0.9 * self._timeout_s():
                self._backoff = min(2 * self._backoff, _MOST_BACKOFF)  # a server may have become slower
            self._decrease(seen, failed=True)
            return
        self._backoff = 1.0
        if not seen.frame or seen.connected:
            return
        self._answers += 1
        latency_s = seen.latency_s
        before_s = self._latency_s
        self._latency_s = latency_s if before_s is None else before_s + _SMOOTHING * (latency_s - before_s)
        queued = self._queued(seen)
        self._least.add(latency_s, seen.ended_s)
        if queued:
            self._decrease(seen)
        elif seen.in_flight >= int(self._window):
            self._window += 1.0 if self._starting else 1.0 / self._window
            self._window = min(self._window, float(self._limits.max_in_flight))
        self._round.add(seen, queued=queued)
        if seen.ended_s - self._round.begun_s >= max(_ROUND_S, latency_s):
            self._judge(self._round, seen.ended_s)
            self._round = _Round(seen.ended_s)

    def targets(self, frame_rate_hz: float) -> Targets:
        """What to do with frames that come at this rate."""
        stride = 1
        if self._latency_s is not None and self._answers >= _ENOUGH:
            pace_hz = _PACE * self._window / max(self._latency_s, 1e-3)
            stride = max(1, int(frame_rate_hz / pace_hz))
        return Targets(int(self._window), stride, round(self._quality), self._timeout_s())

    def _timeout_s(self) -> float:
        if self._latency_s is None or self._answers < _ENOUGH:
            return self._limits.timeout_s
        wanted_s = self._backoff * (_LEAST_TIMEOUT_S + _TIMEOUT_LATENCIES * self._latency_s)
        return min(wanted_s, self._limits.timeout_s)

    def _queued(self, seen: Observation) -> bool:
        """Whether an answer waited behind others of ours. One that was alone can only tell a new distance."""
        least_s, deadline_s = self._least.value, self._limits.deadline_s
        if least_s is None:
            return False
        most_s = least_s + _QUEUE_PART * deadline_s
        if least_s < (_FULL_PART - _LEAST_QUEUE_PART) * deadline_s:
            most_s = min(most_s, max(_FULL_PART * deadline_s, least_s + _LEAST_QUEUE_PART * deadline_s))
        if seen.latency_s <= most_s:
            self._lone_slow.clear()
            return False
        if seen.in_flight > 1:
            return True
        self._lone_slow.append(seen.latency_s)
        if len(self._lone_slow) >= _LONE_ANSWERS:
            self._least.restart(min(self._lone_slow), seen.ended_s)
            self._lone_slow.clear()
        return False

    def _decrease(self, seen: Observation, *, failed: bool = False) -> None:
        """Once for all that was on its way: what was sent before the last decrease tells nothing new."""
        if seen.sent_s < self._decreased_s:
            return
        self._decreased_s = seen.ended_s
        self._window = max(1.0, self._window * _DECREASE)
        self._starting = failed  # after an outage the window is found anew
        self.decreases += 1

    def _judge(self, over: _Round, now_s: float) -> None:
        limits = self._limits
        rate_hz = over.answers / max(now_s - over.begun_s, 1e-3)
        late = over.least_s > _LATE_PART * limits.deadline_s
        if over.network_bound and (late or (over.queued and rate_hz < _WANTED_HZ)):
            self._quality = max(float(limits.least_quality), self._quality * _COARSER)
            return
        enough = rate_hz >= _WANTED_HZ or self._window >= limits.max_in_flight or not over.network_bound
        if enough and not over.queued and not late:
            self._quality = min(float(limits.best_quality), self._quality + _FINER)


class _Round:
    """What was seen since the quality was last judged."""

    def __init__(self, begun_s: float) -> None:
        self.begun_s = begun_s
        self.answers = 0
        self.queued = False
        self.least_s = math.inf
        self._network_s = 0.0
        self._latency_s = 0.0

    @property
    def network_bound(self) -> bool:
        """Whether most of the time was spent on the way."""
        return self._network_s > _NETWORK_BOUND * self._latency_s

    def add(self, seen: Observation, *, queued: bool) -> None:
        self.answers += 1
        self.queued = self.queued or queued
        self.least_s = min(self.least_s, seen.latency_s)
        self._latency_s += seen.latency_s
        self._network_s += seen.latency_s - min(seen.server_s or 0.0, seen.latency_s)


class _LeastOf:
    """The least value of the last seconds, by slices of time."""

    def __init__(self) -> None:
        self._slices: deque[tuple[int, float]] = deque(maxlen=_SLICES)

    @property
    def value(self) -> float | None:
        return min((v for _, v in self._slices), default=None)

    def add(self, value: float, now_s: float) -> None:
        at = int(now_s / _SLICE_S)
        while self._slices and self._slices[0][0] <= at - _SLICES:
            self._slices.popleft()
        if self._slices and self._slices[-1][0] >= at:
            value = min(value, self._slices.pop()[1])
        self._slices.append((at, value))

    def restart(self, value: float, now_s: float) -> None:
        self._slices.clear()
        self.add(value, now_s)


class _Throughput:
    """Bits a second over the time in which requests were in flight, the older ones counting less and less."""

    _HALF_LIFE_S = 2.0

    def __init__(self) -> None:
        self._bits = 0.0
        self._busy_s = 0.0
        self._until_s = -math.inf

    @property
    def value_bps(self) -> float | None:
        return self._bits / self._busy_s if self._busy_s > 0 else None

    def add(self, seen: Observation) -> None:
        busy_s = max(seen.ended_s - max(seen.sent_s, self._until_s), 0.0)
        self._until_s = max(self._until_s, seen.ended_s)
        fade = 0.5 ** (busy_s / self._HALF_LIFE_S)
        self._bits = fade * self._bits + (8.0 * seen.size_bytes if seen.answered else 0.0)
        self._busy_s = fade * self._busy_s + busy_s
