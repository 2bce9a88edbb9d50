"""Chooses which frames of a gap are kept: of each short while the sharpest, if it shows something new.

Pure. A frame near which another one was answered needs no keeping, and a gap so short that tracking bridges it
neither; an answer may come late, so that a sample waits for a while before it counts as unanswered.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass
from typing import Generic, TypeVar

import cv2
import numpy as np
from numpy.typing import NDArray

from edge_client.types import Image

T = TypeVar("T")

Glance = NDArray[np.uint8]
"""A frame in grey, small, shape (90, 160)."""

COVER_S = 0.4
"""How near to an answered frame one needs no keeping."""
GAP_S = 2.0
"""Shorter gaps between answers are a slow network, not a lost one."""
HOLD_S = 3.0
"""How long an answer may be late."""
_WIDTH_PX, _HEIGHT_PX = 160, 90
_NEW = 6.0
"""Mean difference of grey values in any of the parts of a frame from which on it shows something new."""
_PARTS = (16, 9)
_ROUNDING = 1e-6
_STILL_S = 5.0
"""A picture that stands still is kept again after this time."""


def glance(image: Image) -> tuple[Glance, float]:
    """A small grey picture of a frame, and its sharpness: the variance of the Laplacian at a quarter of the size."""
    small = cv2.resize(image, (2 * _WIDTH_PX, 2 * _HEIGHT_PX), interpolation=cv2.INTER_AREA)
    grey = cv2.cvtColor(small, cv2.COLOR_BGR2GRAY)
    sharp = float(cv2.Laplacian(grey, cv2.CV_32F).var())
    return np.asarray(cv2.resize(grey, (_WIDTH_PX, _HEIGHT_PX), interpolation=cv2.INTER_AREA), np.uint8), sharp


@dataclass(slots=True, eq=False)
class Sample(Generic[T]):
    """A frame that may have to be kept; ``before_s`` and ``after_s`` are its answered neighbours so far."""

    media_s: float
    sharpness: float
    look: Glance
    item: T
    before_s: float
    after_s: float = float("inf")


class Sampler(Generic[T]):
    """Times are media seconds; ``item`` is whatever belongs to a frame."""

    def __init__(self, rate_hz: float) -> None:
        self._rate_hz = rate_hz
        self._best: Sample[T] | None = None
        self._waiting: deque[Sample[T]] = deque()
        self._answered_s = float("-inf")
        self._kept: tuple[float, Glance] | None = None

    def wants(self, media_s: float) -> bool:
        """Whether an unanswered frame of this time might be kept."""
        return media_s - self._answered_s > COVER_S

    def unanswered(self, media_s: float, item: T, look: Glance, sharpness: float) -> None:
        """A frame got no answer in time."""
        if not self.wants(media_s):
            return
        best = self._best
        if best is not None and self._slot(best.media_s) != self._slot(media_s):
            self._end_slot()
            best = None
        if best is None or sharpness > best.sharpness:
            self._best = Sample(media_s, sharpness, look, item, self._answered_s)

    def answered(self, media_s: float) -> None:
        """A frame of this time was answered, maybe late: what lies near it need not be kept."""
        self._answered_s = max(self._answered_s, media_s)
        for sample in [*self._waiting, *([self._best] if self._best is not None else [])]:
            if media_s <= sample.media_s:
                sample.before_s = max(sample.before_s, media_s)
            else:
                sample.after_s = min(sample.after_s, media_s)
        self._waiting = deque(s for s in self._waiting if not _near(s))
        if self._best is not None and _near(self._best):
            self._best = None

    @property
    def waiting(self) -> tuple[Sample[T], ...]:
        """The best of each slot that has ended, not yet known to be kept or not."""
        return tuple(self._waiting)

    def ripe(self, now_s: float, *, lost: bool = False, ended: bool = False) -> list[Sample[T]]:
        """What is to be kept by now, in order.

        ``lost``: no answer is to be expected for anything that waits. ``ended``: no more frames come.
        """
        if self._best is not None and (ended or self._slot(now_s) != self._slot(self._best.media_s)):
            self._end_slot()
        kept = []
        while self._waiting and (lost or ended or now_s - self._waiting[0].media_s > HOLD_S):
            sample = self._waiting.popleft()
            after_s = now_s if ended and not lost else float("inf")
            if min(sample.after_s, after_s) - sample.before_s >= GAP_S and self._shows_new(sample):
                self._kept = sample.media_s, sample.look
                kept.append(sample)
        return kept

    def _slot(self, media_s: float) -> int:
        return int(media_s * self._rate_hz + _ROUNDING)

    def _end_slot(self) -> None:
        if self._best is not None:
            self._waiting.append(self._best)
        self._best = None

    def _shows_new(self, sample: Sample[T]) -> bool:
        if self._kept is None or sample.media_s - self._kept[0] > _STILL_S:
            return True
        difference = cv2.absdiff(sample.look, self._kept[1]).astype(np.float32)
        return float(cv2.resize(difference, _PARTS, interpolation=cv2.INTER_AREA).max()) >= _NEW


def _near(sample: Sample[T]) -> bool:
    return sample.media_s - sample.before_s <= COVER_S or sample.after_s - sample.media_s <= COVER_S
