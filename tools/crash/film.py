"""A small film to be driven while the device is killed."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path

import av
import numpy as np

RATE_HZ = 30
WIDTH_PX, HEIGHT_PX = 640, 360


def write_film(target: Path, seconds: float) -> Path:
    """Moving stripes with some noise, 640×360 at 30 frames/s."""
    rng = np.random.default_rng(1)
    noise = rng.integers(0, 40, (HEIGHT_PX, WIDTH_PX, 3), dtype=np.uint8)
    ramp = np.arange(WIDTH_PX, dtype=np.uint16)
    with av.open(str(target), "w") as sink:
        stream = sink.add_stream("libx264", rate=RATE_HZ, options={"preset": "ultrafast", "crf": "30"})
        stream.width, stream.height, stream.pix_fmt = WIDTH_PX, HEIGHT_PX, "yuv420p"
        for number in range(round(seconds * RATE_HZ)):
            stripes = ((ramp + 3 * number) % 200).astype(np.uint8)[None, :, None]
            frame = av.VideoFrame.from_ndarray(np.ascontiguousarray(noise + stripes), format="bgr24")
            frame.pts, frame.time_base = number, Fraction(1, RATE_HZ)
            sink.mux(stream.encode(frame))
        sink.mux(stream.encode())
    return target
