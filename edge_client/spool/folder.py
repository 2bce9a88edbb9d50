"""The folder of the spool: one file for each piece of evidence, bounded, the oldest out first.

A file's name tells its place in the order, its drive and its kind, so that the listing is the index. Files appear
whole or not at all: they are written beside, made durable and renamed.
"""

from __future__ import annotations

import contextlib
import fcntl
import logging
import os
import re
import shutil
import threading
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from edge_client.clock import Correction
from edge_client.config import OfflineSettings
from edge_client.errors import SpoolError
from edge_client.spool.clocks import corrected, corrections_of, forget_clocks, note_correction
from edge_client.spool.evidence import Evidence, EvidenceError, decode, encode

_LOG = logging.getLogger(__name__)
_NAME = re.compile(r"(\d{12})-([0-9A-Za-z]{1,64})-([fc])\.evidence")
_PART = ".part"
_LOCK = ".lock"
_MEGABYTE = 10**6
_LEAST_YEAR = 2024
"""Earlier times come from clocks that nobody set: they tell no age."""


@dataclass(frozen=True, slots=True, order=True)
class Entry:
    """A piece of evidence in the folder; entries sort by age."""

    sequence: int
    drive: str
    is_crop: bool

    @property
    def name(self) -> str:
        """Its file's name."""
        return f"{self.sequence:012d}-{self.drive}-{'c' if self.is_crop else 'f'}.evidence"


class SpoolFolder:
    """Safe for all threads. One process at a time may have it open."""

    def __init__(self, path: Path, settings: OfflineSettings) -> None:
        """Opens the folder, making it if need be. Raises `SpoolError`."""
        self._path = path
        self._settings = settings
        self._lock = threading.Lock()
        self._sizes: dict[Entry, int] = {}
        self._last = 0  # no sequence comes twice in a drive, also when the folder was empty meanwhile
        self._refused = False
        self._corrections: dict[str, list[Correction]] = {}
        self.corrupt = 0
        self.expired = 0
        self.evicted = 0
        self.refused = 0
        try:
            path.mkdir(parents=True, exist_ok=True)
            self._owned = (path / _LOCK).open("wb")
            fcntl.flock(self._owned, fcntl.LOCK_EX | fcntl.LOCK_NB)
            self._scan()
        except BlockingIOError:
            raise SpoolError(f"another dashcam uses the spool {path}") from None
        except OSError as error:
            raise SpoolError(f"cannot use the spool {path}: {error.strerror or error}") from None

    @property
    def count(self) -> int:
        """Pieces of evidence that wait."""
        return len(self._sizes)

    @property
    def size_bytes(self) -> int:
        """Bytes of them all."""
        with self._lock:
            return sum(self._sizes.values())

    def entries(self) -> list[Entry]:
        """What waits, oldest first."""
        with self._lock:
            return sorted(self._sizes)

    def add(self, evidence: Evidence) -> Entry | None:
        """Keep a piece of evidence; None when the disk refuses or is nearly full, which is counted."""
        content = encode(evidence)
        with self._lock:
            self._last += 1
            entry = Entry(self._last, evidence.drive, evidence.crop is not None)
            try:
                free = shutil.disk_usage(self._path).free - len(content)
                if free < self._settings.min_free_mb * _MEGABYTE:
                    raise OSError(f"only {free // _MEGABYTE} MB are free")
                self._write(entry, content)
            except OSError as error:
                self.refused += 1
                if not self._refused:
                    _LOG.warning("nothing can be kept in the spool %s: %s", self._path, error.strerror or error)
                self._refused = True
                return None
            self._refused = False
            self._sizes[entry] = len(content)
            self._make_room()
        return entry

    def read(self, entry: Entry) -> Evidence | None:
        """A piece of evidence; None when it is gone, damaged or too old, which removes and counts it."""
        path = self._path / entry.name
        try:
            kept_s = path.stat().st_mtime
            evidence = decode(path.read_bytes())
        except (OSError, EvidenceError) as error:
            with self._lock:
                known = entry in self._sizes
                self.corrupt += known
            if known:
                _LOG.warning("evidence %s cannot be read and is left out: %s", entry.name, error)
                self.remove([entry])
            return None
        if self._too_old(datetime.fromtimestamp(kept_s, UTC)):
            self.expired += 1
            self.remove([entry])
            return None
        return evidence

    def expire(self) -> None:
        """Let evidence go that is too old, read or not; it is counted."""
        old = []
        for entry in self.entries():
            with contextlib.suppress(OSError):
                if self._too_old(datetime.fromtimestamp((self._path / entry.name).stat().st_mtime, UTC)):
                    old.append(entry)
        if old:
            days = self._settings.keep_days
            _LOG.warning("%d pictures were kept for more than %g days and are let go unread", len(old), days)
            self.expired += len(old)
            self.remove(old)

    def note_correction(self, correction: Correction) -> None:
        """The clock of a drive was set: its evidence may be read by another process, which must know."""
        with self._lock:
            try:
                note_correction(self._path, correction)
            except OSError as error:
                _LOG.warning("times in the spool %s stay wrong: %s", self._path, error.strerror or error)

    def corrected(self, evidence: Evidence) -> Evidence:
        """The evidence of another process with its times as that came to know them."""
        with self._lock:
            if evidence.drive not in self._corrections:
                self._corrections[evidence.drive] = corrections_of(self._path, evidence.drive)
        return corrected(evidence, self._corrections[evidence.drive])

    def remove(self, entries: list[Entry]) -> None:
        """Let pieces of evidence go."""
        with self._lock:
            for entry in entries:
                self._forget(entry)

    def close(self) -> None:
        """Leave the folder to others."""
        self._owned.close()

    def _scan(self) -> None:
        for file in self._path.iterdir():
            match = _NAME.fullmatch(file.name)
            if match is not None:
                self._sizes[Entry(int(match[1]), match[2], match[3] == "c")] = file.stat().st_size
            elif file.name.endswith(_PART):
                file.unlink(missing_ok=True)
        self._last = max((entry.sequence for entry in self._sizes), default=0)
        self.expire()
        forget_clocks(self._path, {entry.drive for entry in self._sizes})
        self._make_room()

    def _write(self, entry: Entry, content: bytes) -> None:
        part = self._path / (entry.name + _PART)
        try:
            with part.open("wb") as file:
                file.write(content)
                file.flush()
                os.fsync(file.fileno())
            part.replace(self._path / entry.name)
        except OSError:
            with contextlib.suppress(OSError):
                part.unlink(missing_ok=True)
            raise

    def _make_room(self) -> None:
        total = sum(self._sizes.values())
        for entry in sorted(self._sizes):
            if total <= self._settings.max_mb * _MEGABYTE:
                break
            total -= self._sizes[entry]
            self.evicted += 1
            self._forget(entry)

    def _forget(self, entry: Entry) -> None:
        if self._sizes.pop(entry, None) is not None:
            with contextlib.suppress(OSError):
                (self._path / entry.name).unlink(missing_ok=True)

    def _too_old(self, kept: datetime) -> bool:
        age = datetime.now(UTC) - kept
        return kept.year >= _LEAST_YEAR and age > timedelta(days=self._settings.keep_days)
