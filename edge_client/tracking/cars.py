"""Chooses the picture of each track's car that is worth the one request: large enough, and the whole car in it.

A picture that is good enough goes after a short time in which a better one may come; otherwise the best one goes when
the car is out of sight. Pure state, driven from one thread; times are media seconds.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Generic, TypeVar

from cloud_apis.contract import PlateBox
from edge_client.config import VehicleSettings

T = TypeVar("T")

_ENOUGH_PX = 72.0
"""Plates this wide are on cars of 250 px and more, which is what classifiers look at."""
_LEAST, _FAIR, _GOOD = 0.1, 0.5, 0.95
_PATIENCE = 3.0  # times `wait_s`: then a car that is not well seen is asked for all the same
_BETTER = 1.25  # encoding a picture is work
_LARGER = 2.0  # what the second look at a car that was told must have more than the first
_MOST_FAILURES = 3
_OUT_OF_SIGHT_S = 120.0
_MOST_WAITING = 32
# The likely place of a car about its plate, in plate widths to each side: left and right, above, below.
_ASIDE, _ABOVE, _BELOW = 1.8, 1.8, 0.8


def car_quality(box: PlateBox, width_px: int, height_px: int) -> float:
    """How well a frame of that size shows the car of a plate, 0..1: its size, and how much of it is in the frame."""
    plate_px = max(box.xmax - box.xmin, 1e-6)
    x, y = (box.xmin + box.xmax) / 2, (box.ymin + box.ymax) / 2
    left, right = max(x - _ASIDE * plate_px, 0.0), min(x + _ASIDE * plate_px, float(width_px))
    top, bottom = max(y - _ABOVE * plate_px, 0.0), min(y + _BELOW * plate_px, float(height_px))
    inside = max(right - left, 0.0) * max(bottom - top, 0.0) / (2 * _ASIDE * (_ABOVE + _BELOW) * plate_px**2)
    return min(plate_px / _ENOUGH_PX, 1.0) * inside**2


@dataclass(slots=True)
class _Track(Generic[T]):
    began_s: float
    held: T | None = None
    quality: float = 0.0
    asked_quality: float = 0.0  # of the best picture that was answered for
    requests: int = 0
    failures: int = 0
    told: bool = False
    pending: bool = False
    lost_at_s: float | None = None


class CarChoice(Generic[T]):
    """Remembers per track what was asked, and holds the best picture for the next request; ``T`` is the picture."""

    def __init__(self, settings: VehicleSettings) -> None:
        self._settings = settings
        self._tracks: dict[int, _Track[T]] = {}

    def offer(self, number: int, quality: float, now_s: float, picture: Callable[[], T]) -> None:
        """A track's car was seen; ``picture`` is called when this sight is the best one to be held."""
        track = self._tracks.setdefault(number, _Track(now_s))
        track.lost_at_s = None
        if self._settled(track) or quality < _LEAST:
            return
        least = track.quality * _BETTER if track.held is not None else 0.0
        if track.asked_quality:
            least = max(least, track.asked_quality * (_LARGER if track.told else _BETTER))
        if quality >= least:
            track.held, track.quality = picture(), quality

    def due(self, now_s: float, take: Callable[[], bool], *, last: bool = False) -> tuple[int, T] | None:
        """The track and picture to be sent now; it counts as sent. ``take`` takes from the budget, if it can.

        ``last`` waits for nothing better.
        """
        self._forget_unanswered(now_s)
        ripe = [(t.quality, -n, n) for n, t in self._tracks.items() if self._ripe(t, now_s, last=last)]
        if not ripe or not take():
            return None
        number = max(ripe)[2]
        track = self._tracks[number]
        picture, track.held = track.held, None
        assert picture is not None  # noqa: S101 - what is ripe is held
        track.pending = True
        track.requests += 1
        track.asked_quality = max(track.asked_quality, track.quality)
        return number, picture

    def answered(self, number: int, *, told: bool) -> None:
        """An answer came; ``told`` is whether it describes the car."""
        track = self._tracks.get(number)
        if track is not None:
            track.pending = False
            track.told = track.told or told

    def failed(self, number: int, picture: T, *, passing: bool) -> None:
        """No answer came: the picture does not count as asked, and is held again unless a better one is.

        ``passing`` says that this had nothing to do with the picture.
        """
        track = self._tracks.get(number)
        if track is None:
            return
        track.pending = False
        track.requests -= 1
        track.failures += not passing
        if track.held is None:
            track.held, track.quality = picture, track.asked_quality
        if not track.requests:
            track.asked_quality = 0.0

    def again(self, number: int) -> None:
        """The track has another plate now, and so another car."""
        track = self._tracks.get(number)
        if track is not None and not track.pending:
            self._tracks[number] = _Track(track.began_s)

    def lost(self, number: int, now_s: float) -> None:
        """A track is out of sight: what is held of it is to be sent."""
        track = self._tracks.get(number)
        if track is not None and track.lost_at_s is None:
            track.lost_at_s = now_s

    def needs(self, number: int) -> bool:
        """Whether a picture of this track's car is on its way or waits to be sent."""
        track = self._tracks.get(number)
        return track is not None and (track.pending or (track.held is not None and not self._settled(track)))

    def forget(self, number: int) -> bool:
        """Let an ended track go; gives whether its car was worth a request that nobody answered."""
        track = self._tracks.pop(number, None)
        return track is not None and not track.requests and (track.held is not None or track.failures > 0)

    def _settled(self, track: _Track[T]) -> bool:
        """Whether nothing more is asked of it."""
        well_told = track.told and track.asked_quality >= _FAIR
        return well_told or track.requests >= self._settings.max_requests or track.failures >= _MOST_FAILURES

    def _ripe(self, track: _Track[T], now_s: float, *, last: bool) -> bool:
        if track.held is None or track.pending or self._settled(track):
            return False
        if last or track.lost_at_s is not None or track.quality >= _GOOD:
            return True
        waited_s = now_s - track.began_s
        return waited_s >= self._settings.wait_s * (1.0 if track.quality >= _FAIR else _PATIENCE)

    def _forget_unanswered(self, now_s: float) -> None:
        """Keep memory bounded where no answers come: cars long out of sight go, and the worst of too many."""
        waiting = [t for t in self._tracks.values() if t.lost_at_s is not None and t.held is not None]
        waiting.sort(key=lambda t: t.quality)
        for index, track in enumerate(waiting):
            late = track.lost_at_s is not None and now_s - track.lost_at_s > _OUT_OF_SIGHT_S
            if late or index < len(waiting) - _MOST_WAITING:
                track.held, track.failures = None, _MOST_FAILURES
