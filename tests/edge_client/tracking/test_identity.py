"""Tracks keep their plates: synthetic trajectories with missed detections, identity switches counted."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cloud_apis.contract import PlateBox
from edge_client.config import TrackingSettings
from edge_client.tracking.appearance import Thumbnail, thumbnails
from edge_client.tracking.tracker import Tracker
from edge_client.types import Image

ASPECT = 4.5


@dataclass(frozen=True)
class Plate:
    """A plate that moves steadily: centre and width in pixels, speeds per second, growth as part of its width."""

    x: float
    y: float
    width: float
    speed_x: float = 0.0
    speed_y: float = 0.0
    growth: float = 0.0

    def at(self, time_s: float, noise: tuple[float, float] = (0.0, 0.0)) -> PlateBox:
        width = self.width * (1 + self.growth * time_s)
        height = width / ASPECT
        x, y = self.x + self.speed_x * time_s + noise[0], self.y + self.speed_y * time_s + noise[1]
        return PlateBox(x - width / 2, y - height / 2, x + width / 2, y + height / 2, 0.9, (0.9,))


Look = Callable[[int], Thumbnail]


def switches(
    plates: tuple[Plate, ...],
    rate_hz: float,
    missed: set[tuple[int, int]],
    *,
    frames: int = 30,
    turned: bool = False,
    noise: float = 0.0,
    look: Look | None = None,
) -> int:
    """How often a plate's boxes come with another track than before; of (frame, plate) those are missed."""
    random = np.random.default_rng(7)
    tracker = Tracker(TrackingSettings())
    tracks: dict[int, int] = {}
    count = 0
    for n in range(frames):
        shown = [p for p in range(len(plates)) if (n, p) not in missed]
        if turned and n % 2:
            shown.reverse()
        boxes = []
        for p in shown:
            dx, dy = random.normal(0.0, noise, 2) if noise else (0.0, 0.0)
            boxes.append(plates[p].at(n / rate_hz, (float(dx), float(dy))))
        looks = [look(p) for p in shown] if look is not None else None
        seen = [t for t in tracker.update(n / rate_hz, boxes, looks) if not t.carried]
        for p, tracked in zip(shown, seen, strict=True):
            count += tracks.setdefault(p, tracked.track_id) != tracked.track_id
            tracks[p] = tracked.track_id
    assert len(set(tracks.values())) == len(tracks), "two plates must never end in one track"
    return count


def gaps(frames: int, plates: int, longest: int) -> st.SearchStrategy[set[tuple[int, int]]]:
    """Missed detections after the first three frames, never more than so many in a row of one plate."""

    def clipped(missed: set[tuple[int, int]]) -> set[tuple[int, int]]:
        kept: set[tuple[int, int]] = set()
        for n, p in sorted(missed):
            if not all((n - k, p) in kept for k in range(1, longest + 1)):
                kept.add((n, p))
        return kept

    pairs = st.tuples(st.integers(3, frames - 1), st.integers(0, plates - 1))
    return st.sets(pairs, max_size=frames).map(clipped)


@settings(max_examples=80)
@given(
    missed=gaps(30, 2, 4),
    spacing=st.floats(3.0, 7.0),
    width=st.floats(50, 150),
    speed_x=st.floats(-150, 150),
    speed_y=st.floats(-60, 60),
    growth=st.floats(-0.2, 0.5),
    rate_hz=st.sampled_from([10.0, 15.0, 30.0]),
)
def test_two_plates_side_by_side_keep_their_tracks(
    missed: set[tuple[int, int]],
    spacing: float,
    width: float,
    speed_x: float,
    speed_y: float,
    growth: float,
    rate_hz: float,
) -> None:
    one = Plate(500, 400, width, speed_x, speed_y, growth)
    other = Plate(500 + spacing * width, 405, width * 0.95, speed_x, speed_y, growth)
    assert switches((one, other), rate_hz, missed, turned=True, noise=1.0) == 0


@settings(max_examples=80)
@given(
    missed=gaps(30, 2, 3),
    speed=st.floats(150, 400),
    other_speed=st.floats(150, 400),
    height=st.floats(-25, 25),
    rate_hz=st.sampled_from([15.0, 30.0]),
)
def test_two_plates_that_cross_keep_their_tracks(
    missed: set[tuple[int, int]], speed: float, other_speed: float, height: float, rate_hz: float
) -> None:
    crossing_s = 15 / rate_hz
    one = Plate(600 - speed * crossing_s, 400, 90, speed)
    other = Plate(600 + other_speed * crossing_s, 400 + height, 80, -other_speed)
    assert switches((one, other), rate_hz, missed, turned=True) == 0


@settings(max_examples=40)
@given(missed=gaps(30, 3, 4), noise=st.floats(0.0, 2.0), speed=st.floats(-100, 100))
def test_a_queue_of_plates_keeps_its_tracks(missed: set[tuple[int, int]], noise: float, speed: float) -> None:
    queue = tuple(Plate(300 + 260 * n, 300 + 20 * n, 60 + 10 * n, speed) for n in range(3))
    assert switches(queue, 30.0, missed, turned=True, noise=noise) == 0


def painted(text: str) -> Image:
    plate = np.full((40, 180, 3), 235, np.uint8)
    cv2.putText(plate, text, (6, 31), cv2.FONT_HERSHEY_SIMPLEX, 1.0, (20, 20, 20), 3)
    return plate


def look_of(text: str) -> Thumbnail:
    frame = np.full((120, 300, 3), 90, np.uint8)
    frame[40:80, 60:240] = painted(text)
    return thumbnails(frame, [PlateBox(60, 40, 240, 80, 0.9, (0.9,))])[0]


LOOKS = (look_of("B12XYZ"), look_of("HJ88MNO"))


@settings(max_examples=40)
@given(missed=gaps(12, 2, 1), step=st.floats(-1.2, 1.2), spacing=st.floats(1.2, 3.0))
def test_at_one_frame_a_second_looks_keep_plates_apart(
    missed: set[tuple[int, int]], step: float, spacing: float
) -> None:
    one = Plate(600, 400, 80, step * 80)
    other = Plate(600 + spacing * 80, 400, 80, step * 80)
    assert switches((one, other), 1.0, missed, frames=12, look=lambda plate: LOOKS[plate]) == 0


def test_a_plate_that_takes_the_place_of_another_is_doubtful_or_a_new_track() -> None:
    tracker = Tracker(TrackingSettings())
    box = Plate(600, 400, 80).at(0.0)
    (first,) = tracker.update(0.0, [box], [LOOKS[0]])
    (again,) = tracker.update(1.0, [box], [LOOKS[0]])
    assert (again.track_id, again.doubtful) == (first.track_id, False)
    (other,) = tracker.update(2.0, [box], [LOOKS[1]])
    assert other.track_id != first.track_id or other.doubtful


def test_a_plate_is_known_again_after_it_was_hidden() -> None:
    tracker = Tracker(TrackingSettings())
    (first,) = tracker.update(0.0, [Plate(600, 400, 80).at(0.0)], [LOOKS[0]])
    assert tracker.update(5.0, []) == ()
    assert tracker.take_lost() == [first.track_id]
    (again,) = tracker.update(6.0, [Plate(900, 420, 90).at(0.0)], [LOOKS[0]])
    assert again.track_id == first.track_id
    (other,) = tracker.update(12.0, [Plate(600, 400, 80).at(0.0)], [LOOKS[1]])
    assert other.track_id != first.track_id
    assert tracker.take_ended() == []
    tracker.predict(12.0 + TrackingSettings().remember_s + 1)
    assert set(tracker.take_ended()) == {first.track_id, other.track_id}


def test_a_long_gap_ends_a_track_before_another_plate_can_take_it() -> None:
    tracker = Tracker(TrackingSettings())
    box = Plate(600, 400, 80).at(0.0)
    (first,) = tracker.update(0.0, [box])
    (other,) = tracker.update(20.0, [box])
    assert other.track_id != first.track_id
    assert tracker.take_ended() == [first.track_id]


@pytest.mark.parametrize(("width", "tracks"), [(100.0, 1), (36.0, 2)])
def test_far_from_where_a_plate_should_be_looks_tell_only_of_large_ones(width: float, tracks: int) -> None:
    """As at a cut in a film: of a few strokes that look alike, one car's small plate would run on into another's."""
    tracker = Tracker(TrackingSettings())
    for n in range(5):
        tracker.update(n / 4, [Plate(400, 300, width).at(0.0)], [LOOKS[0]])
    seen = tracker.update(5 / 4, [Plate(400 + 3 * width, 300, width).at(0.0)], [LOOKS[0]])
    assert len({tracked.track_id for tracked in seen if not tracked.carried} | {0}) == tracks
