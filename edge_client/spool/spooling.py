"""Brings evidence of a gap to disk, on a thread of its own: frames without a detector, crops without a reader."""

from __future__ import annotations

import logging
import queue
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import simplejpeg

from edge_client.clock import Correction
from edge_client.config import OfflineSettings
from edge_client.pipeline.events import SentCrop, Sighting
from edge_client.spool.evidence import Evidence
from edge_client.spool.folder import Entry, SpoolFolder
from edge_client.spool.sampling import Sampler, glance
from edge_client.tracking.choice import promise_px
from edge_client.types import Frame

_LOG = logging.getLogger(__name__)
_MOST_QUEUED = 4
"""Frames that may wait to be looked at; they hold memory."""
_LOOK_S = 0.5
_EXPIRE_S = 3600.0
_MOST_TRACKS = 500


@dataclass(frozen=True, slots=True, eq=False)
class _Missed:
    frame: Frame
    media_s: float


@dataclass(frozen=True, slots=True, eq=False)
class _Answered:
    media_s: float


@dataclass(frozen=True, slots=True, eq=False)
class _Unread:
    crops: Sequence[SentCrop]


@dataclass(frozen=True, slots=True, eq=False)
class _Read:
    track: int


_News = _Missed | _Answered | _Unread | _Read | Correction


class Spooling:
    """What the coordinator tells of; all but ``close`` return at once.

    ``lost`` says whether no answer is to be expected now. ``on_kept`` is called after each piece of evidence that
    was kept, from the spool's thread.
    """

    def __init__(
        self,
        drive: str,
        folder: SpoolFolder,
        settings: OfflineSettings,
        lost: Callable[[], bool],
        on_kept: Callable[[], None],
    ) -> None:
        self._drive = drive
        self._folder = folder
        self._settings = settings
        self._lost = lost
        self._on_kept = on_kept
        self._news: queue.SimpleQueue[_News | None] = queue.SimpleQueue()
        self._frames_queued = threading.Semaphore(_MOST_QUEUED)
        self._sampler: Sampler[_Missed | Evidence] = Sampler(settings.rate_hz)
        self._now_s = 0.0
        self._crops: dict[int, list[tuple[float, Entry, int]]] = {}
        self.frames = 0
        self.crops = 0
        self._thread = threading.Thread(target=self._run, name="spool", daemon=True)
        self._thread.start()

    def missed(self, frame: Frame, media_s: float) -> None:
        """A frame leaves without an answer of the detector."""
        if self._sampler.wants(media_s) and self._frames_queued.acquire(blocking=False):
            self._news.put(_Missed(frame, media_s))

    def answered(self, media_s: float) -> None:
        """The detector answered for the frame of this time."""
        self._news.put(_Answered(media_s))

    def unread(self, crops: Sequence[SentCrop]) -> None:
        """The reader did not answer for these."""
        self._news.put(_Unread(crops))

    def read(self, track: int) -> None:
        """The reader answered for a track."""
        self._news.put(_Read(track))

    def correct(self, correction: Correction) -> None:
        """The clock of the drive was set: what was stamped before is wrong."""
        self._news.put(correction)

    def holds(self, track: int) -> bool:
        """Whether crops of a track are kept that nobody has read; told once the thread has ended."""
        return bool(self._crops.get(track))

    def close(self, timeout_s: float) -> None:
        """Keep what is to be kept, and end."""
        self._news.put(None)
        self._thread.join(timeout_s)

    def _run(self) -> None:
        ended = False
        expire_at_s = time.monotonic() + _EXPIRE_S
        while not ended:
            try:
                news = self._news.get(timeout=_LOOK_S)
            except queue.Empty:
                pass
            else:
                ended = news is None
                if news is not None:
                    self._take(news)
            self._keep_ripe(ended=ended)
            if time.monotonic() >= expire_at_s:
                expire_at_s = time.monotonic() + _EXPIRE_S
                self._folder.expire()

    def _take(self, news: _News) -> None:
        match news:
            case _Missed():
                self._frames_queued.release()
                self._now_s = max(self._now_s, news.media_s)
                look, sharpness = glance(news.frame.image)
                self._sampler.unanswered(news.media_s, news, look, sharpness)
            case _Answered():
                self._now_s = max(self._now_s, news.media_s)
                self._sampler.answered(news.media_s)
            case _Unread():
                for crop in news.crops:
                    self._keep_crop(crop)
            case Correction():
                self._keep_ripe(ended=False)
                self._folder.note_correction(news)
            case _Read():
                kept = self._crops.pop(news.track, [])
                self._folder.remove([entry for _, entry, _ in kept])

    def _keep_ripe(self, *, ended: bool) -> None:
        ripe = self._sampler.ripe(self._now_s, lost=self._lost(), ended=ended)
        for sample in self._sampler.waiting:  # as JPEG they take a tenth of the memory
            sample.item = self._encoded(sample.item)
        for sample in ripe:
            if self._folder.add(self._encoded(sample.item)) is not None:
                self.frames += 1
                self._on_kept()

    def _encoded(self, item: _Missed | Evidence) -> Evidence:
        if isinstance(item, Evidence):
            return item
        image = np.ascontiguousarray(item.frame.image)
        jpeg = simplejpeg.encode_jpeg(image, quality=self._settings.jpeg_quality, colorspace="BGR")
        return Evidence(self._drive, Sighting.of(item.frame, item.media_s), bytes(jpeg))

    def _keep_crop(self, crop: SentCrop) -> None:
        kept = self._crops.setdefault(crop.track, [])
        number = crop.sighting.frame_number
        promise = promise_px(crop.width_px, crop.sharpness, crop.box.score)
        least = min(kept, key=lambda k: k[0], default=None)
        full = len(kept) >= self._settings.crops_per_track
        if any(n == number for _, _, n in kept) or (full and least is not None and promise <= least[0]):
            return
        entry = self._folder.add(Evidence(self._drive, crop.sighting, crop.jpeg, crop))
        if entry is None:
            return
        self.crops += 1
        kept.append((promise, entry, number))
        if full and least is not None:
            kept.remove(least)
            self._folder.remove([least[1]])
        if len(self._crops) > _MOST_TRACKS:
            del self._crops[next(iter(self._crops))]
        self._on_kept()
