"""The list of a drive: known plates looked up, reads kept safely, listeners told, events sent, old reads deleted."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TypeVar

from edge_client.config import EdgeSettings
from edge_client.errors import StoreError
from edge_client.outbox.office import Office, open_office
from edge_client.requests.routing import WayOut
from edge_client.store.drives import DriveStart, Position
from edge_client.store.known import KnownPlate, KnownPlates, known_plates
from edge_client.store.safe import SafeReads
from edge_client.store.secrecy import PlateSecret, secret_of, short_hash
from edge_client.store.writer import SqliteReads
from edge_client.types import Alert, StoreStatus, TrackRead, UtcSource

_LOG = logging.getLogger(__name__)
_TEND_S = 3600.0
_COUNT_S = 5.0
_OFFICE_END_S = 1.0
_ALERTS = 5
_REMEMBERED = 4096
_Given = TypeVar("_Given")


class DriveStore:
    """A `ReadStore` and `DriveLog`. All calls come from one thread, but for `status` and `alerts`."""

    def __init__(
        self,
        reads: SafeReads,
        known: KnownPlates,
        office: Office | None = None,
        *,
        source: str = "",
        store_ignored: bool = False,
        keep_days: float | None = None,
        veil: PlateSecret | None = None,
    ) -> None:
        """`office` is started already, and closed with the store; `source` is what drives are said to come from.

        With a `veil` listeners, alerts and screens get hashes instead of texts, and no pictures.
        """
        self._reads = reads
        self._office = office
        self._known = known
        self._drive: DriveStart | None = None
        self._generation = reads.generation
        self._source = source
        self._store_ignored = store_ignored
        self._keep_days = keep_days
        self._veil = veil
        self._added: list[Callable[[TrackRead], None]] = []
        self._removed: list[Callable[[str], None]] = []
        self._alerted: list[Callable[[TrackRead, KnownPlate], object]] = []
        self._warned: dict[str, None] = {}  # uids of alerts, oldest first
        self._alerts: tuple[Alert, ...] = ()
        self._events = (0, 0)
        self._next_tend_s = 0.0
        self._next_count_s = 0.0

    def listen(self, added: Callable[[TrackRead], None], removed: Callable[[str], None] = lambda uid: None) -> None:
        """`added` hears of each read that is saved, also of one whose saving failed for now; neither may block.

        `removed` hears of uids whose reads turned out to be of an ignored plate.
        """
        self._added.append(added)
        self._removed.append(removed)

    def on_alert(self, alerted: Callable[[TrackRead, KnownPlate], object]) -> None:
        """`alerted` is called once per track whose plate the owner wants to be told of; it must not block."""
        self._alerted.append(alerted)

    def alerts(self) -> tuple[Alert, ...]:
        """The latest alerts of this drive, newest last."""
        return self._alerts

    def hides(self, text: str) -> bool:
        """Whether a plate is one that the owner's list ignores, and such are not shown."""
        return not self._store_ignored and self._known.ignores(text)

    def named(self, text: str) -> str:
        """What is shown of a plate: itself, or the first digits of its hash."""
        return text if self._veil is None else short_hash(self._veil.digest(text))

    def status(self) -> StoreStatus:
        """What is to be said of the file, and how events fare."""
        waiting, dropped = self._events
        return StoreStatus(notice=self._reads.notice, events_waiting=waiting, events_dropped=dropped)

    def save(self, read: TrackRead) -> None:
        """As `ReadStore` has it; a read of an ignored plate is not kept, and goes if it was."""
        known = self._known.match(read.text) if read.text else None  # a car without a plate is nobody's
        ignored = known is not None and known.action == "ignore"
        if ignored and not self._store_ignored:
            gone = [read.uid, *read.supersedes]
            for tell in self._removed:
                for uid in gone:
                    tell(uid)
            self._call(lambda reads: reads.remove(gone))
            return
        if known is not None and not ignored:
            self._alert(read, known)
        try:
            self._call(lambda reads: reads.save(read, known, quietly=ignored))
        finally:
            told = self._veiled(read)
            for hear in self._added:
                hear(told)
        self._count()

    def begin_drive(self, drive: DriveStart) -> None:
        """As `DriveLog` has it."""
        named = replace(drive, source=drive.source or self._source)
        self._call(lambda reads: reads.begin_drive(named))
        self._drive = named
        self.tend()

    def end_drive(self, uid: str, ended: datetime) -> None:
        """As `DriveLog` has it."""
        self._call(lambda reads: reads.end_drive(uid, ended))

    def add_positions(self, drive: str, positions: Sequence[Position]) -> None:
        """As `DriveLog` has it."""
        self._call(lambda reads: reads.add_positions(drive, positions))

    def correct_times(self, drive: str, shift: timedelta, source: UtcSource) -> None:
        """As `ReadStore` has it."""
        self._call(lambda reads: reads.correct_times(drive, shift, source))

    def tend(self) -> None:
        """Deletes what is too old, once an hour; counts the events that wait."""
        self._count()
        now_s = time.monotonic()
        if self._keep_days is None or now_s < self._next_tend_s:
            return
        self._next_tend_s = now_s + _TEND_S
        before = datetime.now(UTC) - timedelta(days=self._keep_days)
        try:
            gone = self._call(lambda reads: reads.prune(before))
        except StoreError as error:
            _LOG.warning("old reads could not be deleted: %s", error)
            return
        if gone:
            _LOG.info("%d reads older than %g days were deleted", gone, self._keep_days)

    def close(self) -> None:
        """Ends deliveries and closes the file; events that wait are delivered after the next start."""
        if self._office is not None:
            self._office.close(_OFFICE_END_S)
            self._office = None
        self._reads.close()

    def _call(self, action: Callable[[SqliteReads], _Given]) -> _Given:
        given = self._reads.call(action)
        if self._reads.generation != self._generation:
            # What took the place of a damaged file knows nothing of the drive that runs.
            drive = self._drive
            if drive is not None:
                self._reads.call(lambda reads: reads.begin_drive(drive))
            self._generation = self._reads.generation
        return given

    def _alert(self, read: TrackRead, known: KnownPlate) -> None:
        warned = any(uid in self._warned for uid in (read.uid, *read.supersedes))
        self._warned[read.uid] = None
        if len(self._warned) > _REMEMBERED:
            del self._warned[next(iter(self._warned))]
        if warned:
            return
        _LOG.warning("alert: %s was seen", known.name)
        text = self.named(read.text)
        self._alerts = (*self._alerts, Alert(read.uid, text, known.name, known.note, read.last_seen))[-_ALERTS:]
        for tell in self._alerted:
            tell(self._veiled(read), known)

    def _veiled(self, read: TrackRead) -> TrackRead:
        if self._veil is None:
            return read
        if not read.text:
            return replace(read, crop_jpeg=b"")  # its plate may be legible to people
        digest = self._veil.digest(read.text)
        return replace(read, text=digest, hashed=True, character_confidences=(), crop_jpeg=b"", singles=())

    def _count(self) -> None:
        now_s = time.monotonic()
        if self._office is None or now_s < self._next_count_s:
            return
        self._next_count_s = now_s + _COUNT_S
        try:
            self._events = self._call(lambda reads: reads.events())
        except StoreError as error:
            _LOG.debug("events cannot be counted: %s", error)


def open_drive_store(settings: EdgeSettings, path: Path, source: str = "") -> DriveStore:
    """The store that the settings describe, with its deliveries begun; `source` is what the drive comes from.

    Raises:
        DashcamError: the file, the list of known plates, the key or a receiver's files are not as they should be.
    """
    reads_settings = settings.reads
    secret = secret_of(reads_settings.hash_key_file)
    known = known_plates(
        reads_settings.known_file, distance=reads_settings.known_distance, plates_as_names=secret is None
    )
    way_out = WayOut(settings.apis.interface, settings.apis.source_address)
    office = open_office(settings.events, path, way_out=way_out)

    def open_file(file: Path) -> SqliteReads:
        return SqliteReads(file, secret=secret, mailing=office.mailing, on_events=office.wake)

    reads = SafeReads(path, open_file)
    office.start()
    return DriveStore(
        reads,
        known,
        office,
        source=source,
        store_ignored=reads_settings.store_ignored,
        keep_days=reads_settings.keep_days,
        veil=secret if settings.privacy.live_texts == "hashed" else None,
    )
