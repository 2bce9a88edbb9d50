"""One opening of a Raspberry Pi camera through Picamera2, and its two streams.

The stream ``main`` has the size of the recording and goes to the H.264 encoder (the hardware's on a Pi 4 and
Zero 2; a Pi 5 has none, and Picamera2 encodes with x264), the stream ``lores`` gives the frames that are
inferred and shown. Both are YUV 4:2:0, which every Pi can give for both. See the Picamera2 manual, chapters 4
(streams) and 7 (encoders).
"""

from __future__ import annotations

import logging
import queue
import threading
import time
from concurrent.futures import CancelledError
from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np

from edge_client.config import SourceSettings
from edge_client.errors import SourceError
from edge_client.sources.device import Picture
from edge_client.sources.encoded import EncodedPacket, VideoFormat
from edge_client.sources.packets import PacketHub, parameter_sets
from edge_client.types import Image

_LOG = logging.getLogger(__name__)
_RECORDED, _INFERRED = "main", "lores"
_FORMAT = "YUV420"
_OLDEST_S = 5.0
# What Picamera2, libcamera's binding and the V4L2 encoder below them raise for cameras that are gone or taken.
_FAULTS = (RuntimeError, OSError, ValueError, LookupError, AttributeError, TypeError, CancelledError)


@dataclass(frozen=True, slots=True)
class PiModules:
    """Picamera2's modules and libcamera's, loaded when a Pi camera is chosen and not before."""

    picamera2: Any
    encoders: Any
    outputs: Any
    libcamera: Any


class PiCameraDevice:
    """A running Pi camera; see `edge_client.sources.device.Device`.

    The encoder runs only while somebody takes its packets. Raises `SourceError` when the camera is not there,
    is taken by another program, or fails.
    """

    def __init__(self, modules: PiModules, number: int, settings: SourceSettings, hub: PacketHub) -> None:
        self._modules = modules
        self._settings = settings
        self._hub = hub
        self._encoder: Any = None
        self._encoder_given_up = False
        self._done: queue.SimpleQueue[Any] = queue.SimpleQueue()
        self._interrupted = threading.Event()
        try:
            self._camera = modules.picamera2.Picamera2(number)
        except _FAULTS as error:
            raise SourceError(f"{_in_words(error)}; `rpicam-hello --list-cameras` shows what there is") from None
        try:
            self._start()
        except _FAULTS as error:
            self.close()
            raise SourceError(_in_words(error)) from None

    @property
    def frame_rate_hz(self) -> float | None:
        """As asked of it."""
        return self._settings.camera_rate_hz

    @property
    def frame_count(self) -> int | None:
        """A camera has no end."""
        return None

    def read(self) -> Picture | None:
        """The next picture; None when interrupted. Raises `SourceError` when the camera fails."""
        if self._interrupted.is_set():
            return None
        try:
            self._encode_if_wanted()
            self._camera.capture_request(wait=False, signal_function=self._done.put)
            job = self._done.get()
            if job is None:
                return None
            request = job.get_result()
            try:
                planes = request.make_array(_INFERRED)
                taken_s = _sensor_s(request.get_metadata())
            finally:
                request.release()
            return Picture(_to_bgr(planes, self._frame_size), taken_s)
        except _FAULTS as error:
            raise SourceError(_in_words(error)) from None

    def interrupt(self) -> None:
        """Wake a read that waits; none of Picamera2's locks is touched, for its own thread may hang in them."""
        self._interrupted.set()
        self._done.put(None)

    def close(self) -> None:
        """Stop the encoder and give the camera back."""
        self._interrupted.set()
        steps = [self._camera.cancel_all_and_flush, self._camera.stop]
        if self._encoder is not None:
            steps.append(self._camera.stop_encoder)
        for step in (*steps, self._camera.close):
            try:
                step()
            except _FAULTS as error:
                _LOG.info("closing the Pi camera: %s", _in_words(error))
        self._encoder = None

    def _start(self) -> None:
        settings = self._settings
        turned = settings.camera_upside_down
        frame_us = round(1e6 / settings.camera_rate_hz)
        frame = (settings.camera_width_px, settings.camera_height_px)
        # The camera's processor makes the second stream out of the first by reducing it.
        video = (max(settings.pi_video_width_px, frame[0]), max(settings.pi_video_height_px, frame[1]))
        configuration = self._camera.create_video_configuration(
            main={"size": video, "format": _FORMAT},
            lores={"size": frame, "format": _FORMAT},
            transform=self._modules.libcamera.Transform(hflip=turned, vflip=turned),
            controls={"FrameDurationLimits": (frame_us, frame_us)},
            display=None,
            encode=_RECORDED,
        )
        self._camera.configure(configuration)
        # Sizes may have been rounded to what the camera's processor can do.
        streams = self._camera.camera_configuration()
        self._frame_size: tuple[int, int] = streams[_INFERRED]["size"]
        self._video_size: tuple[int, int] = streams[_RECORDED]["size"]
        self._camera.start()

    def _encode_if_wanted(self) -> None:
        if self._encoder is None and self._hub.wanted and not self._encoder_given_up:
            try:
                self._start_encoder()
            except _FAULTS as error:
                self._encoder_failed(_in_words(error))
        elif self._encoder is not None and not self._hub.wanted:
            self._stop_encoder()
        elif self._encoder is not None and time.monotonic() - self._hub.published_s > self._settings.read_timeout_s:
            self._encoder_failed("it gives nothing")

    def _start_encoder(self) -> None:
        rate_hz = self._settings.camera_rate_hz
        per_second = max(round(rate_hz), 1)
        encoder = self._modules.encoders.H264Encoder(
            bitrate=self._settings.pi_video_bitrate_bps,
            repeat=True,  # each key frame with its parameter sets: a file can begin at any of them
            iperiod=per_second,
            framerate=per_second,
        )
        output = _packet_output(self._modules.outputs, encoder, self._hub, self._video_size, rate_hz)
        self._hub.restart()
        self._camera.start_encoder(encoder, output, name=_RECORDED)
        self._encoder = encoder

    def _stop_encoder(self) -> None:
        encoder, self._encoder = self._encoder, None
        self._camera.stop_encoder(encoder)

    def _encoder_failed(self, reason: str) -> None:
        """Starts the camera again once; if that does not help, pictures go on without the recording."""
        if not self._hub.failed:
            self._hub.failed = True
            raise SourceError(f"its encoder fails: {reason}")
        _LOG.warning("the Pi camera's encoder fails: %s; its video is not recorded", reason)
        self._encoder_given_up = True
        self._hub.failure = f"the camera's encoder fails: {reason}"
        if self._encoder is not None:
            self._stop_encoder()


def _packet_output(outputs: Any, encoder: Any, hub: PacketHub, size: tuple[int, int], rate_hz: float) -> Any:
    """An output of Picamera2 that hands the packets on; the encoder insists on a subclass of its own base."""
    base: Any = outputs.Output

    class PacketOutput(base):  # type: ignore[misc]
        """Called by the encoder's thread."""

        def __init__(self) -> None:
            super().__init__()
            self._format = VideoFormat(hub.codec, *size, rate_hz)

        def outputframe(
            self,
            frame: Any,
            keyframe: bool = True,
            timestamp: int | None = None,
            packet: object = None,
            audio: bool = False,
        ) -> None:
            """Times are microseconds since the encoder's first frame, whose sensor time it keeps."""
            if audio or frame is None:
                return
            data = bytes(frame)
            if keyframe and (found := parameter_sets(data)) and found != self._format.extradata:
                self._format = VideoFormat(hub.codec, *size, rate_hz, found)
            first_us = encoder.firsttimestamp
            known = timestamp is not None and first_us is not None
            taken_s = (first_us + timestamp) / 1e6 if known else time.monotonic()
            hub.publish(EncodedPacket(data, taken_s, bool(keyframe), self._format))

    return PacketOutput()


def _to_bgr(planes: Image, size: tuple[int, int]) -> Image:
    """YUV 4:2:0 planes, rows padded to the camera's stride, as BGR of the frame's size (width, height)."""
    width, height = size
    return np.ascontiguousarray(cv2.cvtColor(planes, cv2.COLOR_YUV2BGR_I420)[:height, :width], np.uint8)


def _sensor_s(metadata: dict[str, Any]) -> float:
    """When the sensor began the picture: nanoseconds on the kernel's monotonic clock."""
    now_s = time.monotonic()
    taken_s: float = metadata.get("SensorTimestamp", 0) / 1e9
    return taken_s if now_s - _OLDEST_S <= taken_s <= now_s else now_s  # not every driver keeps to that clock


def _in_words(error: BaseException) -> str:
    words = str(error).partition("\n")[0] or type(error).__name__
    return words if error.__cause__ is None else f"{words} ({_in_words(error.__cause__)})"
