"""How much of a video plays."""

from __future__ import annotations

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
