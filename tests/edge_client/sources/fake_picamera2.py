"""The part of Picamera2 that the dashcam uses, with its real names, arguments and habits, over no camera.

`test_picamera_interface.py` compares every name and argument here with an installed Picamera2. What a Pi does
beneath, `Hardware` does here: it can be unplugged, fall silent, or hang.
"""

from __future__ import annotations

import errno
import threading
import time
from collections.abc import Callable
from concurrent.futures import CancelledError, Future
from dataclasses import dataclass, field
from fractions import Fraction
from types import ModuleType
from typing import Any

import av
import numpy as np
from numpy.typing import NDArray

RATE_HZ = 50.0
STRIDE_PX = 64


@dataclass
class Hardware:
    """The camera beneath. Its picture is red, with a white square in the first corner."""

    plugged: bool = True
    silent: bool = False
    hang_in_stop: threading.Event | None = None  # stopping waits for this
    encoder_hangs: bool = False
    encoder_missing: bool = False
    taken: bool = False
    opened: int = 0
    encoders_running: int = 0
    encoders_started: int = 0
    configurations: list[dict[str, Any]] = field(default_factory=list)


class Transform:
    """libcamera.Transform, which is C++: its two arguments that matter here."""

    def __init__(self, hflip: bool = False, vflip: bool = False) -> None:
        self.hflip = hflip
        self.vflip = vflip


class Output:
    """picamera2.outputs.Output."""

    def __init__(self, pts: object = None) -> None:
        self.recording = False

    def start(self) -> None:
        self.recording = True

    def stop(self) -> None:
        self.recording = False

    def outputframe(
        self,
        frame: bytes,
        keyframe: bool = True,
        timestamp: int | None = None,
        packet: object = None,
        audio: bool = False,
    ) -> None:
        raise NotImplementedError


class H264Encoder:
    """picamera2.encoders.H264Encoder, of both kinds (hardware and x264): those of the arguments that both have."""

    def __init__(
        self,
        bitrate: int | None = None,
        repeat: bool = True,
        iperiod: int | None = None,
        framerate: float | None = None,
    ) -> None:
        self.firsttimestamp: int | None = None
        self.name: str | None = None
        self.output: Output | None = None
        self._bitrate = bitrate
        self._repeat = repeat
        self._iperiod = iperiod
        self._codec: Any = None

    def start(self, quality: object = None) -> None:
        if self._codec is not None:
            raise RuntimeError("Encoder already running")
        assert self.output is not None
        self.firsttimestamp = None
        self.output.start()

    def stop(self) -> None:
        if self.output is None or not self.output.recording:
            raise RuntimeError("Encoder already stopped")
        self._codec = None
        self.output.stop()

    def encode(self, stream: str, request: CompletedRequest) -> None:
        planes = request.make_array(stream)
        width, height = request.config[stream]["size"]
        if self._codec is None:
            assert self._repeat
            self._codec = av.CodecContext.create("libx264", "w")
            self._codec.width, self._codec.height, self._codec.pix_fmt = width, height, "yuv420p"
            self._codec.time_base = Fraction(1, 1_000_000)
            self._codec.gop_size = self._iperiod
            self._codec.bit_rate = self._bitrate
            self._codec.options = {"preset": "ultrafast", "tune": "zerolatency"}
        timestamp_us = request.metadata["SensorTimestamp"] // 1000
        if self.firsttimestamp is None:
            self.firsttimestamp = timestamp_us
        frame = av.VideoFrame.from_ndarray(np.ascontiguousarray(unpadded(planes, width, height)), format="yuv420p")
        frame.pts = timestamp_us - self.firsttimestamp
        assert self.output is not None
        for packet in self._codec.encode(frame):
            self.output.outputframe(bytes(packet), packet.is_keyframe, packet.pts, packet)


def unpadded(planes: NDArray[np.uint8], width: int, height: int) -> NDArray[np.uint8]:
    """YUV 4:2:0 planes without the padding of their rows."""
    chroma = planes[height:].reshape(height, -1)[:, : width // 2]
    return np.concatenate([planes[:height, :width].ravel(), chroma.ravel()]).reshape(height * 3 // 2, width)


class Job:
    """picamera2.job.Job: runs on the camera's thread, and tells when it is done."""

    def __init__(
        self, functions: list[Callable[[], Any]], signal_function: Callable[[Job], None] | None = None
    ) -> None:
        self._functions = functions
        self._future: Future[Any] = Future()
        self._signal_function = signal_function

    def signal(self) -> None:
        self._future.set_result(self._functions[0]())
        if self._signal_function is not None:
            self._signal_function(self)

    def get_result(self, timeout: float | None = None) -> Any:
        return self._future.result(timeout=timeout)

    def cancel(self) -> None:
        self._future.set_exception(CancelledError())


class CompletedRequest:
    """picamera2.request.CompletedRequest: one set of buffers, to be released."""

    def __init__(self, request: dict[str, NDArray[np.uint8]], picam2: Picamera2) -> None:
        self.config = picam2.camera_configuration()
        self.metadata = {"SensorTimestamp": time.monotonic_ns(), "ExposureTime": 10_000}
        self._buffers = request
        self._picam2 = picam2

    def release(self) -> None:
        self._picam2.held -= 1

    def get_metadata(self) -> dict[str, Any]:
        return self.metadata

    def make_array(self, name: str) -> NDArray[np.uint8]:
        return self._buffers[name].copy()


def modules(hardware: Hardware) -> dict[str, ModuleType]:
    """The fake under the names under which the real one is imported."""
    camera_class = type("Picamera2", (Picamera2,), {"hardware": hardware})
    parts: dict[str, dict[str, object]] = {
        "picamera2": {"Picamera2": camera_class},
        "picamera2.encoders": {"H264Encoder": H264Encoder},
        "picamera2.outputs": {"Output": Output},
        "libcamera": {"Transform": Transform},
    }
    made = {}
    for name, contents in parts.items():
        made[name] = ModuleType(name)
        vars(made[name]).update(contents)
    return made


class Picamera2:
    """picamera2.Picamera2."""

    hardware: Hardware

    def __init__(
        self, camera_num: int = 0, verbose_console: object = None, tuning: object = None, allocator: object = None
    ) -> None:
        if camera_num > 0 or not self.hardware.plugged:
            raise RuntimeError(
                f'No camera number {camera_num} found - use "rpicam-hello --list-cameras" to check connected cameras'
            )
        if self.hardware.taken:
            busy = RuntimeError("Failed to acquire camera: Device or resource busy")
            raise RuntimeError("Camera __init__ sequence did not complete.") from busy
        self.hardware.taken = True
        self.hardware.opened += 1
        self.held = 0
        self.started = False
        self._lock = threading.Lock()
        self._jobs: list[Job] = []
        self._encoders: set[H264Encoder] = set()
        self._configuration: dict[str, Any] = {}
        self._stopping = threading.Event()
        self._thread: threading.Thread | None = None

    def create_video_configuration(
        self,
        main: dict[str, Any] | None = None,
        lores: dict[str, Any] | None = None,
        raw: object = None,
        transform: Transform | None = None,
        colour_space: object = None,
        buffer_count: int = 6,
        controls: dict[str, Any] | None = None,
        display: str | None = "main",
        encode: str | None = "main",
        queue: bool = True,
        sensor: object = None,
        use_case: str = "video",
    ) -> dict[str, Any]:
        assert main is not None
        assert lores is not None
        assert (main["format"], lores["format"]) == ("YUV420", "YUV420"), "what every Pi can do"
        return {"transform": transform, "main": main, "lores": lores, "controls": controls, "display": display}

    def configure(self, camera_config: dict[str, Any] | None = None) -> None:
        assert camera_config is not None
        if any(
            low > full for low, full in zip(camera_config["lores"]["size"], camera_config["main"]["size"], strict=True)
        ):
            raise RuntimeError("lores stream dimensions may not exceed main stream")
        self._configuration = dict(camera_config)
        for name in ("main", "lores"):
            width, height = camera_config[name]["size"]
            size = (width - width % 2, height - height % 2)
            self._configuration[name] = {"size": size, "format": "YUV420", "stride": -(-width // STRIDE_PX) * STRIDE_PX}
        self.hardware.configurations.append(self._configuration)

    def camera_configuration(self) -> dict[str, Any]:
        return dict(self._configuration)

    def start(self, config: object = None, show_preview: bool = False) -> None:
        if not self._configuration:
            raise RuntimeError("Camera has not been configured")
        self.started = True
        self._thread = threading.Thread(target=self._loop, daemon=True)
        self._thread.start()

    def stop(self) -> None:
        if not self.started:
            return
        self._stopping.set()
        if self.hardware.hang_in_stop is not None:
            self.hardware.hang_in_stop.wait()
        assert self._thread is not None
        self._thread.join()
        self.started = False

    def close(self) -> None:
        self.stop()
        self.hardware.taken = False

    def cancel_all_and_flush(self) -> None:
        with self._lock:
            for job in self._jobs:
                job.cancel()
            self._jobs = []

    def capture_request(
        self,
        wait: bool | float | None = None,
        signal_function: Callable[[Job], None] | None = None,
        flush: object = None,
    ) -> Any:
        job = Job([self._request], signal_function)
        with self._lock:
            self._jobs.append(job)
        if wait is None:
            wait = signal_function is None
        return job.get_result(None if wait is True else wait) if wait else job

    def start_encoder(
        self,
        encoder: H264Encoder | None = None,
        output: Output | None = None,
        pts: object = None,
        quality: object = None,
        name: str | None = None,
    ) -> None:
        assert encoder is not None
        if not isinstance(output, Output):
            raise RuntimeError("Must pass Output")  # the real one insists, too
        if self.hardware.encoder_missing:
            raise FileNotFoundError(errno.ENOENT, "No such file or directory", "/dev/video11")
        encoder.output, encoder.name = output, name
        encoder.start(quality=quality)
        with self._lock:
            self._encoders.add(encoder)
        self.hardware.encoders_running += 1
        self.hardware.encoders_started += 1

    def stop_encoder(self, encoders: H264Encoder | None = None) -> None:
        with self._lock:
            ending = set(self._encoders) if encoders is None else {encoders}
            self._encoders -= ending
            for encoder in ending:
                encoder.stop()
        self.hardware.encoders_running -= len(ending)

    def _request(self) -> CompletedRequest:
        self.held += 1
        return self._current

    def _loop(self) -> None:
        while not self._stopping.wait(1 / RATE_HZ):
            if self.hardware.silent or not self.hardware.plugged:
                continue
            self._current = CompletedRequest({name: self._planes(name) for name in ("main", "lores")}, self)
            with self._lock:
                jobs, self._jobs = self._jobs, []
                for encoder in () if self.hardware.encoder_hangs else self._encoders:
                    encoder.encode(encoder.name or "main", self._current)
            for job in jobs:
                job.signal()

    def _planes(self, name: str) -> NDArray[np.uint8]:
        stream = self._configuration[name]
        (width, height), stride = stream["size"], stream["stride"]
        y = np.full((height, width), 76, np.uint8)
        u = np.full((height // 2, width // 2), 85, np.uint8)
        v = np.full((height // 2, width // 2), 255, np.uint8)
        for plane, value, side in ((y, 235, 32), (u, 128, 16), (v, 128, 16)):
            plane[:side, :side] = value
        turn = self._configuration["transform"]
        if turn is not None and turn.hflip and turn.vflip:
            y, u, v = (plane[::-1, ::-1] for plane in (y, u, v))
        padded = [
            np.pad(plane, ((0, 0), (0, row - plane.shape[1])))
            for plane, row in ((y, stride), (u, stride // 2), (v, stride // 2))
        ]
        return np.concatenate([plane.ravel() for plane in padded]).reshape(height * 3 // 2, stride)
