"""One H.264 stream in one MP4 container."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path

import av
import cv2
import numpy as np

from edge_client.config import RecordSettings
from edge_client.displays.fit import fit
from edge_client.types import Image

_TICKS = 90_000  # per second, as video has them
_FRAGMENT_S = 2.0
_BT601, _LIMITED_RANGE = 6, 1  # what OpenCV's conversion makes: SMPTE 170M, 16..235


class _Sink:
    """The file that the container is written into.

    After a failed write nothing more reaches the file: the muxer, which knows nothing of the failure, must
    not rewrite the header of what is on the disk.
    """

    def __init__(self, path: Path) -> None:
        self._file = path.open("w+b", buffering=0)
        self._position = 0
        self.error: OSError | None = None

    def write(self, data: bytes) -> int:
        """Writes all of it, or remembers why that failed."""
        rest = memoryview(data)
        while rest and self.error is None:
            try:
                rest = rest[self._file.write(rest) :]
            except OSError as e:
                self.error = e
        self._position += len(data)
        return len(data)

    def seek(self, offset: int, whence: int = 0) -> int:
        """As a file's; after a failed write it only pretends."""
        if self.error is None:
            self._position = self._file.seek(offset, whence)
        return self._position

    def tell(self) -> int:
        """As a file's."""
        return self._position

    def close(self) -> None:
        """Closes the file."""
        try:
            self._file.close()
        except OSError as e:
            self.error = self.error or e


class Encoder:
    """Encodes pictures of one size into one MP4 file; all calls from one thread."""

    def __init__(self, path: Path, first: Image, rate: Fraction, settings: RecordSettings) -> None:
        """Opens the file. The size is the first picture's, cut to even numbers; the rate is frames per
        second.

        Raises:
            OSError: the file cannot be written.
        """
        height, width = first.shape[:2]
        self._width, self._height = max(2, width // 2 * 2), max(2, height // 2 * 2)
        self._rate = rate
        self._started_s: float | None = None
        self._last_pts = -_TICKS  # before any
        self.frames = 0
        self._sink = _Sink(path)
        # Fragments survive a crash; an orderly end turns them into a plain file with one index (FFmpeg >=
        # 7.1).
        self._container = av.open(
            self._sink, "w", format="mp4", options={"movflags": "hybrid_fragmented+frag_keyframe"}
        )
        self._stream = self._container.add_stream("libx264", rate=rate)
        context = self._stream.codec_context
        context.width, context.height, context.pix_fmt = self._width, self._height, "yuv420p"
        context.time_base = Fraction(1, _TICKS)
        context.thread_count = 1  # the other cores belong to the frames to come
        context.gop_size = max(1, round(_FRAGMENT_S * rate))
        context.colorspace, context.color_range = _BT601, _LIMITED_RANGE
        context.options = {"preset": settings.preset, "crf": str(settings.crf), "x264-params": "threads=1"}

    def encode(self, image: Image, captured_s: float | None) -> None:
        """Adds one picture (uint8 BGR), at its capture time if given, else one period after the last.

        Raises:
            OSError: the disk does not take it.
        """
        planes = cv2.cvtColor(self._even(image), cv2.COLOR_BGR2YUV_I420)
        frame = av.VideoFrame.from_ndarray(np.asarray(planes, np.uint8), format="yuv420p")
        frame.time_base = Fraction(1, _TICKS)
        frame.pts = self._pts(captured_s)
        self._write(frame)
        self._check()
        self.frames += 1

    def finish(self) -> None:
        """Writes what the encoder still holds and the index.

        Raises:
            OSError: the disk does not take it.
        """
        self._write(None)
        self._container.close()
        self._sink.close()
        self._check()

    def abandon(self) -> None:
        """Lets go of the file after a failure, leaving what is on the disk as it is."""
        self._sink.error = self._sink.error or OSError("abandoned")
        self._container.close()
        self._sink.close()

    def _write(self, frame: av.VideoFrame | None) -> None:
        for packet in self._stream.encode(frame):
            packet.duration = round(_TICKS / self._rate)  # or the last picture would last no time
            self._container.mux(packet)

    def _check(self) -> None:
        if self._sink.error is not None:
            raise self._sink.error

    def _even(self, image: Image) -> Image:
        """Cut by a pixel if that is all it takes, else fitted into the size of the stream."""
        rows, columns = image.shape[:2]
        if self._height <= rows <= self._height + 1 and self._width <= columns <= self._width + 1:
            return image[: self._height, : self._width]
        return fit(image, self._width, self._height)

    def _pts(self, captured_s: float | None) -> int:
        if captured_s is None:
            pts = round(self.frames * _TICKS / self._rate)
        else:
            if self._started_s is None:
                self._started_s = captured_s
            pts = round((captured_s - self._started_s) * _TICKS)
        self._last_pts = max(pts, self._last_pts + _TICKS // 1000)
        return self._last_pts
