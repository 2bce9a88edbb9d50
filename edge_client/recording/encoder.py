"""Pictures as H.264 packets, for sources that do not encode by themselves."""

from __future__ import annotations

from fractions import Fraction

import av
import cv2
import numpy as np
from av.video.frame import PictureType
from numpy.typing import NDArray

from edge_client.config.recording import RecordingSettings
from edge_client.sources.encoded import EncodedPacket, VideoFormat
from edge_client.types import Image

_TICKS = 90_000
_KEY_FRAME_S = 1.0
_BT601, _LIMITED_RANGE = 6, 1  # what OpenCV's conversion makes: SMPTE 170M, 16..235


class H264Encoder:
    """Encodes pictures of one size, each at once, with a key frame every second. All calls from one thread."""

    def __init__(self, first: Image, frame_rate_hz: float, settings: RecordingSettings) -> None:
        """The size is the first picture's (uint8 BGR), cut to even numbers."""
        height, width = first.shape[:2]
        self._size = (height, width)
        self._height, self._width = max(height // 2 * 2, 2), max(width // 2 * 2, 2)
        self.video_format = VideoFormat("h264", self._width, self._height, frame_rate_hz)
        self._key_due_s = float("-inf")
        self._start_s: float | None = None
        self._last_pts = -1
        context = av.CodecContext.create("libx264", "w")
        if not isinstance(context, av.VideoCodecContext):
            raise TypeError("libx264 is no video codec here")
        context.width, context.height, context.pix_fmt = self._width, self._height, "yuv420p"
        context.time_base = Fraction(1, _TICKS)
        context.framerate = Fraction(frame_rate_hz).limit_denominator(1001)
        context.thread_count = 1  # the other cores belong to the frames to come
        context.gop_size = max(1, round(4 * _KEY_FRAME_S * frame_rate_hz))  # key frames come by time
        context.max_b_frames = 0
        context.colorspace, context.color_range = _BT601, _LIMITED_RANGE
        kbps = settings.max_kbps
        context.options = {
            "preset": settings.preset,
            "tune": "zerolatency",
            "crf": str(settings.crf),
            "maxrate": f"{kbps}k",
            "bufsize": f"{kbps}k",
            "forced-idr": "1",
            "x264-params": "threads=1:scenecut=0",
        }
        self._context = context

    def fits(self, image: Image) -> bool:
        """Whether a picture has the size of the others."""
        return image.shape[:2] == self._size

    def force_key_frame(self) -> None:
        """Makes the next picture one that a file can begin with."""
        self._key_due_s = float("-inf")

    def encode(self, image: Image, time_s: float) -> list[EncodedPacket]:
        """The packets, mostly one, of a picture (uint8 BGR) taken at this time.

        Raises:
            av.FFmpegError: the encoder failed.
        """
        planes = cv2.cvtColor(image[: self._height, : self._width], cv2.COLOR_BGR2YUV_I420)
        frame = _frame_of(np.asarray(planes, np.uint8), self._width, self._height)
        if self._start_s is None:
            self._start_s = time_s
        self._last_pts = max(round((time_s - self._start_s) * _TICKS), self._last_pts + 1)
        frame.pts, frame.time_base = self._last_pts, Fraction(1, _TICKS)
        if time_s >= self._key_due_s:
            on_grid_s = self._key_due_s + _KEY_FRAME_S
            self._key_due_s = on_grid_s if on_grid_s > time_s else time_s + _KEY_FRAME_S
            frame.pict_type = PictureType.I
        return [
            EncodedPacket(bytes(packet), time_s, packet.is_keyframe, self.video_format)
            for packet in self._context.encode(frame)
        ]


def _frame_of(planes: NDArray[np.uint8], width: int, height: int) -> av.VideoFrame:
    """A frame of packed I420 planes, (height * 3 / 2, width): `VideoFrame.from_ndarray` takes ten times as long."""
    frame = av.VideoFrame(width, height, "yuv420p")
    packed, first = planes.reshape(-1), 0
    for plane in frame.planes:
        rows = np.frombuffer(memoryview(plane), np.uint8).reshape(plane.height, plane.line_size)
        last = first + plane.width * plane.height
        rows[:, : plane.width] = packed[first:last].reshape(plane.height, plane.width)
        first = last
    return frame
