"""Has evidence read once the APIs answer again, with what capacity the live stream leaves."""

from __future__ import annotations

import contextlib
import logging
import threading
import time
from collections.abc import Callable, Sequence
from functools import partial
from typing import TypeVar

import numpy as np
import simplejpeg

from cloud_apis.contract import PlateBox
from edge_client.config import EdgeSettings
from edge_client.errors import ApiError, ApiGarbageError, ApiRefusedError
from edge_client.imaging import frame_boxes, reduce_frame
from edge_client.pipeline.asking import described
from edge_client.pipeline.events import CarDescribed, SentCrop
from edge_client.requests.apis import Apis
from edge_client.requests.pool import Job, RequestPool
from edge_client.spool.doubles import Doubles
from edge_client.spool.evidence import Evidence
from edge_client.spool.folder import Entry, SpoolFolder
from edge_client.spool.replay import Replay
from edge_client.types import Image, TrackRead

_LOG = logging.getLogger(__name__)
T = TypeVar("T")

_URGENCY_LEFT_OVER = 2.0
_URGENCY_OVERDUE = 0.5
_PATIENCE_S = 0.5
"""How long a request waits for capacity that is left over: then it goes once before the next live frame."""
_GRACE_S = 4.0
"""A stretch is over when no further evidence of it comes for this long."""
_CROP_AGE_S = 30.0
"""The live stream tries its unread crops again itself for this long."""
_TRIES = 3


class _DriveEndedError(Exception):
    """The drive ends."""


class Backlog:
    """Works on a thread of its own from ``start`` to ``close``.

    ``reachable`` says whether asking makes sense now; ``wake`` is to be called when that may have changed, and when
    evidence was added. ``save`` gets finished reads; their evidence goes when ``saved`` was called for each.
    """

    def __init__(
        self,
        drive: str,
        folder: SpoolFolder,
        settings: EdgeSettings,
        pool: RequestPool,
        apis: Apis,
        reachable: Callable[[], bool],
        save: Callable[[Sequence[TrackRead]], None],
        doubles: Doubles,
    ) -> None:
        self._drive = drive
        self._folder = folder
        self._settings = settings
        self._pool = pool
        self._apis = apis
        self._reachable = reachable
        self._save = save
        self._doubles = doubles
        self._condition = threading.Condition()
        self._replay: Replay | None = None
        self._taken: set[Entry] = set()
        self._unsaved: list[tuple[set[str], list[Entry]]] = []
        self._tries: dict[Entry, int] = {}
        self._noticed_s: dict[Entry, float] = {}
        self._owed: list[SentCrop] = []
        self._last_taken_s = time.monotonic()
        self._finishing = False
        self._closing = False
        self._listed: set[str] = set()
        self.done = 0
        self.cars = 0
        self._thread = threading.Thread(target=self._run, name="backlog", daemon=True)

    @property
    def reads(self) -> int:
        """Plates that were read of evidence, each once."""
        return len(self._listed)

    def start(self) -> None:
        """Begin."""
        self._thread.start()

    def wake(self) -> None:
        """Something may have changed."""
        with self._condition:
            self._condition.notify_all()

    def saved(self, uid: str) -> None:
        """A read is on disk: evidence that was kept for it may go."""
        with self._condition:
            for uids, _ in self._unsaved:
                uids.discard(uid)
            self._condition.notify_all()

    def finish(self) -> None:
        """No more evidence comes from the live stream: take everything that is there."""
        with self._condition:
            self._finishing = True
            self._condition.notify_all()

    @property
    def idle(self) -> bool:
        """Whether nothing is left, or nothing can be done about it now."""
        with self._condition:
            return not self._thread.is_alive() or not self._folder.count or not self._reachable()

    def close(self, timeout_s: float) -> None:
        """End; what is not read yet stays on disk."""
        with self._condition:
            self._closing = True
            self._condition.notify_all()
        if self._thread.ident is not None:
            self._thread.join(timeout_s)

    def _run(self) -> None:
        try:
            while True:
                self.forget_saved()
                entry = self._next()
                if entry is None:
                    self._end_stretch()
                else:
                    self._work(entry)
        except _DriveEndedError:
            self.forget_saved()

    def _next(self) -> Entry | None:
        """Wait for an entry that can be worked on; None when the stretch at hand is over."""
        with self._condition:
            while True:
                if self._closing:
                    raise _DriveEndedError
                self.forget_saved()
                wait_s: float | None = None
                if self._reachable():
                    entries = self._folder.entries()
                    self._forget_gone(entries)
                    entry = next((e for e in entries if self._may_take(e)), None)
                    if entry is not None:
                        return entry
                    if self._replay is not None:
                        wait_s = self._last_taken_s + _GRACE_S - time.monotonic()
                        if self._finishing or wait_s <= 0:
                            return None
                self._condition.wait(wait_s)

    def _forget_gone(self, entries: Sequence[Entry]) -> None:
        for gone in (self._noticed_s.keys() | self._tries.keys()).difference(entries):
            self._noticed_s.pop(gone, None)
            self._tries.pop(gone, None)

    def _may_take(self, entry: Entry) -> bool:
        if entry in self._taken:
            return False
        if not entry.is_crop or entry.drive != self._drive or self._finishing:
            return True
        now_s = time.monotonic()
        return now_s - self._noticed_s.setdefault(entry, now_s) >= _CROP_AGE_S

    def _work(self, entry: Entry) -> None:
        evidence = self._folder.read(entry)
        if evidence is None:
            return
        if entry.drive != self._drive:  # times of this drive are corrected as its reads are saved
            evidence = self._folder.corrected(evidence)
        try:
            if self._replay is not None and not self._replay.continues(entry, evidence.sighting.media_s):
                self._end_stretch()
                if self._replay is not None:
                    return  # it could not be ended now
            if self._replay is None:
                self._replay = Replay(entry, self._settings, cars=self._apis.describes())
            if evidence.crop is not None:
                (words,) = self._ask(partial(self._apis.read, [evidence.jpeg]))
                self._replay.crop(entry, evidence.crop, words)
            else:
                self._detect(entry, evidence, self._replay)
        except (ApiRefusedError, ApiGarbageError, ValueError) as error:
            self._tries[entry] = self._tries.get(entry, 0) + 1
            if self._tries[entry] < _TRIES and not isinstance(error, ValueError):
                return
            _LOG.warning("evidence %s cannot be read and is left out: %s", entry.name, error)
            self._folder.corrupt += 1
            if self._replay is not None:
                self._replay.damaged(entry)
        except ApiError:
            return  # the network is gone again: the entry is still there
        self._taken.add(entry)
        self._noticed_s.pop(entry, None)
        self._tries.pop(entry, None)
        self._last_taken_s = time.monotonic()
        self.done += 1
        with contextlib.suppress(ApiError):  # the crops are due again later
            self._read()
        if self._replay is not None:
            self._look(self._replay)

    def _detect(self, entry: Entry, evidence: Evidence, replay: Replay) -> None:
        image: Image = np.asarray(simplejpeg.decode_jpeg(evidence.jpeg, colorspace="BGR"), np.uint8)
        settings = self._settings.detection
        reduced = reduce_frame(image, settings)

        def ask() -> tuple[PlateBox, ...]:
            return frame_boxes(self._apis.detect(reduced.jpeg), reduced, image, settings.min_score)

        replay.frame(entry, evidence.sighting, image, self._ask(ask))

    def _read(self, *, last: bool = False) -> None:
        """Have the crops read that are due. Raises `ApiError` when it has to be tried again."""
        while (replay := self._replay) is not None:
            self._owed = self._owed or replay.due(last=last)
            if not self._owed:
                return
            jpegs = [crop.jpeg for crop in self._owed]
            try:
                words = self._ask(partial(self._apis.read, jpegs))
            except (ApiRefusedError, ApiGarbageError) as error:
                _LOG.warning("%d crops of evidence are left out: %s", len(jpegs), error)
                replay.answered(self._owed, None)
                self._owed = []
                return
            replay.answered(self._owed, words)
            self._owed = []

    def _look(self, replay: Replay, *, last: bool = False) -> None:
        """Have the cars described that are due. No plate waits for one that is not."""
        while (car := replay.car_due(last=last)) is not None:
            found = described(partial(self._ask, partial(self._apis.describe, car.picture.jpeg)))
            replay.described(CarDescribed(car, found))

    def _end_stretch(self) -> None:
        replay = self._replay
        if replay is None:
            return
        try:
            self._read(last=True)
        except ApiError:
            return  # again, when the network is back
        self._look(replay, last=True)
        reads = self._doubles.late(replay.end())
        self._replay = None
        self._listed |= {read.uid for read in reads if read.text}
        self._listed -= {uid for read in reads for uid in read.supersedes}
        self.cars += replay.cars
        with self._condition:
            self._unsaved.append(({read.uid for read in reads}, replay.entries))
        self._save(reads)

    def forget_saved(self) -> None:
        """Let evidence go whose reads are all on disk."""
        with self._condition:
            over = [entries for uids, entries in self._unsaved if not uids]
            self._unsaved = [(uids, entries) for uids, entries in self._unsaved if uids]
        for entries in over:
            self._folder.remove(entries)
            self._taken.difference_update(entries)
            self.wake()

    def _ask(self, ask: Callable[[], T]) -> T:
        """Have a request made when there is capacity for it, at the latest after a while."""
        ended = threading.Event()
        answers: list[T] = []
        errors: list[Exception] = []

        def work() -> None:
            try:
                answers.append(ask())
            except Exception as error:  # noqa: BLE001  # it is raised again on our own thread
                errors.append(error)
            ended.set()
            self.wake()

        job = Job(work)
        self._pool.submit(job, _URGENCY_LEFT_OVER)
        if not ended.wait(_PATIENCE_S) and self._pool.cancel(job):
            self._pool.submit(job, _URGENCY_OVERDUE)
        with self._condition:
            self._condition.wait_for(lambda: ended.is_set() or self._closing)
        if errors:
            raise errors[0]
        if not answers:
            self._pool.cancel(job)
            raise _DriveEndedError
        return answers[0]
