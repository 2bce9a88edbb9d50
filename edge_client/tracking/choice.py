"""Chooses which crops are worth a request: those that most likely put a plate right that is not right yet.

What a request gains is that chance, from how well the crop shows its plate and from what was read of the plate
before. Less than `ReadingSettings.min_gain` is not asked for. A crop that is promising enough goes at once;
otherwise a better one is waited for, until the plate is out of sight. Requests that the budget of the whole device
does not cover wait, those that gain most go first.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, field
from operator import itemgetter
from typing import Generic, TypeVar

from edge_client.config import ReadingSettings
from edge_client.tracking.budget import TokenBucket
from edge_client.tracking.vote import Vote

T = TypeVar("T")

_USUAL_SHARPNESS = 500.0
_SHARPNESS_COUNTS = 0.25
_USUAL_SCORE = 0.8
_SCORE_COUNTS = 1.0
_HALF_READ_PX = 71.0  # promise at which every other crop is read right, and how steeply their share grows
_STEEPNESS = 4.7
_DISAGREEING = 0.75
_CHANGED, _RUN_OVER = 0.5, 0.25  # chance of another plate where looks changed, and after some time
_CUT = 0.5  # what the frame's edge may cut, as often reads wrongly
_STUBBORN = 0.6  # each crop that was not read right makes the next one, no larger, that less likely
_CLEARER = 1.12  # a crop this much larger than what was tried before has a chance of its own
_LIKELY = 0.5
_PATIENCE = 10  # times `wait_s`: then what is not likely to be read is tried all the same
_MOST_WAITING = 64
_WHOLE_ASPECT = 2.8
_HELD = 3
_APART_S = 0.15
_SIGHTS = 3  # where frames lie far apart, a better crop is waited for in so many of them


@dataclass(frozen=True, slots=True)
class Look:
    """How well a crop shows its plate: size and score of the box, and variance of the Laplacian.

    ``steady`` is false where the track may have run over to another plate. ``whole`` is false where the frame's
    edge may cut the plate: half a plate reads confidently as a wrong one, so it is read as a last resort only, and
    only if it is as wide as whole plates are.
    """

    width_px: float
    height_px: float
    sharpness: float
    steady: bool = True
    whole: bool = True
    score: float = _USUAL_SCORE

    @property
    def promise_px(self) -> float:
        """How wide a plate of usual sharpness and score would be that reads as well."""
        return promise_px(self.width_px, self.sharpness, self.score)


def promise_px(width_px: float, sharpness: float, score: float) -> float:
    """How wide a plate of usual sharpness and score would be that reads as well; ``score`` is the box's, 0..1.

    On 527 crops that were read and compared with their labels, what is blurred or hardly a plate to the detector is
    hopeless as what is small: below 65 px one read in ten is right, above it nine in ten.
    """
    sharp = math.pow(max(sharpness, 1.0) / _USUAL_SHARPNESS, _SHARPNESS_COUNTS)
    factor = sharp * math.exp(_SCORE_COUNTS * (score - _USUAL_SCORE))
    return width_px * min(max(factor, 0.5), 1.5)


def chance(promise: float) -> float:
    """How likely a crop of this promise, in pixels, is read right, 0..1.

    Fitted to 557 detected boxes of drives, those that nobody can read and those that are no plates included.
    """
    return 1.0 / (1.0 + math.pow(_HALF_READ_PX / max(promise, 1.0), _STEEPNESS))


@dataclass(slots=True, eq=False)
class _Held(Generic[T]):
    crop: T
    promise_px: float
    at_s: float


@dataclass(slots=True)
class _Track(Generic[T]):
    requests: int = 0  # in all
    asked: int = 0  # of the plate that it follows now
    pending: int = 0
    held: list[_Held[T]] = field(default_factory=list)  # the best first
    resort: _Held[T] | None = None  # perhaps cut by the frame's edge
    before: _Held[T] | None = None  # held, never sent, when the track jumped: of another plate perhaps
    began_s: float = 0.0  # sights since the plate is followed, and their number
    sights: int = 0
    tried_px: float = 0.0
    tried_at_s: float = -math.inf
    other: float = 0.0  # chance that it does not follow the plate any more that was read
    confirmed: int = 0  # reads in a row that found the same plate after a jump
    ended: bool = False

    def verify(self, now_s: float, other: float) -> None:
        """Look after a while whether it is still the same plate."""
        if not self.other:
            self.began_s, self.sights = now_s, 0
        self.other = max(self.other, other)

    def hold(self, held: _Held[T]) -> None:
        """Keep it among the few best ones; of those close to each other in time only the best."""
        near = [h for h in self.held if abs(h.at_s - held.at_s) < _APART_S]
        if any(h.promise_px >= held.promise_px for h in near):
            return
        kept = [h for h in self.held if h not in near]
        self.held = sorted([*kept, held], key=lambda h: -h.promise_px)[:_HELD]


class CropChoice(Generic[T]):
    """Remembers per track what was sent and holds the best crop for the next request; ``T`` is the crop.

    ``vote_of`` gives what was read of a track so far. ``bucket`` is the budget, shared with others; None for the
    settings' own. Times are media seconds.
    """

    def __init__(
        self, settings: ReadingSettings, vote_of: Callable[[int], Vote], bucket: TokenBucket | None = None
    ) -> None:
        self._settings = settings
        self._vote_of = vote_of
        self._bucket = bucket or TokenBucket(settings.requests_per_s, settings.requests_burst)
        self._tracks: dict[int, _Track[T]] = {}

    def offer(self, number: int, look: Look, now_s: float, crop: Callable[[], T]) -> None:
        """A track was seen; ``crop`` is called when this sight is the best one to be held."""
        settings = self._settings
        too_small = look.width_px < settings.min_width_px or look.height_px < settings.min_height_px
        cut = not look.whole and look.width_px < _WHOLE_ASPECT * look.height_px
        if too_small or cut or chance(look.promise_px) < settings.min_gain:
            return
        track = self._tracks.setdefault(number, _Track())
        if not track.sights:
            track.began_s = now_s
        if not look.steady and look.whole:  # what the edge cuts looks different anyway
            _jump(track, now_s)
        elif track.asked:
            periods = (now_s - track.tried_at_s) / (settings.verify_s * 2.0**track.confirmed)
            if periods >= 1.0:
                track.verify(now_s, 1.0 - (1.0 - _RUN_OVER) ** periods)
        if track.ended:
            self._found_again(number, track, now_s)
        track.sights += 1
        if not look.whole:
            if track.resort is None or look.promise_px > track.resort.promise_px:
                track.resort = _Held(crop(), look.promise_px, now_s)
        elif not self._settled(number, track) and _betters(track, look.promise_px, now_s):
            track.hold(_Held(crop(), look.promise_px, now_s))

    def due(self, now_s: float, most: int, *, last: bool = False) -> list[T]:
        """The crops to be sent now, at most so many; they count as sent. ``last`` waits for nothing more."""
        ready = []
        for number, track in self._tracks.items():
            held = None if track.pending else self._ripe(number, track, now_s, last=last)
            if held is not None:
                ready.append((track.asked > 0, -self._gain(number, track, held), -held.promise_px, number, held))
        chosen: list[T] = []
        for *_, number, held in sorted(ready, key=itemgetter(0, 1, 2, 3)):
            if len(chosen) >= most or not (last or self._bucket.take(now_s)):
                break
            _note_sent(self._tracks[number], held, now_s)
            chosen.append(held.crop)
        self._give_up()
        return chosen

    def answered(self, number: int, *, agrees: bool) -> None:
        """An answer for a crop of this track came, and is part of its vote now.

        Where it does not agree with what was read of the track before, the track may have run over to another plate.
        """
        track = self._tracks.get(number)
        if track is not None:
            track.pending -= 1
            if not agrees:
                track.other = 0.0 if well_read(self._vote_of(number), self._settings) else 1.0
            track.confirmed = track.confirmed + 1 if agrees else 0

    def failed(self, number: int, look: Look, now_s: float, crop: T) -> None:
        """No answer came: the crop does not count as tried, and is held again."""
        track = self._tracks.get(number)
        if track is None:
            return
        track.pending -= 1
        track.requests -= 1
        track.asked = max(track.asked - 1, 0)
        track.tried_px = 0.0
        self._bucket.give_back()
        track.hold(_Held(crop, look.promise_px, now_s))

    def lost(self, number: int) -> None:
        """A track is out of sight: what is held of it is sent soon or, if it is well read, let go."""
        track = self._tracks.get(number)
        if track is not None:
            track.ended = True

    def needs(self, number: int) -> bool:
        """Whether a crop of this track is on its way or waits to be sent."""
        track = self._tracks.get(number)
        if track is None:
            return False
        left = bool(track.held) or (track.resort is not None and not track.asked)
        waits = left and not self._settled(number, track)
        return waits or track.before is not None or track.pending > 0

    def forget(self, number: int) -> None:
        """Let an ended track go."""
        self._tracks.pop(number, None)

    def _found_again(self, number: int, track: _Track[T], now_s: float) -> None:
        """A lost track goes on, perhaps with another plate: what was held of the one before is still sent."""
        track.ended = False
        if track.held and self._gain(number, track, track.held[0]) >= self._settings.min_gain:
            track.before = track.held[0]
        track.held.clear()
        track.began_s, track.sights = now_s, 0

    def _settled(self, number: int, track: _Track[T]) -> bool:
        """Whether the plate is read well enough, or was asked for often enough."""
        if track.requests >= self._settings.max_requests:
            return True
        return bool(track.asked) and not track.other and well_read(self._vote_of(number), self._settings)

    def _gain(self, number: int, track: _Track[T], held: _Held[T]) -> float:
        """The chance that this crop puts a plate right that is not right yet."""
        own = chance(held.promise_px) * (_CUT if held is track.resort else 1.0)
        if held is track.before or not track.asked:
            return own if held is track.before or not track.other else own * track.other
        if well_read(self._vote_of(number), self._settings):
            return own * track.other
        again = own * min((held.promise_px / max(track.tried_px, 1.0) / _CLEARER) ** 3, 1.0)
        larger = held.promise_px >= self._settings.larger_crop * track.tried_px
        return again if larger else again * math.pow(_STUBBORN, track.asked - 1)

    def _ripe(self, number: int, track: _Track[T], now_s: float, *, last: bool) -> _Held[T] | None:
        """The crop that is to be sent now, if a better one is not to be waited for."""
        if track.requests >= self._settings.max_requests:
            track.before = None
        if track.before is not None:
            return track.before
        if self._settled(number, track):
            track.held.clear()
            return None
        over, settings = last or track.ended, self._settings
        best = track.held[0] if track.held else None
        if over and not track.asked and track.resort is not None:
            gains = [(self._gain(number, track, h), h) for h in (*track.held[:1], track.resort)]
            best = max(gains, key=itemgetter(0))[1]
        if best is None or self._gain(number, track, best) < settings.min_gain:
            if over:
                track.held.clear()
                track.resort = None
            return None
        if over:
            return best
        if track.other and now_s - track.tried_at_s < settings.again_s * 2.0 ** (track.confirmed + 1):
            return None  # such jumps were the same plate before
        if not track.asked or track.other:
            waited_s = now_s - track.began_s if track.sights >= _SIGHTS else 0.0
            likely = chance(best.promise_px) >= _LIKELY
            waited = waited_s >= settings.wait_s * (1 if likely else _PATIENCE)
            return best if waited or best.promise_px >= settings.at_once_px else None
        larger = best.promise_px >= settings.larger_crop * track.tried_px
        waited = now_s - track.tried_at_s >= settings.again_s * 2.0 ** (track.asked - 1)
        return best if larger or waited else None

    def _give_up(self) -> None:
        """Keep memory bounded where the budget falls far behind: the least promising ended plates go."""
        waiting = [t for t in self._tracks.values() if t.ended and (t.held or t.before is not None)]
        if len(waiting) > _MOST_WAITING:
            waiting.sort(key=lambda t: t.held[0].promise_px if t.held else 0.0)
            for track in waiting[:-_MOST_WAITING]:
                track.held.clear()
                track.before = None


def _betters(track: _Track[T], promise_px: float, now_s: float) -> bool:
    """Whether a crop would be held: encoding it is work."""
    near = [h for h in track.held if abs(h.at_s - now_s) < _APART_S]
    if near:
        return all(h.promise_px < promise_px for h in near)
    return len(track.held) < _HELD or promise_px > track.held[-1].promise_px


def _jump(track: _Track[T], now_s: float) -> None:
    """From here on it may be another plate."""
    if track.held and not track.asked and not track.other:
        track.before = track.held[0]
    track.held.clear()
    track.resort = None
    track.asked = 0
    track.tried_px = 0.0
    track.other = 0.0
    track.verify(now_s, _CHANGED)


def _note_sent(track: _Track[T], held: _Held[T], now_s: float) -> None:
    if held is track.before:
        track.before = None
    else:
        if held is track.resort:
            track.resort = None
        else:
            track.held.remove(held)
        track.asked += 1
        track.other = 0.0
        track.tried_px = max(track.tried_px, held.promise_px)
        track.tried_at_s = now_s
    track.requests += 1
    track.pending += 1


def well_read(vote: Vote, settings: ReadingSettings) -> bool:
    """Whether a vote needs no further request: reads agree with confidence, or one is all but certain."""
    agreed = vote.support >= settings.enough_reads and vote.confidence >= settings.enough_confidence
    return agreed or (vote.plate_confidence >= settings.sure_confidence and vote.confidence >= _DISAGREEING)
