"""A real RTSP server (GStreamer's, from the system's packages) that dies, comes back, and is stopped for a while."""

from __future__ import annotations

import functools
import os
import signal
import subprocess
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import islice
from pathlib import Path

import pytest

from edge_client.config import SourceSettings
from edge_client.sources.open import open_source
from edge_client.types import FrameSource, SourceState
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


def go_on(source: FrameSource, process: subprocess.Popen[str]) -> None:
    """Let the server go on once its silence has been noticed."""
    while source.status().state is SourceState.RUNNING:
        time.sleep(0.01)
    os.kill(process.pid, signal.SIGCONT)
