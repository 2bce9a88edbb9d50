from __future__ import annotations

from datetime import timedelta

from edge_client.pipeline.trail import Trail
from edge_client.types import Fix, Frame, UtcSource
from tests.edge_client.samples import START, picture

PICTURE = picture(4, 4)


def frame(seconds: float, latitude: float | None, age_s: float = 0.1) -> Frame:
    fix = Fix(latitude, 21.22, START, 0.0, 12.0, 90.0) if latitude is not None else None
    utc = START + timedelta(seconds=seconds)
    return Frame(0, PICTURE, seconds, utc, fix, None if fix is None else age_s, UtcSource.GPS)


def added(frames: list[Frame]) -> list[float]:
    trail = Trail()
    return [(p.utc - START).total_seconds() for f in frames if (p := trail.add(f)) is not None]


def test_about_one_point_a_second_while_moving() -> None:
    assert added([frame(n / 30, 45 + n / 10_000) for n in range(91)]) == [0, 1, 2, 3]


def test_few_points_while_standing() -> None:
    assert added([frame(n, 45 + (n % 2) / 1_000_000) for n in range(65)]) == [0, 30, 60]


def test_no_points_without_a_fresh_fix() -> None:
    assert added([frame(0, None), frame(1, 45, age_s=5.0), frame(2, 45)]) == [2]


def test_a_point_has_all_that_the_fix_has() -> None:
    point = Trail().add(frame(1, 45.5))
    assert point is not None
    assert (point.latitude_deg, point.longitude_deg, point.speed_mps, point.course_deg) == (45.5, 21.22, 12.0, 90.0)
    assert point.utc_source is UtcSource.GPS


def test_after_the_clock_was_set_back_the_track_goes_on() -> None:
    trail = Trail()
    assert trail.add(frame(10_000, 45.0)) is not None
    trail.restart()
    assert trail.add(frame(9_999.5, 45.0)) is not None
