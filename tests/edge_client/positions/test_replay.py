from __future__ import annotations

import time
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest

from edge_client.displays.web.board import _status_json
from edge_client.errors import PositionError
from edge_client.positions.replay import NmeaReplay, NoPosition
from edge_client.types import GpsState
from tests.edge_client.displays.samples import STATUS
from tests.edge_client.positions.sentences import gga, rmc


def test_replay_gives_the_fix_with_its_age(tmp_path: Path) -> None:
    log = tmp_path / "drive.nmea"
    log.write_text("\n".join([rmc("115900", status="V"), rmc("120000"), rmc("120001", speed="20"), "junk"]))
    replay = NmeaReplay(log, max_age_s=5.0)
    first, second = replay.at(0.0, 100.0), replay.at(2.5, 102.5)
    assert first is not None
    assert second is not None
    assert (first.monotonic_s, first.latitude_deg) == (100.0, 45.5)
    assert second.monotonic_s == 101.0
    assert second.speed_mps == pytest.approx(10.289, abs=1e-3)
    assert replay.at(6.0, 106.0) is not None
    assert replay.at(6.1, 106.1) is None
    assert replay.utc_at(2.5) == datetime(2026, 1, 2, 12, 0, 2, 500000, UTC)
    assert replay.status().state is GpsState.REPLAY
    assert "drive.nmea" in replay.status().reason


def test_the_status_has_the_fix_of_the_latest_moment(tmp_path: Path) -> None:
    log = tmp_path / "drive.nmea"
    log.write_text("\n".join([rmc("120000", speed="10"), rmc("120001", speed="20")]))
    replay = NmeaReplay(log, max_age_s=5.0)
    assert replay.status().fix is None
    now_s = time.monotonic()
    latest = replay.at(1.0, now_s)
    replay.at(0.5, now_s - 0.5)
    status = replay.status()
    assert (status.state, status.fix) == (GpsState.REPLAY, latest)
    assert status.fix_age_s is not None
    assert status.fix_age_s >= 0.0
    page = _status_json(replace(STATUS, gps=status), None)
    assert page["speed_kmh"] == pytest.approx(20 * 1.852)
    replay.at(9.0, now_s + 8.0)
    assert replay.status().fix is None


def test_replay_interpolates_and_keeps_what_the_fix_told(tmp_path: Path) -> None:
    log = tmp_path / "drive.nmea"
    lines = [gga("120000"), rmc("120000", speed="10"), rmc("120002", lat="4530.0200", speed="20", course="110.0")]
    log.write_text("\n".join(lines))
    fix = NmeaReplay(log, max_age_s=5.0).at(0.5, 100.5)
    assert fix is not None
    assert fix.latitude_deg == pytest.approx(45.5 + 0.005 / 60, abs=1e-9)
    assert (fix.monotonic_s, fix.satellites, fix.hdop) == (100.0, 8, 1.0)
    assert fix.course_deg == pytest.approx(95.0)
    assert fix.speed_mps == pytest.approx(12.5 * 1852 / 3600)


def test_replay_leaves_jumps_out_and_counts_them(tmp_path: Path) -> None:
    log = tmp_path / "drive.nmea"
    log.write_text("\n".join([rmc("120000"), rmc("120001", lat="4730.0000"), rmc("120002")]))
    replay = NmeaReplay(log, max_age_s=5.0)
    fix = replay.at(1.0, 1.0)
    assert fix is not None
    assert fix.latitude_deg == pytest.approx(45.5, abs=1e-6)
    assert replay.status().rejected == 1


def test_logs_without_a_fix_and_without_a_file_are_refused(tmp_path: Path) -> None:
    with pytest.raises(PositionError, match="cannot read"):
        NmeaReplay(tmp_path / "none", 5.0)
    empty = tmp_path / "empty"
    empty.write_text(rmc("120000", status="V"))
    with pytest.raises(PositionError, match="no valid fix"):
        NmeaReplay(empty, 5.0)


def test_without_a_receiver_there_is_no_position() -> None:
    assert NoPosition().at(0.0, 0.0) is None
    assert NoPosition().utc_at(0.0) is None
    assert NoPosition().status().state is GpsState.OFF
