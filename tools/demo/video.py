"""Writes frames into an H.264 MP4."""

from __future__ import annotations

from collections.abc import Iterable
from fractions import Fraction
from pathlib import Path

import av

from tools.demo.canvas import Bytes


def write_video(path: Path, frames: Iterable[Bytes], frame_rate_hz: float, width_px: int, height_px: int) -> int:
    """Encodes BGR frames with libx264 and gives their number; the file appears only when it is complete."""
    unfinished = path.with_name(path.name + ".part")
    count = 0
    try:
        with av.open(str(unfinished), "w", format="mp4", options={"movflags": "+faststart"}) as container:
            stream = container.add_stream("libx264", rate=Fraction(frame_rate_hz).limit_denominator(1001))
            stream.width, stream.height, stream.pix_fmt = width_px, height_px, "yuv420p"
            # Easily decoded: what stands for a camera should not cost the device more than one would.
            stream.options = {"crf": "19", "preset": "veryfast", "tune": "fastdecode"}
            for picture in frames:
                for packet in stream.encode(av.VideoFrame.from_ndarray(picture, format="bgr24")):
                    container.mux(packet)
                count += 1
            for packet in stream.encode():
                container.mux(packet)
        unfinished.replace(path)
    finally:
        unfinished.unlink(missing_ok=True)
    return count
