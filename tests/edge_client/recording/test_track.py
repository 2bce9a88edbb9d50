"""The sidecar comes back as it was written, and loses no more than its last line to a cut."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge_client.recording.track import End, Head, Moment, Point, Track, line_of, read_track, start_of
from edge_client.types import Fix, UtcSource
from tests.edge_client.recording.samples import HEAD, START

POINTS = tuple(
    Point(n / 5, START + timedelta(seconds=n / 5), UtcSource.GPS, 45.0 + n / 1e4, 21.0, 10.0, 90.0, 0.1)
    for n in range(20)
)
TEXT = line_of(HEAD) + "".join(map(line_of, POINTS)) + line_of(End(4.0, 120, "length"))


def read(folder: Path, content: bytes) -> Track:
    path = folder / "track.jsonl"
    path.write_bytes(content)
    return read_track(path)


def test_what_was_written_is_read(tmp_path: Path) -> None:
    assert read(tmp_path, TEXT.encode()) == Track(HEAD, POINTS, End(4.0, 120, "length"))


def test_a_cut_costs_the_last_line_at_most(tmp_path: Path) -> None:
    content = TEXT.encode()
    for size in range(0, len(content) - 2, 37):
        track = read(tmp_path, content[:size])
        whole = content[:size].count(b"\n")
        assert len(track.points) >= max(min(whole - 1, len(POINTS)), 0)
        assert track.points == POINTS[: len(track.points)]
        assert track.end is None


@given(st.binary(max_size=200))
def test_garbage_is_left_out(tmp_path_factory: pytest.TempPathFactory, garbage: bytes) -> None:
    track = read(tmp_path_factory.mktemp("track"), b"\n".join((line_of(HEAD).encode(), garbage, b"", TEXT.encode())))
    assert (track.head, track.points) == (HEAD, POINTS)


@pytest.mark.parametrize(
    "line", ["[]", "7", "{}", '{"kind": "point"}', '{"kind": "point", "t_s": "x"}', '{"kind": "head", "more": 1}']
)
def test_lines_that_make_no_sense_are_left_out(tmp_path: Path, line: str) -> None:
    assert read(tmp_path, f"{line}\n{TEXT}".encode()).points == POINTS


def test_a_missing_sidecar_says_nothing(tmp_path: Path) -> None:
    assert read_track(tmp_path / "none.jsonl") == Track(None, (), None)
    assert start_of(Track(None, (), None)) is None


def test_a_point_without_a_fix_has_no_position() -> None:
    assert Point.of(Moment(7.5, START, UtcSource.SYSTEM), 5.0) == Point(2.5, START, UtcSource.SYSTEM)
    moment = Moment(7.5, START, UtcSource.GPS, Fix(45.0, 21.0, None, 7.0, 12.0, 80.0), 0.5)
    assert Point.of(moment, 5.0) == Point(2.5, START, UtcSource.GPS, 45.0, 21.0, 12.0, 80.0, 0.5)


def test_a_clock_that_is_set_on_the_way_corrects_the_start() -> None:
    stale = datetime(1970, 1, 1, 0, 0, 20, tzinfo=UTC)
    head = Head("d", stale, UtcSource.SYSTEM, 20.0, 64, 36, 30.0, "h264")
    early = Point(0.0, stale, UtcSource.SYSTEM)
    late = Point(12.0, START, UtcSource.GPS)
    assert start_of(Track(head, (early,), None)) == (stale, UtcSource.SYSTEM)
    assert start_of(Track(head, (early, late), None)) == (START - timedelta(seconds=12), UtcSource.GPS)
