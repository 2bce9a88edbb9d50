"""A frame of the rendered drive, in which its largest plate is to be seen."""

from __future__ import annotations

import json
from pathlib import Path

import av
import numpy as np

from cloud_apis.images import encode_jpeg


def cut_frame(drive: Path, target: Path) -> None:
    """Write the frame of ``drive.mp4`` with the widest plate, by ``truth.json``, as a JPEG."""
    truth = json.loads((drive / "truth.json").read_text(encoding="utf-8"))
    boxes = ((box[2] - box[0], int(number)) for plate in truth["plates"] for number, box in plate["boxes"].items())
    wanted = max(boxes)[1]
    with av.open(str(drive / "drive.mp4")) as film:
        for number, frame in enumerate(film.decode(video=0)):
            if number == wanted:
                target.write_bytes(encode_jpeg(np.asarray(frame.to_ndarray(format="bgr24"), np.uint8)))
                return
