"""Drives of any length and rate out of short videos."""

from __future__ import annotations

import math
from collections.abc import Iterable
from fractions import Fraction
from itertools import repeat
from pathlib import Path
from typing import Final

import av
import av.error

BIT_RATE: Final = 6_000_000


def rate_of(video: Path) -> float:
    """Frames per second of the video. Raises OSError when it is not one."""
    try:
        with av.open(str(video)) as container:
            stream = container.streams.video[0]
            return float(stream.average_rate or stream.guessed_rate or 0)
    except (av.error.FFmpegError, IndexError) as error:
        raise OSError(f"cannot read the video {video}: {getattr(error, 'strerror', None) or error}") from error


def at_rate(video: Path, target: Path, rate_hz: int) -> Path:
    """Writes the video as H.264 at another rate, as fast as before: frames are repeated or left out."""
    with av.open(str(video)) as source, av.open(str(target), "w") as sink:
        pictures = source.streams.video[0]
        before_hz = float(pictures.average_rate or rate_hz)
        stream = sink.add_stream("libx264", rate=rate_hz, options={"preset": "ultrafast"})
        stream.width, stream.height = pictures.width, pictures.height
        stream.pix_fmt, stream.bit_rate = "yuv420p", BIT_RATE
        written = 0
        for number, frame in enumerate(source.decode(pictures)):
            picture = frame.to_ndarray(format="bgr24")
            while written < round((number + 1) * rate_hz / before_hz):
                fresh = av.VideoFrame.from_ndarray(picture, format="bgr24")
                fresh.pts, fresh.time_base = written, Fraction(1, rate_hz)
                sink.mux(stream.encode(fresh))
                written += 1
        sink.mux(stream.encode())
    return target


def looped(video: Path, target: Path, seconds: float) -> Path:
    """Writes the video again and again, until it is that long."""
    return joined(repeat(video), target, seconds)


def joined(videos: Iterable[Path], target: Path, seconds: float = math.inf) -> Path:
    """Writes the videos one after the other, until it is that long; pictures are copied, not encoded anew.

    They have to be of one encoder and size. Raises OSError when one holds no pictures.
    """
    with av.open(str(target), "w") as sink:
        stream = None
        offset, end_s = 0, 0.0
        for video in videos:
            with av.open(str(video)) as source:
                pictures = source.streams.video[0]
                if stream is None:
                    stream = sink.add_stream_from_template(pictures)
                last = offset
                for packet in source.demux(pictures):
                    if packet.pts is None or packet.dts is None:
                        continue
                    packet.pts += offset
                    packet.dts += offset
                    packet.stream = stream
                    last = max(last, packet.pts + (packet.duration or 1))
                    time_base = packet.time_base
                    sink.mux_one(packet)
                if last == offset:
                    raise OSError(f"the video {video} holds no pictures")
                offset, end_s = last, float(last * time_base)
            if end_s >= seconds:
                break
    return target
