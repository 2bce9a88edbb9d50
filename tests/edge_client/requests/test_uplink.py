"""The controller on simulated links: a camera, a queue before a narrow road, a distance, a server."""

from __future__ import annotations

import heapq
import itertools
from dataclasses import dataclass, field

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from edge_client.requests.uplink import Limits, Observation, Targets, Uplink

FRAME_RATE_HZ = 30.0
LIMITS = Limits(max_in_flight=8, best_quality=85, least_quality=40, deadline_s=1.0, timeout_s=10.0)


def size_bytes(quality: int) -> int:
    """About what a reduced grey picture of a road takes."""
    return 5000 + round(6500 * max(quality - 40, 0) / 45)


@dataclass
class Link:
    """What lies between camera and server; may change while the simulation runs."""

    rate_bps: float
    round_trip_s: float
    server_s: float = 0.02
    workers: int = 4
    free_s: float = 0.0
    busy_s: list[float] = field(default_factory=list)

    def send(self, now_s: float, size: int) -> tuple[float, float]:
        """When the answer is there, and what the server says that it took, queueing included."""
        self.free_s = max(self.free_s, now_s) + 8 * size / self.rate_bps
        arrived_s = self.free_s + self.round_trip_s / 2
        self.busy_s = self.busy_s or [0.0] * self.workers
        worker = min(range(self.workers), key=lambda n: self.busy_s[n])
        done_s = max(self.busy_s[worker], arrived_s) + self.server_s
        self.busy_s[worker] = done_s
        return done_s + self.round_trip_s / 2, done_s - arrived_s


@dataclass
class Seen:
    """One frame's way: captured, sent, answered."""

    captured_s: float
    sent_s: float
    ended_s: float
    quality: int

    @property
    def age_s(self) -> float:
        return self.ended_s - self.captured_s


@dataclass
class Drive:
    """The device's rules: every stride-th frame, the newest goes first, the window bounds what is in flight."""

    link: Link
    uplink: Uplink = field(default_factory=lambda: Uplink(LIMITS))
    now_s: float = 0.0
    answers: list[Seen] = field(default_factory=list)
    targets: list[Targets] = field(default_factory=list)
    most_in_flight: int = 0
    _flight: list[tuple[float, int, Seen, Observation]] = field(default_factory=list)
    _order: itertools.count[int] = field(default_factory=itertools.count)
    _waiting: float | None = None
    _next_frame: int = 0
    _last_sent: int = -1000

    def run(self, seconds: float) -> None:
        end_s = self.now_s + seconds
        while self.now_s < end_s:
            frame_s = self._next_frame / FRAME_RATE_HZ
            if self._flight and self._flight[0][0] <= frame_s:
                self.now_s, _, seen, observation = heapq.heappop(self._flight)
                self.uplink.observe(observation)
                self.answers.append(seen)
            else:
                self.now_s = frame_s
                if self._next_frame - self._last_sent >= self.uplink.targets(FRAME_RATE_HZ).stride:
                    self._waiting = frame_s
                self._next_frame += 1
            self._send()

    def _send(self) -> None:
        targets = self.uplink.targets(FRAME_RATE_HZ)
        self.targets.append(targets)
        if self._waiting is None or len(self._flight) >= targets.in_flight:
            return
        size = size_bytes(targets.jpeg_quality)
        ended_s, server_s = self.link.send(self.now_s, size)
        observation = Observation(self.now_s, ended_s, size, len(self._flight) + 1, server_s=server_s)
        seen = Seen(self._waiting, self.now_s, ended_s, targets.jpeg_quality)
        heapq.heappush(self._flight, (ended_s, next(self._order), seen, observation))
        self.most_in_flight = max(self.most_in_flight, len(self._flight))
        self._last_sent = round(self._waiting * FRAME_RATE_HZ)
        self._waiting = None

    def after(self, since_s: float) -> list[Seen]:
        return [s for s in self.answers if s.ended_s >= since_s]


def p(ages: list[float], part: float) -> float:
    return sorted(ages)[min(int(part * len(ages)), len(ages) - 1)]


@settings(max_examples=25)
@given(rate_mbps=st.floats(0.3, 20.0), round_trip_s=st.floats(0.02, 0.8))
def test_results_are_there_in_time_and_the_road_is_used(rate_mbps: float, round_trip_s: float) -> None:
    drive = Drive(Link(1e6 * rate_mbps, round_trip_s))
    drive.run(45.0)
    settled = drive.after(20.0)
    ages = [s.age_s for s in settled]
    finest_s = round_trip_s + 8 * size_bytes(40) / (1e6 * rate_mbps) + 0.02
    if finest_s < 0.7:
        assert p(ages, 0.95) < LIMITS.deadline_s
        assert p(ages, 0.99) < 1.2 * LIMITS.deadline_s
    else:  # what the distance takes, nobody can give back: but little more
        assert p(ages, 0.9) < finest_s + 0.6 * LIMITS.deadline_s
    possible_hz = min(FRAME_RATE_HZ, 8 / finest_s, 1e6 * rate_mbps / (8 * size_bytes(settled[-1].quality)))
    assert len(settled) / 25.0 >= 0.5 * possible_hz
    assert drive.most_in_flight <= LIMITS.max_in_flight


def test_a_fast_link_is_not_slowed() -> None:
    drive = Drive(Link(1e9, 0.001))
    drive.run(20.0)
    assert len(drive.after(2.0)) >= 18.0 * FRAME_RATE_HZ - 1
    assert drive.targets[-1].stride == 1
    assert {s.quality for s in drive.answers} == {85}


def test_a_busy_server_gets_fewer_requests_at_once_not_worse_pictures() -> None:
    drive = Drive(Link(1e9, 0.001, server_s=0.15, workers=1))
    drive.run(40.0)
    settled = drive.after(10.0)
    assert {s.quality for s in settled} == {85}
    assert len(settled) / 30.0 > 0.85 / 0.15
    assert p([s.age_s for s in settled], 0.99) < 0.75


def test_a_narrow_network_gets_coarser_pictures_and_finer_ones_again() -> None:
    drive = Drive(Link(0.4e6, 0.1))
    drive.run(30.0)
    assert drive.answers[-1].quality <= 55
    assert drive.targets[-1].stride > 1
    drive.link.rate_bps = 20e6
    drive.run(30.0)
    assert drive.answers[-1].quality == 85
    assert drive.targets[-1].stride == 1
    assert len(drive.after(50.0)) >= 0.9 * 10.0 * FRAME_RATE_HZ


@pytest.mark.parametrize(("before", "after"), [(0.05, 0.5), (0.6, 0.03)])
def test_another_distance_is_found_out(before: float, after: float) -> None:
    drive = Drive(Link(3e6, before))
    drive.run(30.0)
    drive.link.round_trip_s = after
    drive.run(40.0)
    settled = drive.after(50.0)
    assert p([s.age_s for s in settled], 0.99) < LIMITS.deadline_s
    assert len(settled) / 20.0 > 6.0


@given(
    st.lists(
        st.builds(
            lambda sent, took, size, flying, answered, frame, server: Observation(
                sent, sent + took, size, flying, answered, frame, server
            ),
            st.floats(0, 1000),
            st.floats(0, 30),
            st.integers(0, 10**6),
            st.integers(1, 8),
            st.booleans(),
            st.booleans(),
            st.one_of(st.none(), st.floats(0, 30)),
        ),
        max_size=200,
    )
)
def test_targets_stay_within_their_limits_whatever_is_seen(observations: list[Observation]) -> None:
    uplink = Uplink(LIMITS)
    for observation in sorted(observations, key=lambda o: o.ended_s):
        uplink.observe(observation)
        targets = uplink.targets(FRAME_RATE_HZ)
        assert 1 <= targets.in_flight <= LIMITS.max_in_flight
        assert 40 <= targets.jpeg_quality <= 85
        assert targets.stride >= 1
        assert 0 < targets.timeout_s <= LIMITS.timeout_s


def test_failures_take_requests_back_once_per_round() -> None:
    uplink = Uplink(LIMITS)
    for n in range(40):
        uplink.observe(Observation(0.1 * n, 0.1 * n + 0.02, 10_000, 8))
    assert uplink.targets(FRAME_RATE_HZ).in_flight == 8
    for _ in range(8):  # all that were on their way as the network went
        uplink.observe(Observation(4.0, 7.0, 10_000, 8, answered=False))
    assert uplink.targets(FRAME_RATE_HZ).in_flight == 4
    assert uplink.decreases == 1


def test_measures_the_way() -> None:
    uplink = Uplink(LIMITS)
    assert (uplink.round_trip_s, uplink.throughput_bps) == (None, None)
    for n in range(100):
        uplink.observe(Observation(0.1 * n, 0.1 * n + 0.1, 12_500, 1))
    assert uplink.round_trip_s == pytest.approx(0.1)
    assert uplink.throughput_bps == pytest.approx(1e6, rel=0.05)
