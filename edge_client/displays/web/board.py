"""What the page shows beside the stream: the state of the drive and the latest reads.

`GET /api/live?session=&after=` gives `{"session", "revision", "source", "status", "reads", "removed"}`: the reads that
changed and the uids of those that went after that revision of that session. A read of a car whose plate could not be
read has an empty `text`; `vehicle` is null or tells what the car looks like: `{"title", "kind", "type", "colour",
"make", "model"}` with the probability of each. `status` is null before the first one,
else it has `states`, a list of `{"part", "word", "grade": ok|note|bad|off, "detail"}`, `alerts`, `veil` (what is wrong
with the camera, or ""), `speed_kmh`, `recorded` (whether there is something to lock), `video` (how the annotated file
goes, or null), `apis`, `queue`, `queue_limit`, `frame_rate_hz` and `summary`, the counters.
"""

from __future__ import annotations

import secrets
import threading
from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from edge_client.states import Grade, states
from edge_client.store.library import ReadFilter, ReadLibrary
from edge_client.store.rows import StoredRead, time_text
from edge_client.store.vehicle_columns import vehicle_object
from edge_client.types import GpsState, LiveStatus, RecordingState, TrackRead, Vehicle


@dataclass(frozen=True, slots=True)
class BoardRead:
    """A read as the page gets it; `revision` grows with every change on the board."""

    revision: int
    uid: str
    text: str
    confidence: float
    character_confidences: tuple[float, ...]
    first_seen: str
    last_seen: str
    latitude_deg: float | None
    longitude_deg: float | None
    fix_age_s: float | None
    crop_jpeg: bytes
    hashed: bool = False
    known: str = ""
    vehicle: Vehicle | None = None

    def to_json(self) -> dict[str, object]:
        """The form in `/api/live`."""
        return {
            "uid": self.uid,
            "text": self.text,
            "confidence": self.confidence,
            "characters": list(self.character_confidences),
            "first_seen": self.first_seen,
            "last_seen": self.last_seen,
            "latitude": self.latitude_deg,
            "longitude": self.longitude_deg,
            "fix_age_s": self.fix_age_s,
            "crop": f"/crops/{self.uid}.jpg?v={self.revision}" if self.crop_jpeg else "",
            "hashed": self.hashed,
            "known": self.known,
            "vehicle": vehicle_object(self.vehicle),
        }


def _board_read(revision: int, read: TrackRead | StoredRead, crop_jpeg: bytes) -> BoardRead:
    return BoardRead(
        revision,
        read.uid,
        read.text,
        read.confidence,
        read.character_confidences,
        time_text(read.first_seen),
        time_text(read.last_seen),
        read.latitude_deg,
        read.longitude_deg,
        read.fix_age_s,
        crop_jpeg,
        hashed=read.hashed,
        known=read.known if isinstance(read, StoredRead) else "",
        vehicle=read.vehicle,
    )


class LiveBoard:
    """The state of the drive and its latest reads, for any number of threads."""

    def __init__(self, *, source: str, limit: int = 60) -> None:
        """`source` is named on the page; at most `limit` reads are kept."""
        self._source = source
        self._limit = limit
        self._lock = threading.Lock()
        self._session = secrets.token_hex(4)
        self._revision = 0
        self._status: LiveStatus | None = None
        self._recording: str | None = None
        self._reads: OrderedDict[str, BoardRead] = OrderedDict()
        self._removed: OrderedDict[str, int] = OrderedDict()  # uid -> revision of its removal

    def set_status(self, status: LiveStatus, recording: str | None) -> None:
        """The counters of now, and how the recording goes (None without one)."""
        with self._lock:
            self._status = status
            self._recording = recording

    def add(self, read: TrackRead) -> None:
        """A new read, or a better vote on one that is there already; reads that it supersedes go."""
        with self._lock:
            for uid in read.supersedes:
                if self._reads.pop(uid, None) is not None:
                    self._revision += 1
                    self._removed[uid] = self._revision
            self._put(_board_read(self._revision + 1, read, read.crop_jpeg))

    def remove(self, uid: str) -> None:
        """A read that is not to be shown after all."""
        with self._lock:
            if self._reads.pop(uid, None) is not None:
                self._revision += 1
                self._removed[uid] = self._revision

    def fill_from(self, reads_file: Path) -> None:
        """Puts the latest reads of earlier drives on the board.

        Raises:
            StoreError: the file cannot be read.
        """
        with ReadLibrary(reads_file) as library, self._lock:
            for read in reversed([r for r in library.find(ReadFilter(limit=self._limit)) if not r.hashed]):
                self._put(_board_read(self._revision + 1, read, library.crop(read.id) or b""))

    def crop(self, uid: str) -> bytes | None:
        """The picture of a read's plate, JPEG; None when it is not on the board."""
        with self._lock:
            read = self._reads.get(uid)
        return read.crop_jpeg if read is not None and read.crop_jpeg else None

    def to_json(self, session: str, after: int) -> dict[str, object]:
        """What `/api/live` answers: the state, and the reads that changed or went after that revision, newest last.

        A page that knows another session, that is, one of before a restart, gets all reads.
        """
        with self._lock:
            known = after if session == self._session else 0
            changed: Sequence[BoardRead] = [r for r in self._reads.values() if r.revision > known]
            removed = [uid for uid, revision in self._removed.items() if revision > known]
            status, recording, revision = self._status, self._recording, self._revision
        return {
            "session": self._session,
            "revision": revision,
            "source": self._source,
            "status": None if status is None else _status_json(status, recording),
            "removed": removed,
            "reads": [read.to_json() for read in sorted(changed, key=lambda r: r.revision)],
        }

    def _put(self, read: BoardRead) -> None:
        self._revision = read.revision
        self._reads[read.uid] = read
        while len(self._reads) > self._limit:
            self._reads.popitem(last=False)
        while len(self._removed) > self._limit:
            self._removed.popitem(last=False)


def _status_json(status: LiveStatus, video: str | None) -> dict[str, object]:
    parts = states(status)
    camera = parts[0]
    fix = status.gps.fix if status.gps.state in (GpsState.FIX, GpsState.REPLAY) else None
    return {
        "summary": status.summary.to_json(),
        "frame_rate_hz": status.frame_rate_hz,
        "apis": status.apis,
        "states": [{"part": p.part, "word": p.word, "grade": p.grade.value, "detail": p.detail} for p in parts],
        "veil": camera.sentence if camera.grade in (Grade.BAD, Grade.NOTE) else "",
        "alerts": [{"text": a.text, "name": a.name, "note": a.note, "seen": time_text(a.seen)} for a in status.alerts],
        "speed_kmh": None if fix is None or fix.speed_mps is None else fix.speed_mps * 3.6,
        "queue": status.queue,
        "queue_limit": status.queue_limit,
        "recorded": status.recording.state in (RecordingState.RECORDING, RecordingState.LOCKED),
        "video": video,
    }
