"""Videos are made longer and faster without losing or reordering frames."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest

from tools.bench.drives import at_rate, looped, rate_of


@pytest.fixture
def video(tmp_path: Path) -> Path:
    """24 frames at 12 frames a second, of rising brightness."""
    path = tmp_path / "short.mp4"
    with av.open(str(path), "w") as sink:
        stream = sink.add_stream("libx264", rate=12)
        stream.width, stream.height, stream.pix_fmt = 64, 48, "yuv420p"
        for i in range(24):
            frame = av.VideoFrame.from_ndarray(np.full((48, 64, 3), 10 * i, np.uint8), format="bgr24")
            frame.pts, frame.time_base = i, Fraction(1, 12)
            sink.mux(stream.encode(frame))
        sink.mux(stream.encode())
    return path


def brightness(video: Path) -> list[int]:
    with av.open(str(video)) as source:
        return [round(float(f.to_ndarray(format="gray").mean()) / 10) for f in source.decode(video=0)]


def test_a_video_at_another_rate_lasts_as_long(video: Path, tmp_path: Path) -> None:
    faster = at_rate(video, tmp_path / "fast.mp4", 30)
    assert rate_of(video) == 12
    assert rate_of(faster) == 30
    levels = brightness(faster)
    assert len(levels) == 60
    assert levels == sorted(levels)
    assert len(set(levels)) >= 22


def test_a_loop_repeats_every_frame_in_order(video: Path, tmp_path: Path) -> None:
    levels = brightness(video)
    long = looped(video, tmp_path / "long.mp4", 5.0)
    assert brightness(long) == levels * 3
    assert rate_of(long) == 12


def test_what_is_no_video_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "text.mp4").write_text("no video")
    with pytest.raises(OSError, match=r"text\.mp4"):
        rate_of(tmp_path / "text.mp4")
