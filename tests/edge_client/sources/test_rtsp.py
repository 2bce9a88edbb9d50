"""A real RTSP server (GStreamer's, from the system's packages) that dies, comes back, and is stopped for a while."""

from __future__ import annotations

import functools
import os
import queue
import signal
import subprocess
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import islice
from pathlib import Path

import av
import pytest

from edge_client.config import SourceSettings
from edge_client.config_file import load_settings
from edge_client.run import run_drive
from edge_client.sources.encoded import EncodedPacket, EncodedVideo
from edge_client.sources.open import open_source
from edge_client.types import FrameSource, Image, ShownFrame, SourceState
from tests.edge_client.fake_apis import fake_apis
from tests.edge_client.sources.test_in_a_drive import Seen
from tests.edge_client.sources.test_live import watch

SERVER = Path(__file__).with_name("rtsp_server.py")
PYTHON = "/usr/bin/python3"  # the bindings belong to the system's Python
SETTINGS = SourceSettings(open_timeout_s=20.0, read_timeout_s=20.0, reconnect_pause_s=0.5)


@functools.cache
def missing() -> str:
    if not Path(PYTHON).exists():
        return "there is no system Python"
    done = subprocess.run([PYTHON, str(SERVER), "0", "0", "0", "check"], capture_output=True, timeout=60, check=False)
    return (
        ""
        if done.returncode == 0
        else "gir1.2-gst-rtsp-server-1.0, python3-gi or the plugins good and ugly are missing"
    )


@contextmanager
def rtsp_server(port: int = 0, width: int = 320, height: int = 240) -> Iterator[tuple[str, subprocess.Popen[str]]]:
    command = [PYTHON, str(SERVER), str(port), str(width), str(height)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout is not None
            yield f"rtsp://127.0.0.1:{int(process.stdout.readline())}/car", process
        finally:
            process.kill()


@pytest.fixture(autouse=True)
def _needs_the_server() -> None:
    if missing():
        pytest.skip(missing())


def test_an_rtsp_camera_that_dies_and_comes_back_with_another_size_goes_on() -> None:
    with rtsp_server() as (url, _):
        source = open_source(url, SETTINGS)
        assert source.live
        assert source.frame_rate_hz == pytest.approx(25, abs=1)
        images = iter(source)
        assert {image.shape for image in islice(images, 10)} == {(240, 320, 3)}
    states, over = watch(source)
    with rtsp_server(port=int(url.rpartition(":")[2].partition("/")[0]), width=400, height=304) as (_, _):
        while next(images).shape != (304, 400, 3):
            pass
        assert source.status().state is SourceState.RUNNING
        assert source.status().restarts >= 1
        source.close()
        over.join(30)
    assert SourceState.RECONNECTING in states


def test_an_rtsp_camera_whose_process_is_held_is_stalled_until_it_goes_on() -> None:
    settings = SETTINGS.model_copy(update={"read_timeout_s": 1.0, "open_timeout_s": 2.0})
    with rtsp_server() as (url, process):
        source = open_source(url, settings)
        images = iter(source)
        assert len(list(islice(images, 5))) == 5
        states, over = watch(source)
        os.kill(process.pid, signal.SIGSTOP)
        threading.Thread(target=go_on, args=(source, process), daemon=True).start()
        while source.status().restarts == 0:
            next(images)
        assert next(images).shape == (240, 320, 3)
        assert source.status().state is SourceState.RUNNING
        source.close()
        over.join(30)
    assert SourceState.STALLED in states


def test_the_cameras_own_video_comes_in_packets_over_a_restart_and_a_change_of_size() -> None:
    packets: queue.SimpleQueue[EncodedPacket] = queue.SimpleQueue()
    with rtsp_server() as (url, _):
        source = open_source(url, SETTINGS)
        assert isinstance(source, EncodedVideo)
        stream = source.encoded()
        assert stream is not None
        stream.subscribe(packets.put)
        images = iter(source)
        while packets.qsize() < 25:
            next(images)
    with rtsp_server(port=int(url.rpartition(":")[2].partition("/")[0]), width=400, height=304) as (_, _):
        first = [packets.get_nowait() for _ in range(packets.qsize())]
        while next(images).shape != (304, 400, 3):
            pass
        while packets.qsize() < 60:
            next(images)
        source.close()
    taken = first + [packets.get_nowait() for _ in range(packets.qsize())]
    times_s = [p.monotonic_s for p in taken]
    assert times_s == sorted(set(times_s))
    sizes = [(p.video_format.width_px, p.video_format.height_px) for p in taken]
    assert sizes == sorted(sizes)
    assert set(sizes) == {(320, 240), (400, 304)}
    for size in set(sizes):
        part = [p for p, s in zip(taken, sizes, strict=True) if s == size]
        assert part[0].keyframe
        decoder = av.CodecContext.create("h264", "r")  # without extradata: the key frame brings all
        frames = [f for p in part for f in decoder.decode(av.Packet(p.data))] + decoder.decode(None)
        assert len(frames) == len(part)
        assert {(f.width, f.height) for f in frames} == {size}


def test_a_drive_records_what_the_camera_encoded(tmp_path: Path) -> None:
    stop = threading.Event()

    class Display(Seen):
        def show(self, shown: ShownFrame, annotated: Image) -> None:
            super().show(shown, annotated)
            if len(self.shown) == 50:
                stop.set()

    seen = Display()
    with rtsp_server() as (url, _), fake_apis() as apis:
        settings = load_settings(
            None,
            {
                "apis": {"yolov3_endpoint": apis.yolov3, "crnn_endpoint": apis.crnn},
                "recording": {"folder": str(tmp_path / "segments")},
            },
        )
        run_drive(settings, url, [seen], seen, stop)
    (segment,) = (tmp_path / "segments").rglob("*.mp4")
    with av.open(str(segment)) as container:
        frames = list(container.decode(video=0))
    assert {(frame.width, frame.height) for frame in frames} == {(320, 240)}
    assert len(frames) >= 25  # all from its first key frame on
    # The test picture's bars: white at the left, then yellow, which no second encoding blurred.
    assert frames[-1].to_ndarray(format="bgr24")[60, 20].min() > 170


def go_on(source: FrameSource, process: subprocess.Popen[str]) -> None:
    """Let the server go on once its silence has been noticed."""
    while source.status().state is SourceState.RUNNING:
        time.sleep(0.01)
    os.kill(process.pid, signal.SIGCONT)
