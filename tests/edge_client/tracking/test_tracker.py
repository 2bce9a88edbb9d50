from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cloud_apis.contract import PlateBox
from edge_client.config import TrackingSettings
from edge_client.tracking.motion import Motion, jump, overlap, shape_of, size_ratio
from edge_client.tracking.tracker import Tracker


def box(x: float, y: float = 100.0, width: float = 60.0, height: float = 15.0) -> PlateBox:
    return PlateBox(x, y, x + width, y + height, 0.9, (0.9,))


def tracker() -> Tracker:
    return Tracker(TrackingSettings())


def test_follows_a_plate_at_constant_speed() -> None:
    t = tracker()
    numbers = {t.update(n / 30, [box(20.0 * n)])[0].track_id for n in range(20)}
    assert len(numbers) == 1


def test_keeps_two_plates_apart_that_pass_each_other() -> None:
    t = tracker()
    first = t.update(0.0, [box(0, 100), box(400, 160)])
    for n in range(1, 21):
        seen = t.update(n / 20, [box(400 - 20 * n, 160), box(20 * n, 100)])
        ids = {b.track_id: b.box.ymin for b in seen}
        assert ids == {first[0].track_id: 100, first[1].track_id: 160}


def test_carries_boxes_along_their_motion_for_a_while() -> None:
    t = tracker()
    t.update(0.0, [box(0)])
    t.update(0.1, [box(10)])
    (carried,) = t.predict(0.2)
    assert carried.carried
    assert carried.box.xmin == pytest.approx(20)
    assert t.predict(0.1 + TrackingSettings().carry_s + 0.01) == ()


def test_carries_a_box_that_was_missed_once() -> None:
    t = tracker()
    t.update(0.0, [box(0)])
    t.update(0.1, [box(10)])
    (carried,) = t.update(0.2, [])
    assert carried.carried
    assert carried.box.xmin == pytest.approx(20)
    assert t.update(0.4, []) == ()


def test_ends_a_track_that_is_not_seen_any_more() -> None:
    t = tracker()
    (first,) = t.update(0.0, [box(0)])
    t.predict(1.0)
    assert t.take_ended() == []
    t.predict(2.0)
    assert t.take_ended() == [first.track_id]
    assert t.take_ended() == []
    assert t.update(2.1, [box(0)])[0].track_id != first.track_id


def test_does_not_link_what_is_far_or_of_another_size() -> None:
    t = tracker()
    (first,) = t.update(0.0, [box(0)])
    assert t.update(0.1, [box(500)])[0].track_id != first.track_id
    t = tracker()
    (first,) = t.update(0.0, [box(0)])
    assert t.update(0.1, [box(80, width=180, height=45)])[0].track_id != first.track_id


def test_a_late_answer_is_linked_but_moves_nothing_back() -> None:
    t = tracker()
    (first,) = t.update(0.0, [box(0)])
    t.update(0.2, [box(20)])
    late = [b for b in t.update(0.1, [box(10)]) if not b.carried]
    assert late[0].track_id == first.track_id
    assert t.predict(0.2)[0].box.xmin == pytest.approx(20)


BOXES = st.lists(st.builds(box, st.floats(0, 1000), st.floats(0, 700), st.floats(5, 300), st.floats(2, 80)), max_size=6)


@given(st.lists(st.one_of(st.none(), BOXES), max_size=25))
def test_every_box_gets_one_track_of_its_own(frames: list[list[PlateBox] | None]) -> None:
    t = tracker()
    ended: set[int] = set()
    for n, boxes in enumerate(frames):
        if boxes is None:
            assert all(b.carried for b in t.predict(n * 0.3))
        else:
            seen = t.update(n * 0.3, boxes)
            assert [b.box for b in seen if not b.carried] == boxes
            assert len({b.track_id for b in seen}) == len(seen)
            assert not ended & {b.track_id for b in seen}
        ended.update(t.take_ended())


def test_box_measures() -> None:
    a, b = shape_of(box(0)), shape_of(box(30))
    assert overlap(a, a) == 1.0
    assert overlap(a, b) == pytest.approx(1 / 3)
    assert overlap(a, shape_of(box(100))) == 0.0
    assert jump(a, b) == pytest.approx(0.5)
    assert size_ratio(a, shape_of(box(0, width=30))) == 2.0
    assert Motion(a, (10.0, 0.0, 0.0, 0.0), 1.0).predict(2.0)[0] == a[0] + 10
