"""Searching by likeness, place, drive and list; the tracks of drives."""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge_client.geodesy import EARTH_RADIUS_M, cut_at_antimeridian, haversine_m
from edge_client.store.drives import DriveStart, Position
from edge_client.store.known import KnownPlate
from edge_client.store.library import Circle, ReadFilter, ReadLibrary
from edge_client.store.ways import segments_of, ways_of
from edge_client.store.writer import SqliteReads
from tests.edge_client.samples import START, read

TIMISOARA = (45.7537, 21.2257)


@pytest.fixture(scope="module")
def library(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ReadLibrary]:
    path = tmp_path_factory.mktemp("search") / "reads.db"
    store = SqliteReads(path)
    for n, drive in enumerate(("d1", "d2", "d3")):
        store.begin_drive(DriveStart(drive, START + timedelta(hours=n), source=f"{drive}.mp4"))
        way = [Position(START + timedelta(hours=n, seconds=s), 45.75 + s / 1000, 21.22) for s in (0, 1, 2, 90, 91)]
        store.add_positions(drive, way)
    store.save(replace(read("a", "B101ABC", seconds=0, place=TIMISOARA), drive="d1"))
    friend = KnownPlate("B101ABD", "a friend", "", "alert", 0.0)
    store.save(replace(read("b", "B101ABD", seconds=10, place=(45.7582, 21.2257)), drive="d1"), friend)
    store.save(replace(read("c", "TM 02 XYZ", seconds=3600, place=(-33.9, 179.999)), drive="d2"))
    store.save(replace(read("d", "BI0IABC", seconds=3700), drive="d2"))
    store.close()
    with ReadLibrary(path) as opened:
        yield opened


@pytest.mark.parametrize(
    ("wanted", "uids"),
    [
        (ReadFilter(text="B?01*"), "ba"),
        (ReadFilter(text="tm-02-xyz"), "c"),
        (ReadFilter(text="tm02*"), "c"),
        (ReadFilter(like="B101ABC", distance=0), "da"),
        (ReadFilter(like="b101abc"), "dba"),
        (ReadFilter(like="B101AB"), "dba"),
        (ReadFilter(near=Circle(*TIMISOARA, 10)), "a"),
        (ReadFilter(near=Circle(*TIMISOARA, 499)), "a"),
        (ReadFilter(near=Circle(*TIMISOARA, 501)), "ba"),
        (ReadFilter(near=Circle(-33.9, -179.999, 300)), "c"),  # across the antimeridian
        (ReadFilter(drive="d1"), "ba"),
        (ReadFilter(drive="d"), "dcba"),
        (ReadFilter(drive="D_"), ""),
        (ReadFilter(known=True), "b"),
        (ReadFilter(known=False, drive="d1"), "a"),
        (ReadFilter(text="B*", near=Circle(*TIMISOARA, 1000), limit=1), "b"),
    ],
)
def test_filters(library: ReadLibrary, wanted: ReadFilter, uids: str) -> None:
    assert "".join(found.uid for found in library.find(wanted)) == uids


def test_the_ways_of_reads_are_those_of_their_drives(library: ReadLibrary) -> None:
    def uids(wanted: ReadFilter) -> list[str]:
        return [way.drive.uid for way in ways_of(library, wanted, library.find(wanted))]

    assert uids(ReadFilter()) == ["d1", "d2", "d3"]
    assert uids(ReadFilter(text="TM*")) == ["d2"]
    assert uids(ReadFilter(drive="d3")) == ["d3"]
    assert uids(ReadFilter(since=START + timedelta(hours=1))) == ["d2", "d3"]
    assert uids(ReadFilter(limit=1)) == ["d2"]


def test_a_track_is_cut_where_nothing_was_known(library: ReadLibrary) -> None:
    assert [len(segment) for segment in segments_of(library.track("d1"))] == [3, 2]
    assert segments_of([]) == ()


def test_distances_on_the_earth() -> None:
    quarter = math.pi / 2 * EARTH_RADIUS_M
    assert haversine_m(0, 0, 90, 0) == pytest.approx(quarter)
    assert haversine_m(0, 179, 0, -179) == pytest.approx(quarter * 2 / 90)
    assert haversine_m(0, 0, 0, 180) == pytest.approx(2 * quarter)
    # Berlin to Lisbon: 2,317 km along the ellipsoid.
    assert haversine_m(52.5164, 13.3777, 38.692668, -9.177944) == pytest.approx(2_317_000, rel=0.006)


@given(st.lists(st.tuples(st.floats(-180, 180), st.floats(-90, 90)), max_size=20))
def test_a_line_cut_at_the_antimeridian_never_jumps(line: list[tuple[float, float]]) -> None:
    parts = cut_at_antimeridian(line)
    for part in parts:
        assert len(part) >= 2
        for (east, north), (to_east, _) in itertools.pairwise(part):
            assert abs(east - to_east) <= 180
            assert -90 <= north <= 90
    kept = {point for part in parts for point in part}
    assert len(line) < 2 or kept >= set(line)


def test_a_line_is_cut_where_it_crosses() -> None:
    assert cut_at_antimeridian([(179.0, 0.0), (-179.0, 10.0)]) == [
        [(179.0, 0.0), (180.0, 5.0)],
        [(-180.0, 5.0), (-179.0, 10.0)],
    ]
