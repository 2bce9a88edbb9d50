"""How much of a video plays."""

from __future__ import annotations

import errno
from pathlib import Path

import av


def playable_s(path: Path) -> float:
    """Seconds from the first to the end of the last picture that a decoder gets out of a video, whole or cut.

    A file without a picture that can be decoded has 0.

    Raises:
        FileNotFoundError: there is no such file.
    """
    first_s: float | None = None
    end_s = 0.0
    try:
        with av.open(str(path)) as container:
            stream = container.streams.video[0]
            period_s = float(1 / stream.average_rate) if stream.average_rate else 0.0
            for frame in container.decode(stream):
                if frame.pts is None:
                    continue
                first_s = frame.time if first_s is None else first_s
                end_s = max(end_s, frame.time + period_s)
    except FileNotFoundError:
        raise
    except (av.FFmpegError, IndexError):
        pass  # what comes now is cut
    return end_s - first_s if first_s is not None else 0.0


def stored_pictures(path: Path) -> tuple[float, int]:
    """Seconds from the first to the end of the last picture of a video, and how many there are, without decoding them.

    Raises:
        OSError: the file cannot be read, or FFmpeg makes no sense of it.
    """
    try:
        with av.open(str(path)) as container:
            stream = container.streams.video[0]
            period_s = float(1 / stream.average_rate) if stream.average_rate else 0.0
            packets = [(packet.pts, packet.time_base) for packet in container.demux(stream) if packet.size]
    except (av.FFmpegError, IndexError) as error:  # the first is an OSError only at times
        raise OSError(errno.EIO, f"it is damaged: {error}") from error
    times_s = [float(pts * time_base) for pts, time_base in packets if pts is not None]
    return (max(times_s) - min(times_s) + period_s if times_s else 0.0), len(packets)
