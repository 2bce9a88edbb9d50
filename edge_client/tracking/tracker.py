"""Links the boxes of one plate across frames and carries them to frames without a result.

Greedy assignment of boxes to predicted tracks by overlap, distance and size: plates are few and far apart in
a picture, so the optimal assignment would hardly ever differ. Links made here may be wrong where frames lie
far apart; `PlateBook` sets them right by what was read.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from cloud_apis.contract import PlateBox
from edge_client.config import TrackingSettings
from edge_client.tracking.motion import Motion, Shape, jump, overlap, shape_of, size_ratio
from edge_client.types import TrackedBox

_ENOUGH_OVERLAP = 0.1
_LARGEST_RATIO = 2.0
_SPEED_TRUST = 0.6


@dataclass(slots=True)
class _Track:
    number: int
    motion: Motion
    box: PlateBox
    hits: int = 1


class Tracker:
    """Follows plates through the frames of one drive; times are media seconds, boxes full-frame pixels."""

    def __init__(self, settings: TrackingSettings) -> None:
        self._settings = settings
        self._tracks: list[_Track] = []
        self._next = 0
        self._ended: list[int] = []

    def update(self, time_s: float, boxes: Sequence[PlateBox]) -> tuple[TrackedBox, ...]:
        """Link the boxes detected in the frame of this time; tracks missed in it are carried for a while.

        A frame older than what was seen already (a late answer) is linked too, but moves nothing back.
        """
        shapes = [shape_of(b) for b in boxes]
        linked: dict[int, _Track] = {}
        for _, track, index in sorted(self._candidates(time_s, shapes), key=lambda c: c[0]):
            if index not in linked and all(track is not t for t in linked.values()):
                linked[index] = track
        for index, track in linked.items():
            trust = _SPEED_TRUST if track.hits > 1 else 1.0
            moved = track.motion.observed(shapes[index], time_s, trust)
            if moved is not track.motion:
                track.motion, track.box = moved, boxes[index]
            track.hits += 1
        seen = []
        for index, box in enumerate(boxes):
            found = linked.get(index)
            if found is None:
                found = _Track(self._next, Motion(shapes[index], (0.0, 0.0, 0.0, 0.0), time_s), box)
                self._next += 1
                self._tracks.append(found)
                linked[index] = found
            seen.append(TrackedBox(found.number, box, carried=False))
        kept = {t.number for t in linked.values()}
        missed = [t for t in self._tracks if t.number not in kept and t.hits > 1]
        seen.extend(self._carried(time_s, missed, self._settings.carry_missed_s))
        self._retire(time_s)
        return tuple(seen)

    def predict(self, time_s: float) -> tuple[TrackedBox, ...]:
        """Boxes carried to the frame of this time, which has no result of its own."""
        carried = self._carried(time_s, self._tracks, self._settings.carry_s)
        self._retire(time_s)
        return tuple(carried)

    def take_ended(self) -> list[int]:
        """Numbers of the tracks that ended since the last call."""
        ended, self._ended = self._ended, []
        return ended

    def _candidates(self, time_s: float, shapes: Sequence[Shape]) -> list[tuple[float, _Track, int]]:
        found = []
        for track in self._tracks:
            predicted = track.motion.predict(time_s)
            for index, shape in enumerate(shapes):
                common = overlap(predicted, shape)
                far = min(jump(predicted, shape), jump(track.motion.shape, shape) + 0.5)
                ratio = size_ratio(predicted, shape)
                if common > _ENOUGH_OVERLAP or (far <= self._settings.reach and ratio <= _LARGEST_RATIO):
                    found.append((far + math.log(ratio) - common, track, index))
        return found

    def _carried(self, time_s: float, tracks: Sequence[_Track], for_s: float) -> list[TrackedBox]:
        carried = []
        for track in tracks:
            if abs(time_s - track.motion.at_s) <= for_s:
                x, y, w, h = track.motion.predict(time_s)
                box = PlateBox(x - w / 2, y - h / 2, x + w / 2, y + h / 2, track.box.objectness, track.box.class_scores)
                carried.append(TrackedBox(track.number, box, carried=True))
        return carried

    def _retire(self, time_s: float) -> None:
        alive = []
        for track in self._tracks:
            if time_s - track.motion.at_s > self._settings.keep_s:
                self._ended.append(track.number)
            else:
                alive.append(track)
        self._tracks = alive
