"""Frames, packets and settings for the tests of the recording."""

from __future__ import annotations

import threading
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from fractions import Fraction
from pathlib import Path

import av
import numpy as np

from edge_client.config.recording import RecordingSettings
from edge_client.recording.encoder import H264Encoder
from edge_client.recording.recorder import SegmentRecorder
from edge_client.recording.track import Head
from edge_client.sources.encoded import EncodedPacket
from edge_client.types import Fix, Frame, Image, RecordingStatus, UtcSource

START = datetime(2026, 5, 1, 10, 0, 0, tzinfo=UTC)
DRIVE = "0123456789abcdef0123456789abcdef"
HEAD = Head(DRIVE, START, UtcSource.GPS, 100.0, 64, 36, 30.0, "h264")
LONG_S = 60.0


def picture(value: int = 90, width: int = 64, height: int = 36) -> Image:
    return np.full((height, width, 3), value % 256, np.uint8)


def noise(number: int, width: int = 320, height: int = 180) -> Image:
    """A picture that does not compress, so that files grow."""
    return np.random.default_rng(number).integers(0, 255, (height, width, 3), np.uint8)


def frame(number: int, image: Image | None = None, *, rate_hz: float = 30.0, time_s: float | None = None) -> Frame:
    """A frame of a drive to the north at 10 m/s, whose clock GPS has set."""
    into_s = number / rate_hz if time_s is None else time_s
    return Frame(
        number,
        picture(number) if image is None else image,
        1000.0 + into_s,
        START + timedelta(seconds=into_s),
        Fix(45.0 + into_s * 9e-5, 21.0, None, 1000.0 + into_s, 10.0, 0.0),
        0.1,
        UtcSource.GPS,
    )


def settings(**values: object) -> RecordingSettings:
    """Short segments, and no care about this machine's disk."""
    return RecordingSettings.model_validate({"segment_s": 2.0, "reserve_gb": 0.0, "sync_s": 0.05, **values})


def recorder(folder: Path, **values: object) -> SegmentRecorder:
    return SegmentRecorder(settings(**values), folder, DRIVE, 30.0)


def feed(to: SegmentRecorder, frames: list[Frame]) -> None:
    """Puts frames as fast as they are taken, so that none is lost for want of room."""
    for one in frames:
        to.put(one)
        assert until(lambda: to.waiting == 0)


def until(condition: Callable[[], bool], timeout_s: float = LONG_S) -> bool:
    """Waits until something is so; False when it is not after a time that is never needed."""
    tick = threading.Event()
    for _ in range(round(timeout_s / 0.002)):
        if condition():
            return True
        tick.wait(0.002)
    return condition()


def recording(to: SegmentRecorder) -> Callable[[], bool]:
    """Whether it goes well, as a condition."""
    return lambda: not failed(to.status())


def failed(status: RecordingStatus) -> bool:
    return status.state == "failed"


def packets(count: int, *, width: int = 64, height: int = 36, rate_hz: float = 30.0) -> list[EncodedPacket]:
    """What a camera that encodes by itself gives: a key frame each second."""
    encoder = H264Encoder(picture(0, width, height), rate_hz, settings())
    found: list[EncodedPacket] = []
    for n in range(count):
        found += encoder.encode(picture(n * 3, width, height), 1000.0 + n / rate_hz)
    return found


def times(path: Path) -> list[float]:
    """The times of all pictures of a video, in seconds."""
    with av.open(str(path)) as container:
        return [float((f.pts or 0) * (f.time_base or Fraction(1))) for f in container.decode(video=0)]
