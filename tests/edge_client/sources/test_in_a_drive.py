"""A camera that changes, is missing or falls silent, through a whole drive: frames, annotated video, recording."""

from __future__ import annotations

import sys
import threading
import time
from datetime import timedelta
from pathlib import Path

import av
import pytest

from edge_client.config import RecordSettings
from edge_client.config_file import load_settings
from edge_client.displays.video import VideoRecorder
from edge_client.errors import SourceError
from edge_client.run import run_drive
from edge_client.states import states, warnings
from edge_client.types import Image, LiveStatus, RecordingState, ShownFrame, SourceState, TrackRead, UtcSource
from tests.edge_client.fake_apis import fake_apis
from tests.edge_client.sources.fake_picamera2 import Hardware, modules
from tests.edge_client.sources.mjpeg_server import Connection, mjpeg_server

SMALL, LARGE = (416, 234), (640, 360)


class Seen:
    """A display that keeps what it is given, and a store."""

    name = "seen"
    every_frame = True

    def __init__(self) -> None:
        self.shown: list[tuple[int, tuple[int, ...]]] = []

    def show(self, shown: ShownFrame, annotated: Image) -> None:
        assert annotated.shape == shown.frame.image.shape
        self.shown.append((shown.frame.number, annotated.shape))

    def save(self, read: TrackRead) -> None:
        """Reads are not what this is about."""

    def correct_times(self, drive: str, shift: timedelta, source: UtcSource) -> None:
        """Nor are their times."""

    def closed_by_user(self) -> bool:
        return False

    def close(self) -> None:
        pass


def sizes_of(video: Path) -> tuple[int, set[tuple[int, int]]]:
    with av.open(str(video)) as container:
        frames = list(container.decode(video=0))
    return len(frames), {(frame.width, frame.height) for frame in frames}


def test_a_drive_goes_on_with_frames_of_another_size(tmp_path: Path) -> None:
    connections = (
        Connection(frames=40, size=SMALL, rate_hz=60.0),
        Connection(frames=40, size=LARGE, rate_hz=60.0),
        Connection(refused=True),
    )
    statuses: list[LiveStatus] = []
    seen = Seen()
    with fake_apis() as apis, mjpeg_server(*connections) as server:
        settings = load_settings(
            None,
            {
                "source": {"reconnect_s": 0.6},
                "apis": {"yolov3_endpoint": apis.yolov3, "crnn_endpoint": apis.crnn},
                "recording": {"folder": str(tmp_path / "segments")},
            },
        )
        recorder = VideoRecorder(tmp_path / "shown.mp4", RecordSettings(), 25.0, live=True)
        with pytest.raises(SourceError, match="could not open it again") as ended:
            run_drive(settings, server.url, [seen, recorder], seen, threading.Event(), on_status=statuses.append)
    summary = ended.value.summary
    assert summary is not None
    assert summary.captured == sum(summary.shown.values()) + sum(summary.dropped.values()) > 40
    assert (summary.in_flight, summary.out_of_order) == (0, 0)

    shapes = [shape for _, shape in seen.shown]
    assert set(shapes) == {(234, 416, 3), (360, 640, 3)}
    assert shapes == sorted(shapes)
    assert statuses[-1].camera.state is SourceState.ENDED
    assert statuses[-1].camera.restarts >= 1
    # The annotated video keeps its first size; the original goes into a new segment.
    assert sizes_of(tmp_path / "shown.mp4") == (recorder.frames_written, {SMALL})
    assert recorder.failure is None
    segments = [sizes_of(file) for file in sorted((tmp_path / "segments").rglob("*.mp4"))]
    assert [sizes for _, sizes in segments] == [{SMALL}, {LARGE}]


def test_a_drive_that_waits_for_its_camera_says_so_and_ends_when_told_to(tmp_path: Path) -> None:
    stop = threading.Event()
    statuses: list[LiveStatus] = []

    def on_status(status: LiveStatus) -> None:
        statuses.append(status)
        if status.camera.restarts > 0:
            stop.set()

    with fake_apis() as apis:
        settings = load_settings(
            None,
            {
                "source": {"wait_for_camera": True},
                "apis": {"yolov3_endpoint": apis.yolov3, "crnn_endpoint": apis.crnn},
                "recording": {"folder": str(tmp_path / "segments")},
            },
        )
        summary = run_drive(settings, "/dev/v4l/by-id/none", [Seen()], Seen(), stop, on_status=on_status)
    assert summary.captured == 0
    waiting = [s.camera for s in statuses if s.camera.state is SourceState.RECONNECTING]
    assert waiting
    assert all("not plugged in" in camera.reason for camera in waiting)
    assert statuses[-1].camera.state is SourceState.ENDED


def test_a_pi_camera_s_own_video_is_recorded_over_a_restart(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    hardware = Hardware()
    for name, module in modules(hardware).items():
        monkeypatch.setitem(sys.modules, name, module)
    stop = threading.Event()

    class Display(Seen):
        """Makes the camera silent once, and ends the drive some frames after it is back."""

        def show(self, shown: ShownFrame, annotated: Image) -> None:
            super().show(shown, annotated)
            if len(self.shown) == 40:
                hardware.silent = True
            if hardware.opened > 1:
                self.after += 1
            if self.after == 40:
                stop.set()

        after = 0

    def on_status(status: LiveStatus) -> None:
        if status.camera.state is not SourceState.RUNNING:
            hardware.silent = False

    seen = Display()
    with fake_apis() as apis:
        settings = load_settings(
            None,
            {
                "source": {
                    "camera_width_px": 416,
                    "camera_height_px": 234,
                    "pi_video_width_px": 480,
                    "pi_video_height_px": 270,
                    "read_timeout_s": 1.5,
                },
                "apis": {"yolov3_endpoint": apis.yolov3, "crnn_endpoint": apis.crnn},
                "recording": {"folder": str(tmp_path / "segments")},
            },
        )
        summary = run_drive(settings, "picamera", [seen], seen, stop, on_status=on_status)
    assert summary.captured == sum(summary.shown.values()) + sum(summary.dropped.values()) >= 40
    assert {shape for _, shape in seen.shown} == {(234, 416, 3)}
    segments = [sizes_of(file) for file in sorted((tmp_path / "segments").rglob("*.mp4"))]
    assert {size for _, sizes in segments for size in sizes} == {(480, 270)}
    assert sum(frames for frames, _ in segments) >= 20
    assert hardware.encoders_started >= 2
    assert not hardware.taken


def test_with_a_broken_encoder_the_drive_goes_on_and_says_that_nothing_is_recorded(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    hardware = Hardware(encoder_missing=True)
    for name, module in modules(hardware).items():
        monkeypatch.setitem(sys.modules, name, module)
    stop = threading.Event()
    statuses: list[LiveStatus] = []

    def on_status(status: LiveStatus) -> None:
        statuses.append(status)
        if status.recording.state is RecordingState.FAILED:
            told.append(len(seen.shown))
        if (told and len(seen.shown) > told[0] + 20) or time.monotonic() > end_s:
            stop.set()

    seen, told, end_s = Seen(), list[int](), time.monotonic() + 240.0
    with fake_apis() as apis:
        settings = load_settings(
            None,
            {
                "source": {"camera_width_px": 416, "camera_height_px": 234, "read_timeout_s": 1.5},
                "apis": {"yolov3_endpoint": apis.yolov3, "crnn_endpoint": apis.crnn},
                "recording": {"folder": str(tmp_path / "segments")},
            },
        )
        run_drive(settings, "picamera", [seen], seen, stop, on_status=on_status)
    failed = next(s for s in statuses if s.recording.state is RecordingState.FAILED)
    assert failed.recording.reason.startswith("the camera's encoder fails: ")
    assert f"recording: failed, {failed.recording.reason}" in warnings(states(failed))  # window and page show these
    assert f"recording: failed, {failed.recording.reason}" in caplog.messages
    running = [s for s in statuses if s.camera.state is SourceState.RUNNING]
    assert running[-1].recording.state is RecordingState.FAILED
    assert running[-1].recording.lost_frames > 0
