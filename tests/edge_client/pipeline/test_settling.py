from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from cloud_apis.contract import PlateBox
from edge_client.clock import Correction
from edge_client.pipeline.settling import Settling
from edge_client.positions.history import FixHistory
from edge_client.positions.replay import NoPosition
from edge_client.types import Fix, GpsState, GpsStatus, SingleRead, TrackRead, UtcSource

OLD = datetime(1970, 1, 1, 0, 5, tzinfo=UTC)
YEARS = datetime(2026, 5, 1, tzinfo=UTC) - datetime(1970, 1, 1, tzinfo=UTC)


class Positions:
    """A receiver's history, as it is asked."""

    def __init__(self) -> None:
        self.history = FixHistory(10.0, 3.0, 100.0)

    def at(self, media_time_s: float, monotonic_s: float) -> Fix | None:
        return self.history.at(monotonic_s)

    def utc_at(self, media_time_s: float) -> datetime | None:
        return None

    def status(self) -> GpsStatus:
        return GpsStatus(GpsState.FIX)

    def close(self) -> None:
        pass


def fix(monotonic_s: float, latitude: float = 45.0) -> Fix:
    return Fix(latitude, 23.0, None, monotonic_s, 20.0, 90.0, 8, 1.1)


def single(monotonic_s: float, position: Fix | None, utc: datetime = OLD, jpeg: bytes = b"crop") -> SingleRead:
    box = PlateBox(0, 0, 10, 5, 0.9, (0.9,))
    return SingleRead(
        track_id=1,
        frame_number=1,
        utc=utc,
        words=(),
        text="AB123",
        confidences=(0.9,) * 5,
        crop_jpeg=bytes(bytearray(jpeg)),
        crop_width_px=10,
        crop_height_px=5,
        sharpness=1.0,
        box=box,
        fix=position,
        fix_age_s=monotonic_s - position.monotonic_s if position is not None else None,
        captured_monotonic_s=monotonic_s,
        media_s=0.0,
    )


def read(*singles: SingleRead, best: int = 0, drive: str = "drive") -> TrackRead:
    chosen = singles[best]
    return TrackRead(
        uid="drive-1",
        text="AB123",
        confidence=0.9,
        character_confidences=(0.9,) * 5,
        first_seen=singles[0].utc - timedelta(seconds=1),
        last_seen=singles[-1].utc,
        latitude_deg=chosen.fix.latitude_deg if chosen.fix is not None else None,
        longitude_deg=chosen.fix.longitude_deg if chosen.fix is not None else None,
        fix_age_s=chosen.fix_age_s,
        crop_jpeg=chosen.crop_jpeg,
        singles=singles,
        drive=drive,
    )


def test_a_position_that_was_carried_on_becomes_interpolated() -> None:
    positions = Positions()
    positions.history.put(fix(100.0))
    carried = positions.at(0.0, 100.5)
    positions.history.put(fix(101.0, 45.0002))
    settled = Settling(positions, "drive").settle(read(single(100.1, fix(100.0)), single(100.5, carried), best=1))
    assert settled.latitude_deg == pytest.approx(45.0001, abs=1e-9)
    assert settled.longitude_deg == pytest.approx(23.0, abs=1e-9)
    assert settled.fix_age_s == pytest.approx(0.5)
    assert (settled.satellites, settled.hdop) == (8, 1.1)
    assert (settled.speed_mps, settled.course_deg) == (20.0, 90.0)
    best = settled.singles[1].fix
    assert best is not None
    assert best.latitude_deg == settled.latitude_deg


def test_a_position_that_is_forgotten_by_now_stays_as_it_was() -> None:
    before = read(single(100.0, fix(99.0)))
    assert Settling(Positions(), "drive").settle(before) is before
    assert Settling(NoPosition(), "drive").settle(before) is before


def test_times_of_a_clock_that_was_set_are_corrected() -> None:
    settling = Settling(NoPosition(), "drive")
    settling.correct(Correction("drive", YEARS, UtcSource.GPS, OLD + timedelta(seconds=10), 110.0))
    after = replace(single(112.0, None, OLD + timedelta(seconds=12) + YEARS), utc_source=UtcSource.GPS)
    settled = settling.settle(read(single(100.0, None), after))
    assert [s.utc for s in settled.singles] == [OLD + YEARS, OLD + YEARS + timedelta(seconds=12)]
    assert (settled.first_seen, settled.last_seen) == (OLD + YEARS - timedelta(seconds=1), settled.singles[1].utc)
    assert {settled.utc_source, *(s.utc_source for s in settled.singles)} == {UtcSource.GPS}


def test_a_read_of_just_before_a_clock_was_set_back_gets_its_right_times() -> None:
    back = timedelta(hours=-1)
    settling = Settling(NoPosition(), "drive")
    settling.correct(Correction("drive", back, UtcSource.GPS, OLD + timedelta(seconds=30), 130.0))
    before = read(single(100.0, None), single(110.0, None, OLD + timedelta(seconds=10)))
    seen = replace(before, first_monotonic_s=99.0, last_monotonic_s=110.0)
    settled = settling.settle(seen)
    assert settled.first_seen == OLD - timedelta(seconds=1) + back
    assert settled.last_seen == OLD + timedelta(seconds=10) + back
    assert settled.utc_source is UtcSource.GPS


def test_reads_of_another_drive_and_of_a_recording_keep_their_times() -> None:
    settling = Settling(NoPosition(), "drive")
    settling.correct(Correction("drive", YEARS, UtcSource.GPS, OLD + timedelta(seconds=10), 110.0))
    other = read(single(100.0, None), drive="earlier")
    assert settling.settle(other) is other
    recorded = replace(single(100.0, None), utc_source=UtcSource.RECORDING)
    replayed = replace(read(recorded), utc_source=UtcSource.RECORDING)
    assert settling.settle(replayed) is replayed
