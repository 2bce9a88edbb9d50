from __future__ import annotations

from dataclasses import replace

from edge_client.spool.doubles import Doubles
from edge_client.types import TrackRead
from tests.edge_client.samples import read


def seen(uid: str, text: str, seconds: float, drive: str = "d") -> TrackRead:
    return replace(read(uid, text, seconds=seconds), drive=drive)


def uids(reads: list[TrackRead]) -> list[str]:
    return [r.uid for r in reads]


def test_what_the_live_stream_has_is_not_read_again() -> None:
    doubles = Doubles(30.0)
    doubles.live([seen("live", "B123XYZ", 0.0)])
    late = [
        seen("same", "B123XYZ", 20.0),
        seen("alike", "8123XYZ", 5.0),  # easily confused
        seen("other", "C777ABC", 5.0),
        seen("later", "B123XYZ", 100.0),
        seen("yesterday", "B123XYZ", 0.0, drive="before"),
    ]
    assert uids(doubles.late(late)) == ["other", "later", "yesterday"]
    assert doubles.count == 2


def test_the_live_stream_takes_the_place_of_what_was_read_before() -> None:
    doubles = Doubles(30.0)
    (late,) = doubles.late([seen("late", "B123XYZ", 0.0)])
    (live,) = doubles.live([seen("live", "B123XYZ", 10.0)])
    assert live.supersedes == ("late",)
    assert live.first_seen == late.first_seen
    (again,) = doubles.live([replace(seen("live", "B123XYZ", 10.0), confidence=0.99)])
    assert (again.supersedes, again.first_seen, again.confidence) == (("late",), late.first_seen, 0.99)
    assert doubles.count == 1


def test_a_read_that_was_itself_superseded_counts_no_more() -> None:
    doubles = Doubles(30.0)
    doubles.live([seen("wrong", "C777ABC", 0.0)])
    doubles.live([replace(seen("right", "B123XYZ", 0.0), supersedes=("wrong",))])
    assert uids(doubles.late([seen("late", "C777ABC", 1.0)])) == ["late"]
