"""Links the boxes of one plate across frames and carries them to frames without a result.

Boxes are paired with predicted tracks at the least cost in all, so that two plates side by side keep their tracks
where one of them is missed. How far a plate may have come depends on the time that has passed, not on frames: the
same gates serve thirty frames a second and one. Links may still be wrong where frames lie far apart; they are
marked, and `PlateBook` sets them right by what was read.
"""

from __future__ import annotations

import math
import statistics
from collections import Counter, deque
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from cloud_apis.contract import PlateBox
from edge_client.config import TrackingSettings
from edge_client.tracking.appearance import Thumbnail, most_alike
from edge_client.tracking.assignment import cheapest_pairs
from edge_client.tracking.motion import Motion, Shape, jump, overlap, shape_of, size_ratio
from edge_client.types import TrackedBox

_ENOUGH_OVERLAP = 0.1
_SURE_OVERLAP = 0.3
_LARGEST_RATIO = 2.0
_SPEED_TRUST = 0.6
_ERROR = 0.5  # plate widths by which a prediction may err at once
_NEW_SPEED, _SPEED_CHANGE = 10.0, 4.0  # plate widths per second
_CLEAR_OVERLAP = 0.5  # from here on places alone tell, unless two tracks are near
_SHORT_S = 0.4  # in which no car takes another one's place
_UNLIKE, _FAIRLY_ALIKE, _ALIKE = 0.5, 0.65, 0.7
_UNLIKE_COSTS = 3.0
_FAR_REACH, _FAR_RATIO = 3.0, 3.0  # how much more a plate that looks the same may have moved and grown
_KEPT_LOOKS = 4
_SAME = 0.8
_TOLD_APART_PX = 50.0  # narrower plates are a few strokes that many others show as well
_LOOK_EVERY_S = 0.3  # while places alone tell: another plate in the same place is noticed within this time
_LOST_COSTS = 4.0  # beside any track that is in sight
_KEPT_INTERVALS = 9
_MISSED_FRAMES = 2.5
_LONGEST_KEEP_S = 4.0


@dataclass(slots=True)
class _Track:
    number: int
    motion: Motion
    box: PlateBox
    looks: deque[Thumbnail]
    looked_s: float
    hits: int = 1
    lost: bool = False


@dataclass(frozen=True, slots=True)
class _Near:
    """How a box lies to a track: common part, distance in what is likely, ratio of sizes, time since it was seen.

    ``large`` says whether both are wide enough to be told apart by their looks.
    """

    common: float
    far: float
    ratio: float
    gap_s: float
    large: bool


@dataclass(frozen=True, slots=True)
class _Link:
    cost: float
    doubtful: bool
    looked: bool


class Tracker:
    """Follows plates through the frames of one drive; times are media seconds, boxes full-frame pixels."""

    def __init__(self, settings: TrackingSettings) -> None:
        self._settings = settings
        self._tracks: list[_Track] = []
        self._next = 0
        self._lost: list[int] = []
        self._ended: list[int] = []
        self._at_s: float | None = None
        self._intervals_s: deque[float] = deque(maxlen=_KEPT_INTERVALS)

    def update(
        self, time_s: float, boxes: Sequence[PlateBox], looks: Sequence[Thumbnail] | None = None
    ) -> tuple[TrackedBox, ...]:
        """Link the boxes detected in the frame of this time; tracks missed in it are carried for a while.

        ``looks`` shows each box, so that plates are told apart by more than their places. A frame older than what
        was seen already (a late answer) is linked too, but moves nothing back.
        """
        self._passed(time_s)
        self._retire(time_s)
        shapes = [shape_of(b) for b in boxes]
        links = self._links(time_s, shapes, looks)
        pairs = cheapest_pairs(len(boxes), len(self._tracks), {pair: link.cost for pair, link in links.items()})
        known = list(self._tracks)
        seen: list[TrackedBox] = []
        linked: set[int] = set()
        for index, box in enumerate(boxes):
            if index in pairs:
                track = known[pairs[index]]
                link = links[index, pairs[index]]
                look = looks[index] if looks is not None and link.looked else None
                self._move(track, box, shapes[index], look, time_s)
                doubtful = link.doubtful
            else:
                at_rest = Motion(shapes[index], (0.0, 0.0, 0.0, 0.0), time_s)
                first = deque([looks[index]] if looks is not None else [], _KEPT_LOOKS)
                track = _Track(self._next, at_rest, box, first, time_s)
                self._next += 1
                self._tracks.append(track)
                doubtful = False
            linked.add(track.number)
            seen.append(TrackedBox(track.number, box, carried=False, doubtful=doubtful))
        missed = [t for t in self._tracks if t.number not in linked and t.hits > 1]
        seen.extend(self._carried(time_s, missed, self._settings.carry_missed_s))
        return tuple(seen)

    def predict(self, time_s: float) -> tuple[TrackedBox, ...]:
        """Boxes carried to the frame of this time, which has no result of its own."""
        carried = self._carried(time_s, self._tracks, self._settings.carry_s)
        self._retire(time_s)
        return tuple(carried)

    def take_lost(self) -> list[int]:
        """Numbers of the tracks that were lost from sight since the last call; they may still be found again."""
        lost, self._lost = self._lost, []
        return lost

    def take_ended(self) -> list[int]:
        """Numbers of the tracks that ended since the last call."""
        ended, self._ended = self._ended, []
        return ended

    def _passed(self, time_s: float) -> None:
        if self._at_s is not None and time_s > self._at_s:
            self._intervals_s.append(time_s - self._at_s)
        self._at_s = time_s if self._at_s is None else max(time_s, self._at_s)

    def _move(self, track: _Track, box: PlateBox, shape: Shape, look: Thumbnail | None, time_s: float) -> None:
        if track.lost:
            track.lost, track.hits = False, 0
            track.motion = Motion(shape, (0.0, 0.0, 0.0, 0.0), track.motion.at_s)
        moved = track.motion.observed(shape, time_s, _SPEED_TRUST if track.hits > 1 else 1.0)
        if moved is not track.motion:
            track.motion, track.box = moved, box
            if look is not None:
                track.looks.append(look)
                track.looked_s = time_s
        track.hits += 1

    def _links(
        self, time_s: float, shapes: Sequence[Shape], looks: Sequence[Thumbnail] | None
    ) -> dict[tuple[int, int], _Link]:
        """The links that are possible: (index of the box, index of the track)."""
        near: dict[tuple[int, int], _Near] = {}
        links: dict[tuple[int, int], _Link] = {}
        for place, track in enumerate(self._tracks):
            if track.lost:
                continue
            predicted = track.motion.predict(time_s)
            gap_s = abs(time_s - track.motion.at_s)
            reach = self._reach(track, gap_s)
            for index, shape in enumerate(shapes):
                common = overlap(predicted, shape)
                far = min(jump(predicted, shape), jump(track.motion.shape, shape) + _ERROR)
                ratio = size_ratio(predicted, shape)
                if common > _ENOUGH_OVERLAP or (far <= _FAR_REACH * reach and ratio <= _FAR_RATIO):
                    near[index, place] = _Near(common, far / reach, ratio, gap_s, _large(track, shape))
        alike = self._alike(time_s, near, shapes, looks) if looks is not None else {}
        for (index, place), pair in near.items():
            known = alike.get((index, place))
            if _possible(pair, known):
                unlike = _UNLIKE_COSTS * (1.0 - known) if known is not None else 0.0
                cost = pair.far + math.log(pair.ratio) - pair.common + unlike
                links[index, place] = _Link(cost, _doubtful(pair, known), (index, place) in alike)
        for (index, place), known in alike.items():
            if self._tracks[place].lost and known is not None and known >= _SAME:
                links[index, place] = _Link(_LOST_COSTS + _UNLIKE_COSTS * (1.0 - known), doubtful=False, looked=True)
        return links

    def _alike(
        self,
        time_s: float,
        near: Mapping[tuple[int, int], _Near],
        shapes: Sequence[Shape],
        looks: Sequence[Thumbnail],
    ) -> dict[tuple[int, int], float | None]:
        """How alike boxes are to tracks that they may belong to, as far as looks are needed to tell."""
        boxes, places = Counter(i for i, _ in near), Counter(p for _, p in near)
        wanted: dict[int, list[int]] = {}
        followed = set()
        for (index, place), pair in near.items():
            clear = pair.common > _CLEAR_OVERLAP and pair.gap_s <= _SHORT_S
            if clear:
                followed.add(index)
            alone = boxes[index] == 1 == places[place]
            if not (clear and alone and abs(time_s - self._tracks[place].looked_s) < _LOOK_EVERY_S):
                wanted.setdefault(index, []).append(place)
        for place, track in enumerate(self._tracks):
            for index, shape in enumerate(shapes) if track.lost else ():
                # For lost tracks looks alone tell, and only without a doubt.
                if (
                    _large(track, shape)
                    and index not in followed
                    and size_ratio(track.motion.shape, shape) <= _FAR_RATIO
                ):
                    wanted.setdefault(index, []).append(place)
        alike: dict[tuple[int, int], float | None] = {}
        for index, candidates in wanted.items():
            found = most_alike(looks[index], [self._tracks[place].looks for place in candidates])
            alike.update({(index, place): value for place, value in zip(candidates, found, strict=True)})
        return alike

    def _reach(self, track: _Track, gap_s: float) -> float:
        """How far from its prediction a plate is likely to be, in plate widths."""
        speed = _SPEED_CHANGE if track.hits > 1 else _NEW_SPEED
        return min(_ERROR + speed * gap_s, self._settings.reach)

    def _carried(self, time_s: float, tracks: Sequence[_Track], for_s: float) -> list[TrackedBox]:
        carried = []
        for track in tracks:
            if not track.lost and abs(time_s - track.motion.at_s) <= for_s:
                x, y, w, h = track.motion.predict(time_s)
                box = PlateBox(x - w / 2, y - h / 2, x + w / 2, y + h / 2, track.box.objectness, track.box.class_scores)
                carried.append(TrackedBox(track.number, box, carried=True))
        return carried

    def _retire(self, time_s: float) -> None:
        """Lose and end tracks; where frames lie far apart one may be missed in two of them all the same."""
        interval_s = statistics.median(self._intervals_s) if self._intervals_s else 0.0
        keep_s = max(self._settings.keep_s, min(_MISSED_FRAMES * interval_s, _LONGEST_KEEP_S))
        alive = []
        for track in self._tracks:
            gap_s = time_s - track.motion.at_s
            if gap_s > keep_s and not track.lost:
                track.lost = True
                self._lost.append(track.number)
            if gap_s > (max(self._settings.remember_s, keep_s) if track.looks else keep_s):
                self._ended.append(track.number)
            else:
                alive.append(track)
        self._tracks = alive


def _large(track: _Track, shape: Shape) -> bool:
    return min(shape[2], track.motion.shape[2]) >= _TOLD_APART_PX


def _possible(pair: _Near, alike: float | None) -> bool:
    """Whether a box may be a track's plate."""
    if pair.common > _SURE_OVERLAP and pair.gap_s <= _SHORT_S:
        return True
    if alike is not None and alike < _UNLIKE:
        return False
    likely = pair.common > _ENOUGH_OVERLAP or (pair.far <= 1.0 and pair.ratio <= _LARGEST_RATIO)
    return likely or (pair.large and alike is not None and alike >= _ALIKE)


def _doubtful(pair: _Near, alike: float | None) -> bool:
    """Whether neither place nor looks tell that it is the same plate: in a while cars change their places."""
    same_place = pair.common >= _SURE_OVERLAP
    if alike is None:
        return not same_place
    return alike < (_FAIRLY_ALIKE if same_place else _ALIKE)
