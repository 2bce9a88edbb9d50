"""The spool of one drive: what keeps evidence, what has it read later, and what the screen says of it."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path

from edge_client.clock import Correction
from edge_client.config import EdgeSettings
from edge_client.errors import SpoolError
from edge_client.pipeline.events import SentCrop
from edge_client.requests.adapting import Adaptation
from edge_client.requests.apis import APIS, YOLOV3, Apis
from edge_client.requests.pool import RequestPool
from edge_client.spool.backlog import Backlog
from edge_client.spool.doubles import Doubles
from edge_client.spool.folder import SpoolFolder
from edge_client.spool.spooling import Spooling
from edge_client.types import Frame, NetworkStatus, TrackRead

_LOG = logging.getLogger(__name__)
_SPOOLING_END_S = 1.0
_BACKLOG_END_S = 0.5


class Spool:
    """Does nothing without a folder, or where the folder cannot be used, which is logged.

    A spool that fails costs the evidence of gaps, never the drive.
    """

    def __init__(
        self,
        drive: str,
        path: Path | None,
        settings: EdgeSettings,
        pool: RequestPool,
        apis: Apis,
        adaptation: Adaptation,
        save: Callable[[Sequence[TrackRead]], None],
    ) -> None:
        self._apis = apis
        self._adaptation = adaptation
        self._left: set[int] = set()
        self._doubles = Doubles(settings.reads.same_plate_s)
        self._folder: SpoolFolder | None = None
        if path is not None and settings.offline.mode != "off":
            try:
                self._folder = SpoolFolder(path, settings.offline)
            except SpoolError as error:
                _LOG.warning("%s; what cannot be sent is lost", error)
        self._spooling: Spooling | None = None
        self._backlog: Backlog | None = None
        if self._folder is not None:
            if self._folder.count:
                _LOG.warning("%d pictures of earlier drives are still to be read", self._folder.count)
            self._backlog = Backlog(drive, self._folder, settings, pool, apis, self._reachable, save, self._doubles)
            self._spooling = Spooling(drive, self._folder, settings.offline, lambda: self.lost, self._backlog.wake)
            self._backlog.start()

    @property
    def count(self) -> int:
        """Pictures that wait to be read."""
        return self._folder.count if self._folder is not None else 0

    @property
    def lost(self) -> bool:
        """Whether no answer of the detector is to be expected now."""
        return self._apis.lost(YOLOV3)

    def missed(self, frame: Frame, media_s: float) -> None:
        """A frame leaves without an answer of the detector."""
        if self._spooling is not None:
            self._spooling.missed(frame, media_s)

    def answered(self, media_s: float) -> None:
        """The detector answered for the frame of this time."""
        if self._spooling is not None:
            self._spooling.answered(media_s)

    def unread(self, crops: Sequence[SentCrop]) -> None:
        """The reader did not answer for these crops."""
        if self._spooling is not None:
            self._spooling.unread(crops)

    def read(self, crops: Sequence[SentCrop]) -> None:
        """The reader answered for these crops."""
        if self._spooling is not None:
            for track in {crop.track for crop in crops}:
                self._spooling.read(track)

    def leave(self, crops: Sequence[SentCrop]) -> None:
        """The drive ends before these crops were read: the next one reads them, if they can be kept."""
        self._left = {crop.track for crop in crops}
        self.unread(crops)

    def live(self, reads: Iterable[TrackRead]) -> list[TrackRead]:
        """Reads of the live stream as they are to be saved: in place of those that evidence gave before."""
        read_again = self._doubles.live(reads)
        for read in read_again:
            for uid in read.supersedes:
                self.saved(uid)  # it needs no place of its own any more
        return read_again

    def saved(self, uid: str) -> None:
        """A read is on disk."""
        if self._backlog is not None:
            self._backlog.saved(uid)

    def network(self) -> NetworkStatus:
        """What the screen says of the uplink."""
        down = self._apis.reasons()
        silence_s = self._adaptation.silence_s()
        reason = down[0] if down else f"no answer for {silence_s:.0f} s" if silence_s > 0 else ""
        return NetworkStatus(
            reachable=not reason,
            round_trip_s=self._adaptation.round_trip_s,
            throughput_bps=self._adaptation.throughput_bps,
            spooled=self.count,
            reason=reason,
        )

    def correct(self, correction: Correction) -> None:
        """The clock of the drive was set."""
        if self._spooling is not None:
            self._spooling.correct(correction)

    def tick(self) -> None:
        """Called now and then: the network may be back."""
        if self._backlog is not None:
            self._backlog.wake()

    @property
    def idle(self) -> bool:
        """Whether nothing waits that could be read now or soon."""
        return self._backlog is None or (self._backlog.idle and not (self.count and self._apis.coming()))

    def finish(self) -> None:
        """The source has ended: what is kept is read now, as far as the APIs answer."""
        if self._spooling is not None:
            self._spooling.close(_SPOOLING_END_S)
        if self._backlog is not None:
            self._backlog.finish()

    def close(self) -> None:
        """End; what is not read stays for the next drive."""
        if self._spooling is not None:
            self._spooling.close(_SPOOLING_END_S)
        if self._backlog is not None:
            self._backlog.close(_BACKLOG_END_S)
        left = self.left()
        if left["kept"]:
            _LOG.warning("%d plates were not read before the end; the next drive reads them", left["kept"])
        if left["lost"]:
            _LOG.warning("%d plates were not read before the end, and nothing is kept of them", left["lost"])

    def left(self) -> dict[str, int]:
        """Plates that nobody had read when the drive ended: kept for the next one, and lost."""
        spooling = self._spooling
        kept = sum(spooling.holds(track) for track in self._left) if spooling is not None else 0
        return {"kept": kept, "lost": len(self._left) - kept}

    def release(self) -> None:
        """Leave the folder, once all reads are saved."""
        if self._backlog is not None:
            self._backlog.forget_saved()
        if self._folder is not None:
            self._folder.close()

    def summary(self) -> dict[str, int]:
        """The counters of a run."""
        if self._folder is None or self._spooling is None or self._backlog is None:
            return {}
        return {
            "kept_frames": self._spooling.frames,
            "kept_crops": self._spooling.crops,
            "done": self._backlog.done,
            "reads": self._backlog.reads,
            "cars": self._backlog.cars,
            "doubles": self._doubles.count,
            "waiting": self._folder.count,
            "evicted": self._folder.evicted,
            "expired": self._folder.expired,
            "refused": self._folder.refused,
            "corrupt": self._folder.corrupt,
        }

    def _reachable(self) -> bool:
        return not any(map(self._apis.lost, APIS))
