"""What is kept: the file of the reads, the folders, the owner's list and the secret."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from pathlib import Path

from edge_client.config import EdgeSettings, ReadSettings
from edge_client.config.recording import RecordingSettings
from edge_client.doctor.finding import Finding, Verdict
from edge_client.errors import DashcamError
from edge_client.paths import is_file
from edge_client.recording.location import default_recordings_folder
from edge_client.recording.stock import Item, stock_of
from edge_client.recording.track import CUT, ORDERLY, read_track
from edge_client.store.known import known_plates
from edge_client.store.library import ReadLibrary
from edge_client.store.location import default_reads_file
from edge_client.store.secrecy import secret_of
from edge_client.store.writer import SqliteReads


def reads(settings: ReadSettings) -> Iterator[Finding]:
    """The reads file, and the files that say how reads are treated."""
    yield _file(settings)
    try:
        if settings.known_file is not None:
            plates = known_plates(settings.known_file, distance=settings.known_distance)
            yield Finding("your plates", Verdict.OK, f"{settings.known_file}: {len(plates)}")
    except DashcamError as e:
        yield Finding("your plates", Verdict.WRONG, str(e), "correct the file named by reads.known_file")
    try:
        if secret_of(settings.hash_key_file) is not None:
            yield _hashing(settings.file or default_reads_file())
    except DashcamError as e:
        yield Finding(
            "hashing", Verdict.WRONG, str(e), "head -c 32 /dev/urandom | base64 > FILE, readable only for you"
        )


def _hashing(path: Path) -> Finding:
    if not is_file(path):
        return Finding("hashing", Verdict.OK, "plates are stored as HMAC-SHA-256")
    with ReadLibrary(path) as library:
        plain = library.count() - library.count_hashed()
    if plain:
        advice = "export them if you need them, then delete the file, or let reads.keep_days do so"
        return Finding("hashing", Verdict.NOTE, f"new plates are hashed; {plain} reads of before are plain", advice)
    return Finding("hashing", Verdict.OK, "plates are stored as HMAC-SHA-256")


def _file(settings: ReadSettings) -> Finding:
    path = settings.file or default_reads_file()
    try:
        return _looked_at(path, settings)
    except OSError as e:
        advice = "name another: --reads FILE, or examine it as the account that owns it"
        return Finding("reads file", Verdict.WRONG, f"{path}: {e.strerror}", advice)


def _looked_at(path: Path, settings: ReadSettings) -> Finding:
    if not path.exists():
        # A drive makes the default folder by itself, one that was named it does not.
        folder = path.parent
        while settings.file is None and not folder.exists():
            folder = folder.parent
        if not folder.is_dir():
            return Finding("reads file", Verdict.WRONG, f"{path}: its folder does not exist", "create the folder")
        if not os.access(folder, os.W_OK):
            return Finding("reads file", Verdict.WRONG, f"{folder} is not writable", "name another: --reads FILE")
        return Finding("reads file", Verdict.OK, f"{path} will be made")
    try:
        SqliteReads(path).close()
        with ReadLibrary(path) as library:
            sound, count = library.is_sound(), library.count()
    except DashcamError as e:
        return Finding("reads file", Verdict.WRONG, str(e), "see there")
    if not sound:
        return Finding("reads file", Verdict.WRONG, f"{path} is damaged", "rescue it: sqlite3 FILE .recover")
    return Finding("reads file", Verdict.OK, f"{path}: {count} reads, sound")


def recordings(settings: RecordingSettings) -> Finding:
    """The folder of the segments: how full, against its limit, and how much of it is locked for good."""
    if settings.when == "never":
        return Finding("recordings", Verdict.OK, "off")
    folder = settings.folder or default_recordings_folder()
    try:
        there = folder.is_dir()
    except OSError as e:
        return Finding("recordings", Verdict.WRONG, f"{folder}: {e.strerror}", "name another folder: recording.folder")
    if not there:
        return Finding("recordings", Verdict.OK, f"{folder} will be made, {settings.max_gb:g} GB at most")
    if not os.access(folder, os.W_OK):
        advice = f"sudo chown -R $USER {folder}, or name another folder: recording.folder"
        return Finding("recordings", Verdict.WRONG, f"{folder} is not writable by this account", advice)
    try:
        stock = stock_of(folder)
    except OSError as e:
        return Finding("recordings", Verdict.WRONG, f"{folder}: {e.strerror}", "look at dmesg; replace the card")
    kept_gb = sum(item.size_bytes for item in stock) / 1e9
    locked_gb = sum(item.size_bytes for item in stock if item.locked) / 1e9
    if (failure := _last_failure(folder, stock)) is not None:
        advice = "see the findings about camera, encoder and disks; the next drive tries again"
        return Finding("recordings", Verdict.NOTE, f"{folder}: the last segment ended early: {failure}", advice)
    told = f"{folder}: {len(stock)} segments, {kept_gb:.1f} of {settings.max_gb:g} GB, {locked_gb:.1f} GB locked"
    if locked_gb > settings.max_gb / 2:
        advice = "copy what you want to keep and remove its locks, or raise recording.max_gb"
        return Finding("recordings", Verdict.NOTE, told, advice)
    return Finding("recordings", Verdict.OK, told)


def _last_failure(folder: Path, stock: Sequence[Item]) -> str | None:
    """What ended the newest segment, where it was neither the end of a drive nor a power cut."""
    if not stock:
        return None
    try:
        end = read_track(max(stock, key=lambda item: item.name).name.track(folder)).end
    except OSError as e:
        return e.strerror or str(e)
    return end.why if end is not None and end.why not in (CUT, *ORDERLY) else None


def written_folders(settings: EdgeSettings) -> dict[str, Path]:
    """What is written during a drive and where, by the words for it."""
    reads_file = settings.reads.file or default_reads_file()
    folders = {"reads": reads_file.parent}
    if settings.record.file is not None:
        folders["video"] = settings.record.file.parent
    if settings.recording.when != "never":
        folders["recordings"] = settings.recording.folder or default_recordings_folder()
    if settings.offline.folder is not None:
        folders["spool"] = settings.offline.folder
    return folders
