from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

from edge_client.spool.doubles import Doubles
from edge_client.types import TrackRead, Vehicle
from tests.edge_client.samples import START, read


def seen(uid: str, text: str, seconds: float, drive: str = "d") -> TrackRead:
    """Seen for two seconds."""
    return replace(read(uid, text, seconds=seconds), drive=drive)


def times(found: TrackRead) -> tuple[float, float]:
    return (found.first_seen - START).total_seconds(), (found.last_seen - START).total_seconds()


def test_what_the_live_stream_has_is_listed_once_with_all_its_sights() -> None:
    doubles = Doubles(30.0)
    doubles.live([seen("live", "B123XYZ", 0.0)])
    late = [
        seen("same", "B123XYZ", 20.0),
        seen("alike", "8123XYZ", 5.0),  # easily confused
        seen("other", "C777ABC", 5.0),
        seen("later", "B123XYZ", 100.0),
        seen("yesterday", "B123XYZ", 0.0, drive="before"),
    ]
    saved = doubles.late(late)
    assert [r.uid for r in saved] == ["live", "live", "other", "later", "yesterday"]
    assert (saved[1].text, times(saved[1])) == ("B123XYZ", (0.0, 22.0))
    assert doubles.count == 2
    (again,) = doubles.live([replace(seen("live", "B123XYZ", 0.0), confidence=0.99)])
    assert (times(again), again.confidence) == ((0.0, 22.0), 0.99)


def test_the_nearest_of_two_sights_takes_it() -> None:
    doubles = Doubles(30.0)
    doubles.live([seen("first", "B123XYZ", 0.0), seen("second", "B123XYZ", 40.0)])
    (found,) = doubles.late([seen("between", "B123XYZ", 30.0)])
    assert (found.uid, times(found)) == ("second", (30.0, 42.0))


def test_the_live_stream_takes_the_place_of_what_was_read_before() -> None:
    doubles = Doubles(30.0)
    doubles.late([seen("late", "B123XYZ", 0.0)])
    (live,) = doubles.live([seen("live", "B123XYZ", 10.0)])
    assert (live.supersedes, times(live)) == (("late",), (0.0, 12.0))
    (again,) = doubles.live([replace(seen("live", "B123XYZ", 10.0), confidence=0.99)])
    assert (again.supersedes, times(again), again.confidence) == (("late",), (0.0, 12.0), 0.99)
    assert doubles.count == 1


def test_a_read_that_was_itself_superseded_counts_no_more() -> None:
    doubles = Doubles(30.0)
    doubles.live([seen("wrong", "C777ABC", 0.0)])
    doubles.late([seen("gap", "C777ABC", 20.0)])
    (right,) = doubles.live([replace(seen("right", "B123XYZ", 0.0), supersedes=("wrong",))])
    assert times(right) == (0.0, 22.0)  # what evidence showed of the one is of the other
    (late,) = doubles.late([seen("late", "C777ABC", 1.0)])
    assert late.uid == "late"


def test_a_car_in_sight_where_stretches_of_evidence_meet_is_listed_once() -> None:
    doubles = Doubles(30.0)
    sure = replace(seen("first", "B123XYZ", 0.0), confidence=0.97)
    assert [r.uid for r in doubles.late([sure, seen("gone", "C777ABC", 0.0)])] == ["first", "gone"]
    doubtful = replace(seen("second", "8123XYZ", 3.0), confidence=0.5)
    joined, other = doubles.late([doubtful, seen("later", "C777ABC", 90.0)])
    assert (joined.uid, joined.text, joined.confidence) == ("second", "B123XYZ", 0.97)
    assert (joined.supersedes, times(joined)) == (("first",), (0.0, 5.0))
    assert (other.uid, other.supersedes) == ("later", ())
    (third,) = doubles.late([seen("third", "B123XYZ", 6.0)])
    assert (third.supersedes, times(third)) == (("first", "second"), (0.0, 8.0))


def test_a_car_that_two_stretches_saw_has_the_looks_of_both() -> None:
    doubles = Doubles(30.0)
    red, suzuki = Vehicle(colour="red", colour_confidence=0.9), Vehicle(make="suzuki", make_confidence=0.8)
    doubles.late([replace(seen("first", "B123XYZ", 0.0), vehicle=red)])
    (joined,) = doubles.late([replace(seen("second", "B123XYZ", 3.0), vehicle=suzuki)])
    assert joined.vehicle == suzuki.merged(red)
    (third,) = doubles.late([seen("third", "B123XYZ", 6.0)])
    assert third.vehicle == joined.vehicle


def test_one_stretch_tells_its_own_plates_apart() -> None:
    doubles = Doubles(30.0)
    saved = doubles.late([seen("one", "B123XYZ", 0.0), seen("two", "B123XYZ", 10.0)])
    assert [(r.uid, r.supersedes) for r in saved] == [("one", ()), ("two", ())]


def test_memory_is_bounded() -> None:
    doubles = Doubles(30.0)
    for number in range(300):
        doubles.live([seen(f"l{number}", f"B{number:03d}XYZ", 60.0 * number)])
        doubles.late([seen(f"e{number}", f"K{number:03d}QRS", 60.0 * number)])
    assert (len(doubles._live), len(doubles._late)) == (100, 100)
    assert doubles.late([seen("new", "T999TTT", 0.0 + timedelta(days=1).total_seconds())])[0].uid == "new"
