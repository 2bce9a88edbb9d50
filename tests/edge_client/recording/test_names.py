"""Names of segments sort by number and never collide, whatever the clock says."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from edge_client.recording.names import SegmentName

NUMBERS = st.integers(1, 99_999_999)
TIMES = st.datetimes(datetime(1970, 1, 1), datetime(2200, 1, 1), timezones=st.just(UTC))


@given(NUMBERS, TIMES)
def test_a_name_tells_its_segment(number: int, utc: datetime) -> None:
    name = SegmentName.of(number, utc)
    for path in (name.video(Path("/x")), name.track(Path("/x")), name.lock(Path("/x"))):
        assert SegmentName.parse(path.name) == name
    assert name.utc == utc.replace(microsecond=0)


@given(st.lists(st.tuples(NUMBERS, TIMES), unique_by=lambda pair: pair[0]))
def test_names_sort_by_number_in_a_listing_too(pairs: list[tuple[int, datetime]]) -> None:
    names = [SegmentName.of(number, utc) for number, utc in pairs]
    by_number = sorted(pairs)
    assert [name.number for name in sorted(names)] == [number for number, _ in by_number]
    assert sorted(name.stem for name in names) == [SegmentName.of(*pair).stem for pair in by_number]


def test_files_of_others_are_no_segments() -> None:
    for name in (
        "holiday.mp4",
        "00000001.mp4",
        "00000001_20261301T100000Z.mp4",
        "00000001_20260501T100000Z.avi",
        "00000001_20260501T100000Z.mp4.part",
    ):
        assert SegmentName.parse(name) is None
