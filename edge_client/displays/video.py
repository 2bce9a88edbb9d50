"""The annotated stream as an H.264 MP4 file.

The file is written in fragments, so that it plays after a crash or a full disk up to the last two seconds; when
the recording ends in order it is turned into a plain MP4 with one index.
"""

from __future__ import annotations

import errno
import logging
import shutil
import threading
from fractions import Fraction
from pathlib import Path

import av

from edge_client.config import RecordSettings
from edge_client.displays.encoder import Encoder
from edge_client.displays.mp4 import count_pictures, cut_to_whole_fragments
from edge_client.errors import ConfigError
from edge_client.paths import is_folder
from edge_client.types import Image, ShownFrame

_LOG = logging.getLogger(__name__)
_FAILURES = (OSError, ValueError, av.FFmpegError)  # the disk, a picture that is none, the encoder
_SPACE_EVERY_S = 1.0


class VideoRecorder:
    """Writes every frame that is shown into an MP4 file, at a constant rate or, for live sources, by capture time.

    The first frame sets the size (an odd one is cut by a pixel); later frames of another size are fitted into
    it. A disk that is full, or nearly so, ends the recording with one warning, never the drive; the frames that
    are missing are counted. `show` and `close` come from one thread.
    """

    name = "the recording"
    every_frame = True

    def __init__(self, path: Path, settings: RecordSettings, frame_rate_hz: float, *, live: bool = False) -> None:
        """Checks that the file can be written; it is begun with the first frame.

        Args:
            path: the MP4 file; an existing one is replaced.
            settings: quality, speed and the space to leave free.
            frame_rate_hz: the constant rate, or the nominal one for live sources.
            live: take the time of each frame from its capture, as cameras do not keep a constant rate.

        Raises:
            ConfigError: the folder is missing, or the file cannot be written.
        """
        if not is_folder(path.parent):
            raise ConfigError(f"cannot record to {path}: the folder {path.parent} does not exist; create it first")
        try:
            existed = path.exists()
            path.open("ab").close()  # an older recording stays until the first frame comes
            if not existed:
                path.unlink()
        except OSError as e:
            raise ConfigError(f"cannot record to {path}: {e.strerror}; name another file") from e
        self._path = path
        self._settings = settings
        self._rate = Fraction(frame_rate_hz if frame_rate_hz > 0 else 25.0).limit_denominator(1001)
        self._live = live
        self._encoder: Encoder | None = None
        self._lock = threading.Lock()
        self._written = 0
        self._lost = 0
        self._failure: str | None = None

    @property
    def path(self) -> Path:
        """The file."""
        return self._path

    @property
    def frames_written(self) -> int:
        """How many frames are in the file."""
        with self._lock:
            return self._written

    @property
    def frames_lost(self) -> int:
        """How many frames were shown but could not be recorded."""
        with self._lock:
            return self._lost

    @property
    def failure(self) -> str | None:
        """Why the recording ended early, None while it goes well."""
        with self._lock:
            return self._failure

    def show(self, shown: ShownFrame, annotated: Image) -> None:
        """Encodes the picture (uint8 BGR), or counts it as lost once the recording has failed."""
        if self.failure is not None:
            self._count(lost=1)
            return
        try:
            if self._encoder is None:
                self._encoder = Encoder(self._path, annotated, self._rate, self._settings)
            if self._encoder.frames % max(1, round(self._rate * _SPACE_EVERY_S)) == 0:
                self._check_space()
            self._encoder.encode(annotated, shown.frame.captured_monotonic_s if self._live else None)
        except _FAILURES as e:
            self._count(lost=1)
            self._fail(e)
        else:
            self._count(written=1)

    def closed_by_user(self) -> bool:
        """A file is never closed by the user."""
        return False

    def close(self) -> None:
        """Finishes the file. Calling it again does nothing."""
        encoder, self._encoder = self._encoder, None
        if encoder is not None and self.failure is None:
            try:
                encoder.finish()
            except _FAILURES as e:
                self._encoder = encoder
                self._fail(e)

    def _count(self, *, written: int = 0, lost: int = 0) -> None:
        with self._lock:
            self._written += written
            self._lost += lost

    def _check_space(self) -> None:
        free = shutil.disk_usage(self._path.parent).free
        if free < self._settings.min_free_mb * 2**20:
            raise OSError(errno.ENOSPC, f"less than {self._settings.min_free_mb} MB are free on its disk")

    def _fail(self, error: Exception) -> None:
        """Ends the recording: what was written stays playable, and the drive goes on."""
        encoder, self._encoder = self._encoder, None
        kept = 0
        if encoder is not None:
            encoder.abandon()
            try:
                if cut_to_whole_fragments(self._path):
                    kept = count_pictures(self._path)
                else:
                    self._path.unlink()
            except OSError as e:
                _LOG.debug("cannot repair %s: %s", self._path, e)
        reason = getattr(error, "strerror", None) or str(error)
        with self._lock:
            self._failure = reason
            self._lost += self._written - kept
            self._written = kept
        _LOG.warning(
            "recording to %s ended after %d frames: %s; the drive goes on without it", self._path, kept, reason
        )
