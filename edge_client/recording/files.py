"""The two growing files of a segment, and the folder that they lie in."""

from __future__ import annotations

import errno
import fcntl
import logging
import os
from dataclasses import dataclass
from pathlib import Path

from edge_client.recording.locks import sync_folder
from edge_client.recording.names import SegmentName
from edge_client.recording.repair import repair_all
from edge_client.recording.stock import remove, stock_of
from edge_client.recording.track import Head, line_of

_LOG = logging.getLogger(__name__)
_CREATE = os.O_WRONLY | os.O_CREAT | os.O_EXCL


@dataclass(frozen=True, slots=True)
class Home:
    """The file system that a folder lies on: its number, and where it is mounted."""

    device: int
    mount: Path


class SegmentFiles:
    """The video and the track of a segment, open for writing. All calls from one thread."""

    def __init__(self, name: SegmentName, video: int, track: int) -> None:
        """``video`` and ``track`` are open file descriptors, which this owns from here on."""
        self.name = name
        self._video = video
        self._track = track
        self._video_bytes = 0
        self._track_bytes = 0

    def write(self, data: bytes, lines: str) -> None:
        """Appends to both; after a failure neither holds a part of what was to be appended.

        Raises:
            OSError: the disk does not take it.
        """
        self._video_bytes = _append(self._video, data, self._video_bytes)
        self._track_bytes = _append(self._track, lines.encode(), self._track_bytes)

    def sync(self) -> None:
        """Returns when all that was written is on the disk.

        Raises:
            OSError: it is not, or the files are no longer in their folder.
        """
        if os.fstat(self._video).st_nlink == 0:
            raise OSError(errno.ENOENT, "the file has been removed while it was written")
        os.fdatasync(self._video)
        os.fdatasync(self._track)

    def finish(self, line: str) -> None:
        """The last line of the track, and the end.

        Raises:
            OSError: the disk does not take it; the files are closed all the same.
        """
        try:
            self.write(b"", line)
            self.sync()
        finally:
            self._close()

    def abandon(self, why: str) -> None:
        """Closes both after a failure."""
        try:
            self.sync()
        except OSError as error:
            _LOG.debug("%s after %s: %s", self.name.stem, why, error)
        finally:
            self._close()

    def _close(self) -> None:
        os.close(self._video)
        os.close(self._track)


def open_segment(folder: Path, head: Head) -> SegmentFiles:
    """Creates the files of the next segment, durably, with the head of the track.

    The number is one more than the highest in the folder; two recordings that share a folder take turns.

    Raises:
        OSError: they cannot be created.
    """
    guard = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        _lock(guard, fcntl.LOCK_EX)
        stock = stock_of(folder)
        number = stock[-1].name.number + 1 if stock else 1
        name = SegmentName.of(number, head.utc)
        video = os.open(name.video(folder), _CREATE, 0o644)
        try:
            _lock(video, fcntl.LOCK_EX | fcntl.LOCK_NB)  # says that it is in use, until it is closed
            track = os.open(name.track(folder), _CREATE, 0o644)
        except OSError:
            os.close(video)
            remove(folder, name)
            raise
    finally:
        os.close(guard)
    files = SegmentFiles(name, video, track)
    try:
        files.write(b"", line_of(head))
        files.sync()
        sync_folder(folder)
    except OSError as error:
        files.abandon(str(error))
        remove(folder, name)
        raise
    return files


def prepare_folder(folder: Path, home: Home | None) -> Home:
    """Makes the folder if it is missing; the first time, segments that were cut are repaired.

    Args:
        folder: the folder of the segments.
        home: the file system that it was on, None at first. A folder whose disk has gone is neither made anew on the
            disk below nor used there, where it was the mount point; a disk that came back may have another number.

    Returns:
        Its file system.

    Raises:
        OSError: it cannot be made, or its disk has gone.
    """
    if not folder.is_dir():
        if home is None:
            folder.mkdir(parents=True, exist_ok=True)
        elif folder.parent.is_dir() and folder.parent.stat().st_dev == home.device:
            folder.mkdir(exist_ok=True)
        else:
            raise OSError(errno.ENOENT, f"the folder {folder} has gone")
        sync_folder(folder.parent)
    found = _home_of(folder)
    if home is not None and found.device != home.device and found.mount != home.mount:
        raise OSError(errno.ENODEV, f"the disk of the folder {folder} has gone")
    if home is None:
        for name in repair_all(folder):
            _LOG.info("the recording %s had been cut off", name.stem)
    return found


def _home_of(folder: Path) -> Home:
    place = folder.resolve()
    while not place.is_mount() and place != place.parent:
        place = place.parent
    return Home(folder.stat().st_dev, place)


def _append(handle: int, data: bytes, size: int) -> int:
    """Writes at the end of a file of this size; gives the new size. What was written in part is cut off again."""
    rest = memoryview(data)
    try:
        while rest:
            rest = rest[os.write(handle, rest) :]
    except OSError:
        os.ftruncate(handle, size)
        os.lseek(handle, size, os.SEEK_SET)
        raise
    return size + len(data)


def _lock(handle: int, operation: int) -> None:
    try:
        fcntl.flock(handle, operation)
    except OSError as error:  # a file system without locks
        _LOG.debug("no lock: %s", error)
