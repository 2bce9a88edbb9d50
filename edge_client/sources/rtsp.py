"""RTSP cameras through FFmpeg (PyAV), with their own H.264 beside the pictures."""

from __future__ import annotations

import math
import threading
import time
from collections import deque

import av
import numpy as np
from av.video.stream import VideoStream

from edge_client.config import SourceSettings
from edge_client.errors import SourceError
from edge_client.sources.device import Picture
from edge_client.sources.encoded import EncodedPacket, EncodedStream, VideoFormat
from edge_client.sources.opencv import without_password
from edge_client.sources.packets import PacketHub, parameter_sets
from edge_client.sources.watched import WatchedSource

_CODEC = "h264"
_EXPECTED_RATE_HZ = 25.0
_MAX_RATE_HZ = 240.0
_LEAST_STEP_S = 1e-4
_MOST_BROKEN = 250


class RtspCamera(WatchedSource):
    """An RTSP camera. Its own video is offered where it is H.264 without B frames, and known at the start.

    Raises `SourceError` when it cannot be opened and is not to be waited for.
    """

    def __init__(self, url: str, settings: SourceSettings) -> None:
        self._hub = PacketHub(_CODEC)
        self._records_itself = False

        def opener() -> RtspDevice:
            device = RtspDevice(url, settings, self._hub)
            self._records_itself = device.records_itself
            return device

        super().__init__(f"stream {without_password(url)}", opener, settings, _EXPECTED_RATE_HZ)

    def encoded(self) -> EncodedStream | None:
        """The camera's packets as they came."""
        return self._hub if self._records_itself else None


class RtspDevice:
    """An opened RTSP session over TCP; see `edge_client.sources.device.Device`."""

    def __init__(self, url: str, settings: SourceSettings, hub: PacketHub) -> None:
        self._hub = hub
        self._interrupted = threading.Event()
        self._pictures: deque[Picture] = deque()
        self._packet_s = -math.inf
        try:
            self._container = av.open(
                url,
                options={"rtsp_transport": "tcp"},  # over UDP each lost packet is a broken picture
                # The watchdog is to be first; the second frees the reader that it left.
                timeout=(settings.open_timeout_s, 2 * settings.read_timeout_s),
            )
        except (av.FFmpegError, OSError, ValueError) as error:
            raise SourceError(f"is it there, and free? ({_in_words(error)})") from None
        try:
            self._stream = _video_of(self._container)
        except SourceError:
            self._container.close()
            raise
        self._stream.codec_context.thread_count = settings.decoder_threads
        self._packets = self._container.demux(self._stream)
        self._format = self._format_of(self._stream)
        hub.restart()

    @property
    def frame_rate_hz(self) -> float | None:
        """As it states it, None where it states nonsense."""
        rate = float(self._stream.average_rate or self._stream.guessed_rate or 0)
        return rate if math.isfinite(rate) and 0 < rate <= _MAX_RATE_HZ else None

    @property
    def frame_count(self) -> int | None:
        """It is live."""
        return None

    @property
    def records_itself(self) -> bool:
        """Whether its packets can be kept as they are."""
        return self._format is not None

    def read(self) -> Picture | None:
        """The next picture; None at the end or when interrupted. Raises `SourceError` when the session breaks."""
        broken = 0
        while not self._pictures:
            if self._interrupted.is_set():
                return None
            try:
                packet = next(self._packets)
                if packet.size == 0:  # what FFmpeg sends at the end, to empty the decoder
                    return None
                self._take(packet)
            except StopIteration:
                return None
            except av.error.InvalidDataError:
                broken += 1  # the first ones, before a key frame, often are
                if broken > _MOST_BROKEN:
                    raise SourceError("its pictures cannot be decoded") from None
            except (av.FFmpegError, OSError) as error:
                raise SourceError(_in_words(error)) from None
        return self._pictures.popleft()

    def interrupt(self) -> None:
        """End at the next packet, or when FFmpeg's timeout ends the read."""
        self._interrupted.set()

    def close(self) -> None:
        """End the session."""
        self._container.close()

    def _take(self, packet: av.Packet[VideoStream]) -> None:
        taken_s = max(time.monotonic(), self._packet_s + _LEAST_STEP_S)
        self._packet_s = taken_s
        # First of all decoded: only then the codec's context tells the size of a new key frame.
        for frame in self._stream.codec_context.decode(packet):
            self._pictures.append(Picture(np.asarray(frame.to_ndarray(format="bgr24"), np.uint8), taken_s))
        if self._format is not None and self._hub.wanted:
            self._hub.publish(self._encoded(packet, self._format, taken_s))

    def _encoded(self, packet: av.Packet[VideoStream], video: VideoFormat, taken_s: float) -> EncodedPacket:
        data = bytes(packet)
        if packet.is_keyframe:
            found = parameter_sets(data)
            if not found:
                data = video.extradata + data
            elif found != video.extradata:
                context = self._stream.codec_context
                self._format = video = VideoFormat(
                    _CODEC, context.width, context.height, self.frame_rate_hz or _EXPECTED_RATE_HZ, found
                )
        return EncodedPacket(data, taken_s, packet.is_keyframe, video)

    def _format_of(self, stream: VideoStream) -> VideoFormat | None:
        context = stream.codec_context
        sets = parameter_sets(context.extradata or b"")
        if context.name != _CODEC or context.has_b_frames or not sets or not context.width:
            return None
        return VideoFormat(_CODEC, context.width, context.height, self.frame_rate_hz or _EXPECTED_RATE_HZ, sets)


def _video_of(container: av.container.InputContainer) -> VideoStream:
    if not container.streams.video:
        raise SourceError("it has no video")
    return container.streams.video[0]


def _in_words(error: Exception) -> str:
    """Without the URL, which may hold a password."""
    return getattr(error, "strerror", None) or type(error).__name__
