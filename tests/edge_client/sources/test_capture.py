from __future__ import annotations

import threading
from pathlib import Path

import cv2
import numpy as np

from edge_client.sources.capture import SharedCapture


def a_video(path: Path, frames: int) -> Path:
    writer = cv2.VideoWriter(str(path), cv2.VideoWriter.fourcc(*"MJPG"), 30, (320, 240))
    for number in range(frames):
        writer.write(np.full((240, 320, 3), number % 256, np.uint8))
    writer.release()
    return path


def test_frames_come_until_the_end(tmp_path: Path) -> None:
    capture = SharedCapture(cv2.VideoCapture(str(a_video(tmp_path / "v.avi", 5))))
    assert capture.get(cv2.CAP_PROP_FRAME_COUNT) == 5
    frames = [capture.read() for _ in range(6)]
    assert [f is not None for f in frames] == [True] * 5 + [False]
    capture.close()


def test_closing_amid_reads_ends_them_and_harms_nothing(tmp_path: Path) -> None:
    video = a_video(tmp_path / "v.avi", 300)
    for _ in range(20):
        capture = SharedCapture(cv2.VideoCapture(str(video)))
        begun = threading.Event()

        def read_all(capture: SharedCapture = capture, begun: threading.Event = begun) -> None:
            while capture.read() is not None:
                begun.set()

        reader = threading.Thread(target=read_all)
        reader.start()
        assert begun.wait(30)
        capture.close()
        reader.join(30)
        assert not reader.is_alive()
        assert capture.read() is None
