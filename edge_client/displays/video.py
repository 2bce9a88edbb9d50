"""The annotated stream as an H.264 MP4 file.

The file is written in fragments, so that it plays after a crash or a full disk up to the last two seconds; when the
recording ends in order it is turned into a plain MP4 with one index. Encoding runs on its own thread behind a short
queue: the pictures of a burst wait there, and a device that is too slow is slowed down rather than loses frames.
"""

from __future__ import annotations

import logging
import queue
import shutil
import threading
from fractions import Fraction
from pathlib import Path

import av
import cv2

from edge_client.displays.fit import fit
from edge_client.displays.mp4 import cut_to_whole_fragments
from edge_client.types import Image, ShownFrame

_LOG = logging.getLogger(__name__)
_TICKS = 90_000
_FRAGMENT_S = 2.0
_BT601, _LIMITED_RANGE = 6, 1  # what OpenCV's conversion makes: SMPTE 170M, 16..235


class RecordingError(Exception):
    """The recording cannot be started; the message says why."""


class VideoFile:
    """Writes every frame that is shown into an MP4 file, at a constant rate or, for live sources, by capture time.

    The first frame sets the size (an odd one is cut by a pixel); later frames of another size are fitted into it.
    A disk that is full, or nearly so, ends the recording with one warning, never the run.
    """

    def __init__(
        self, path: Path, frame_rate_hz: float, *, live: bool = False, crf: int = 23, min_free_bytes: int = 100 * 2**20
    ) -> None:
        """Checks that the file can be written; encoding starts with the first frame.

        Args:
            path: the MP4 file; an existing one is replaced.
            frame_rate_hz: the constant rate, or the nominal one for live sources.
            live: take the time of each frame from its capture, as cameras do not keep a constant rate.
            crf: x264's constant rate factor, 0 (lossless) to 51; higher is smaller.
            min_free_bytes: the recording ends when less is free on the disk, so that reads can still be stored.

        Raises:
            RecordingError: the folder is missing, or the file cannot be written.
        """
        if not path.parent.is_dir():
            raise RecordingError(f"cannot record to {path}: the folder {path.parent} does not exist; create it first")
        try:
            path.open("wb").close()
        except OSError as e:
            raise RecordingError(f"cannot record to {path}: {e.strerror}") from e
        self._path = path
        self._rate = Fraction(frame_rate_hz if frame_rate_hz > 0 else 25.0).limit_denominator(1001)
        self._live = live
        self._crf = crf
        self._min_free_bytes = min_free_bytes
        self._lock = threading.Lock()
        self._written = 0
        self._lost = 0
        self._reason: str | None = None
        self._queue: queue.Queue[tuple[Image, float] | None] = queue.Queue(maxsize=8)
        self._thread = threading.Thread(target=self._work, name="video-file", daemon=True)
        self._thread.start()
        self._closed = False

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
            return self._reason

    def show(self, shown: ShownFrame, annotated: Image) -> None:
        """Hands the picture to the encoder; waits only while the encoder is a whole queue behind."""
        if not self._closed:
            self._queue.put((annotated, shown.frame.captured_monotonic_s))

    def closed_by_user(self) -> bool:
        """A file is never closed by the user."""
        return False

    def close(self) -> None:
        """Encodes what waits and finishes the file. Calling it again does nothing."""
        if not self._closed:
            self._closed = True
            self._queue.put(None)
            self._thread.join()

    def _work(self) -> None:
        encoder: _Encoder | None = None
        while (item := self._queue.get()) is not None:
            if self._reason is not None:
                self._count(lost=1)
                continue
            image, captured_s = item
            try:
                if encoder is None:
                    encoder = _Encoder(self._path, image, self._rate, self._crf)
                if encoder.frames % max(1, round(self._rate)) == 0:
                    self._check_space()
                encoder.encode(image, captured_s if self._live else None)
            except OSError as e:  # av.FFmpegError of a failed write is one too
                encoder = self._fail(encoder, e)
                self._count(lost=1)
            else:
                self._count(written=1)
        if encoder is not None:
            try:
                encoder.finish()
            except OSError as e:
                self._fail(encoder, e)
        elif self._reason is None:
            self._path.unlink(missing_ok=True)  # no frame came: leave no empty file that looks like a video

    def _count(self, *, written: int = 0, lost: int = 0) -> None:
        with self._lock:
            self._written += written
            self._lost += lost

    def _check_space(self) -> None:
        free = shutil.disk_usage(self._path.parent).free
        if free < self._min_free_bytes:
            raise OSError(None, f"less than {self._min_free_bytes // 2**20} MB are free on the disk")

    def _fail(self, encoder: _Encoder | None, error: OSError) -> None:
        """Ends the recording: what was written stays playable, and the run goes on."""
        if encoder is not None:
            encoder.abandon()
        reason = error.strerror or str(error)
        with self._lock:
            self._reason = reason
        try:
            fragments = cut_to_whole_fragments(self._path)
            if not fragments:
                self._path.unlink()
        except OSError as e:
            _LOG.debug("cannot repair %s: %s", self._path, e)
        _LOG.warning("recording to %s ended: %s; the drive goes on without it", self._path, reason)


class _Encoder:
    """One H.264 stream in one MP4 container; all calls from one thread."""

    def __init__(self, path: Path, first: Image, rate: Fraction, crf: int) -> None:
        height, width = first.shape[:2]
        self._width, self._height = max(2, width // 2 * 2), max(2, height // 2 * 2)
        self._rate = rate
        self._started_s: float | None = None
        self._last_pts = -1
        self.frames = 0
        self._container = av.open(
            str(path), "w", format="mp4", options={"movflags": "+hybrid_fragmented+frag_keyframe+default_base_moof"}
        )
        self._stream = self._container.add_stream("libx264", rate=rate)
        self._stream.width, self._stream.height = self._width, self._height
        self._stream.pix_fmt = "yuv420p"
        self._stream.time_base = Fraction(1, _TICKS)
        context = self._stream.codec_context
        context.time_base = Fraction(1, _TICKS)
        context.thread_count = 1  # the other cores belong to the frames to come
        context.gop_size = max(1, round(_FRAGMENT_S * rate))
        context.colorspace, context.color_range = _BT601, _LIMITED_RANGE
        context.options = {"preset": "ultrafast", "crf": str(crf), "x264-params": "threads=1"}

    def encode(self, image: Image, captured_s: float | None) -> None:
        """Adds one picture, at its capture time if given, else one period after the last."""
        even = image[: self._height, : self._width]
        if image.shape[0] - even.shape[0] > 1 or image.shape[1] - even.shape[1] > 1 or even.shape != (
            self._height,
            self._width,
            3,
        ):
            even = fit(image, self._width, self._height)
        planes = cv2.cvtColor(even, cv2.COLOR_BGR2YUV_I420)
        frame = av.VideoFrame.from_ndarray(planes, format="yuv420p")
        frame.time_base = Fraction(1, _TICKS)
        frame.pts = self._pts(captured_s)
        for packet in self._stream.encode(frame):
            self._container.mux(packet)
        self.frames += 1

    def _pts(self, captured_s: float | None) -> int:
        if captured_s is None:
            pts = round(self.frames * _TICKS / self._rate)
        else:
            if self._started_s is None:
                self._started_s = captured_s
            pts = round((captured_s - self._started_s) * _TICKS)
        self._last_pts = max(pts, self._last_pts + _TICKS // 1000)
        return self._last_pts

    def finish(self) -> None:
        """Writes what the encoder still holds and the index."""
        for packet in self._stream.encode(None):
            self._container.mux(packet)
        self._container.close()

    def abandon(self) -> None:
        """Lets go of the file after a failed write."""
        try:
            self._container.close()
        except OSError as e:
            _LOG.debug("closing after a failed write: %s", e)
