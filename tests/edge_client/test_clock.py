from __future__ import annotations

import logging
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from edge_client.clock import Clock, Correction, Timeline
from edge_client.types import Fix, UtcSource

NOW = datetime(2026, 5, 1, 12, tzinfo=UTC)
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


class Car:
    """The clocks of a device that drives: its time passes as it is told, from monotonic 1000 s on."""

    def __init__(self, system: datetime) -> None:
        self.monotonic_s = 1000.0
        self.system = system
        self.true = NOW
        self.corrections: list[Correction] = []
        self.clock = Clock("drive", wall_s=self._wall_s, monotonic_s=lambda: self.monotonic_s)
        self.clock.subscribe(self.corrections.append)

    def _wall_s(self) -> float:
        return self.system.timestamp()

    def drive(self, seconds: float) -> None:
        self.monotonic_s += seconds
        self.system += timedelta(seconds=seconds)
        self.true += timedelta(seconds=seconds)

    def stamp(self) -> tuple[datetime, UtcSource]:
        return self.clock.utc(self.monotonic_s)

    def fix(self, delay_s: float = 0.0, off_s: float = 0.0) -> None:
        told = self.true + timedelta(seconds=off_s - delay_s)
        self.clock.observe(Fix(45.0, 23.0, told, self.monotonic_s))


def near(first: datetime, second: datetime, tolerance_s: float = 0.01) -> bool:
    return abs((first - second).total_seconds()) <= tolerance_s


def test_without_fixes_the_systems_clock_tells_the_time() -> None:
    car = Car(NOW)
    car.drive(5.0)
    utc, source = car.stamp()
    assert near(utc, car.true)
    assert source is car.clock.source is UtcSource.SYSTEM
    assert car.clock.is_set
    assert car.corrections == []


def test_fixes_tell_the_time_and_correct_what_was_stamped_by_a_clock_in_1970(
    caplog: pytest.LogCaptureFixture,
) -> None:
    car = Car(EPOCH)
    with caplog.at_level(logging.WARNING, "edge_client"):
        before, source = car.stamp()
    assert (before.year, source) == (1970, UtcSource.SYSTEM)
    assert "not set" in caplog.text
    assert not car.clock.is_set
    stamped_at = car.true
    for _ in range(3):
        car.drive(1.0)
        car.fix()
    utc, source = car.stamp()
    assert near(utc, car.true)
    assert source is UtcSource.GPS
    (correction,) = car.corrections
    assert (correction.drive, correction.source) == ("drive", UtcSource.GPS)
    assert near(before + correction.shift, stamped_at)
    assert car.clock.is_set


def test_one_or_two_fixes_are_not_believed_nor_a_year_that_rolled_over() -> None:
    car = Car(NOW)
    car.stamp()
    for off_s in (500.0, -3000.0, 7000.0, 7000.0):
        car.drive(1.0)
        car.fix(off_s=off_s)
    for _ in range(5):
        car.drive(1.0)
        car.fix(off_s=-1024 * 7 * 86400.0)
    car.clock.observe(Fix(45.0, 23.0, None, car.monotonic_s))
    assert car.stamp()[1] is UtcSource.SYSTEM
    assert car.corrections == []


@settings(max_examples=30)
@given(st.lists(st.floats(0.0, 0.45), min_size=3, max_size=80))
def test_the_lines_delay_is_filtered_out(delays_s: list[float]) -> None:
    car = Car(NOW + timedelta(seconds=100))
    for delay_s in delays_s:
        car.drive(1.0)
        car.fix(delay_s)
    utc, source = car.stamp()
    assert source is UtcSource.GPS
    least_s = min(delays_s[-60:])
    assert near(utc, car.true - timedelta(seconds=least_s), 1e-4)


def test_a_small_difference_is_no_clock_that_was_set() -> None:
    car = Car(NOW + timedelta(seconds=0.3))
    car.stamp()
    for _ in range(5):
        car.drive(1.0)
        car.fix()
    assert car.stamp()[1] is UtcSource.GPS
    assert car.corrections == []


def test_through_a_tunnel_the_time_of_the_gps_goes_on() -> None:
    car = Car(EPOCH)
    for _ in range(3):
        car.drive(1.0)
        car.fix()
    car.drive(600.0)
    car.system += timedelta(days=5)
    utc, source = car.stamp()
    assert near(utc, car.true)
    assert source is UtcSource.GPS
    assert car.corrections == []  # nothing was stamped before


def test_a_receiver_that_learns_its_leap_seconds_corrects_itself() -> None:
    car = Car(NOW)
    for _ in range(4):
        car.drive(1.0)
        car.fix(off_s=3.0)
    assert near(car.stamp()[0], car.true + timedelta(seconds=3))
    car.corrections.clear()
    for _ in range(3):
        car.drive(1.0)
        car.fix()
    (correction,) = car.corrections
    assert correction.shift.total_seconds() == pytest.approx(-3.0)
    assert correction.source is UtcSource.GPS
    assert near(car.stamp()[0], car.true)


def test_a_system_clock_that_is_set_while_driving_corrects_the_drive() -> None:
    car = Car(NOW - timedelta(hours=3))
    car.stamp()
    car.drive(10.0)
    car.system += timedelta(hours=3)
    utc, source = car.stamp()
    assert near(utc, car.true)
    assert source is UtcSource.SYSTEM
    (correction,) = car.corrections
    assert correction.shift.total_seconds() == pytest.approx(3 * 3600, abs=0.01)
    assert near(correction.at, car.true - timedelta(hours=3))


def test_a_system_clock_that_drifts_is_followed_without_a_word() -> None:
    car = Car(NOW)
    for _ in range(100):
        car.drive(1.0)
        car.system += timedelta(milliseconds=20)
        assert near(car.stamp()[0], car.system)
    assert car.corrections == []


def test_being_interrupted_between_the_two_clocks_is_no_step() -> None:
    car = Car(NOW)
    car.stamp()
    readings = iter([1000.0, 1003.0, 1003.0])  # three seconds pass while the wall clock is read
    clock = car.clock
    clock._monotonic_s = lambda: next(readings)
    car.system += timedelta(seconds=3)
    utc, _ = clock.utc(1003.0)
    assert near(utc, NOW + timedelta(seconds=3))
    assert car.corrections == []


def correction(at: datetime, shift_s: float, monotonic_s: float, source: UtcSource = UtcSource.GPS) -> Correction:
    return Correction("drive", timedelta(seconds=shift_s), source, at, monotonic_s)


def test_the_timeline_moves_what_was_stamped_before_and_nothing_else() -> None:
    line = Timeline()
    years = (NOW - EPOCH).total_seconds()
    line.add(correction(EPOCH + timedelta(seconds=20), years, 1020.0, UtcSource.SYSTEM))
    line.add(correction(NOW + timedelta(seconds=40), -5.0, 1040.0))
    for monotonic_s in (1010.0, None):
        assert line.corrected(EPOCH + timedelta(seconds=10), UtcSource.SYSTEM, monotonic_s) == (
            NOW + timedelta(seconds=5),
            UtcSource.GPS,
        )
    assert line.corrected(NOW + timedelta(seconds=30), UtcSource.SYSTEM, 1030.0) == (
        NOW + timedelta(seconds=25),
        UtcSource.GPS,
    )
    for monotonic_s in (1050.0, None):
        after = NOW + timedelta(seconds=45), UtcSource.GPS
        assert line.corrected(*after, monotonic_s) == after
    told = NOW + timedelta(seconds=1), UtcSource.RECORDING
    assert line.corrected(*told, 1001.0) == told


def test_a_frame_whose_stamping_noticed_the_step_is_not_moved_again() -> None:
    line = Timeline()
    line.add(correction(NOW, -3600.0, 1000.0, UtcSource.SYSTEM))
    noticed = NOW + timedelta(seconds=-3600 - 0.1), UtcSource.SYSTEM
    assert line.corrected(*noticed, 999.9) == noticed
    before = NOW + timedelta(seconds=-0.2), UtcSource.SYSTEM
    assert line.corrected(*before, 999.8) == (before[0] - timedelta(hours=1), UtcSource.SYSTEM)


@settings(max_examples=40)
@given(
    st.lists(st.tuples(st.floats(1, 100), st.floats(-1e6, 1e6).filter(lambda s: abs(s) > 0.5)), max_size=5),
    st.lists(st.floats(0, 600), max_size=10),
)
def test_corrected_times_are_what_the_clock_would_tell_now(
    steps: list[tuple[float, float]], stamps_s: list[float]
) -> None:
    """However often the clock is set: all stamps of a drive, corrected, lie as far apart as they were taken."""
    car, line, taken = Car(NOW), Timeline(), []
    car.clock.subscribe(line.add)
    car.stamp()
    moments = sorted([*((car.monotonic_s + s, 0.0) for s in stamps_s)])
    for pause_s, step_s in steps:
        end_s = car.monotonic_s + pause_s
        for at_s, _ in [m for m in moments if car.monotonic_s <= m[0] < end_s]:
            car.drive(at_s - car.monotonic_s)
            taken.append((car.monotonic_s, *car.stamp()))
        car.drive(end_s - car.monotonic_s)
        car.system += timedelta(seconds=step_s)
        car.stamp()
    now, _ = car.stamp()
    for monotonic_s, utc, source in taken:
        corrected, _ = line.corrected(utc, source, monotonic_s)
        assert abs((now - corrected).total_seconds() - (car.monotonic_s - monotonic_s)) < 0.01
