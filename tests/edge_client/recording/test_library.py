"""The index is what the files say."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from edge_client.recording.files import open_segment
from edge_client.recording.library import Recording, covering, length_m, recordings_in
from edge_client.recording.track import End, Head, Point, line_of
from edge_client.types import UtcSource
from tests.edge_client.recording.samples import START

BOOT = datetime(1970, 1, 1, tzinfo=UTC)


def write(folder: Path, drive: str, monotonic_s: float, points: Sequence[Point], *, at: datetime | None = None) -> None:
    """A segment whose clock was never set, unless ``at`` is given; without video, which the index does not read."""
    utc, source = (BOOT + timedelta(seconds=monotonic_s), UtcSource.SYSTEM) if at is None else (at, UtcSource.GPS)
    files = open_segment(folder, Head(drive, utc, source, monotonic_s, 64, 36, 30.0, "h264"))
    files.write(b"video", "".join(map(line_of, points)))
    files.finish(line_of(End(60.0, 1800, "length")))


def starts(found: list[Recording]) -> list[datetime | None]:
    return [recording.start for recording in found]


def test_no_folder_has_no_recordings(tmp_path: Path) -> None:
    assert recordings_in(tmp_path / "none") == []


def test_a_clock_that_is_set_late_corrects_the_whole_drive(tmp_path: Path) -> None:
    write(tmp_path, "one", 100.0, [])
    write(tmp_path, "one", 160.0, [Point(0.0, BOOT, UtcSource.SYSTEM), Point(20.0, START, UtcSource.GPS)])
    write(tmp_path, "one", 220.0, [], at=START + timedelta(seconds=40))
    write(tmp_path, "other", 5.0, [])
    first = START - timedelta(seconds=20)
    found = recordings_in(tmp_path)
    assert starts(found) == [
        first - timedelta(seconds=60),
        first,
        first + timedelta(seconds=60),
        BOOT + timedelta(seconds=5),
    ]
    assert [r.start_source.value for r in found] == ["gps", "gps", "gps", "system"]


def test_a_system_clock_that_is_set_on_the_way_corrects_what_came_before(tmp_path: Path) -> None:
    """As by the network, on a device without GPS and without a battery for its clock."""
    write(tmp_path, "one", 10.0, [])
    write(tmp_path, "one", 70.0, [Point(0.0, BOOT, UtcSource.SYSTEM), Point(30.0, START, UtcSource.SYSTEM)])
    assert starts(recordings_in(tmp_path)) == [START - timedelta(seconds=90), START - timedelta(seconds=30)]


def test_sleep_on_the_way_is_counted(tmp_path: Path) -> None:
    for monotonic_s, slept_s, source, at in (
        (10.0, 0.0, UtcSource.SYSTEM, BOOT),
        (70.0, 3600.0, UtcSource.GPS, START),
    ):
        head = Head("one", at, source, monotonic_s, 64, 36, 30.0, "h264", slept_s)
        files = open_segment(tmp_path, head)
        files.finish(line_of(End(60.0, 1800, "length")))
    assert starts(recordings_in(tmp_path)) == [START - timedelta(seconds=3660), START]


def test_a_moment_is_found_in_its_segment(tmp_path: Path) -> None:
    for minute in range(3):
        write(tmp_path, "one", 60.0 * minute, [], at=START + timedelta(minutes=minute))
    found = recordings_in(tmp_path)
    assert covering(found, START + timedelta(seconds=60)) is found[1]
    assert covering(found, START + timedelta(seconds=59.9)) is found[0]
    assert covering(found, START + timedelta(seconds=180)) is None
    assert covering(found, START - timedelta(seconds=1)) is None


def test_the_track_has_a_length() -> None:
    """A degree of latitude on the sphere of the mean radius: 111.195 km."""
    points = [Point(0.0, START, UtcSource.GPS, 45.0, 21.0), Point(1.0, START, UtcSource.GPS)]
    points.append(Point(2.0, START, UtcSource.GPS, 46.0, 21.0))
    assert length_m(points) == pytest.approx(111_195, abs=1)
    assert length_m(points[:2]) == 0.0
