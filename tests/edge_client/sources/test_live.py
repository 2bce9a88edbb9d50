"""Streams over real HTTP that break off, stall and change, and cameras whose device is not what it should be."""

from __future__ import annotations

import logging
import threading
import time
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from itertools import islice
from pathlib import Path

import cv2
import numpy as np
import pytest

from edge_client.config import SourceSettings
from edge_client.errors import SourceError
from edge_client.sources.open import open_source
from edge_client.types import FrameSource, SourceState
from tests.edge_client.sources.mjpeg_server import Connection, mjpeg_server

SETTINGS = SourceSettings(open_timeout_s=20.0, read_timeout_s=20.0, reconnect_s=0.5)
QUICK = SETTINGS.model_copy(update={"read_timeout_s": 1.0, "reconnect_s": None})
GONE = Connection(refused=True)


def test_a_stream_is_live_and_is_opened_again_when_it_breaks() -> None:
    with mjpeg_server(Connection()) as server:
        source = open_source(server.url, SETTINGS)
        assert source.live
        assert source.frame_count is None
        assert source.frame_rate_hz > 0
        images = list(islice(source, 150))
        assert source.status().state is SourceState.RUNNING
        assert source.status().restarts == server.served - 1 > 0
        source.close()
    assert len(images) == 150
    assert all(image.shape == (96, 128, 3) for image in images)


def test_a_stream_that_stays_lost_for_as_long_as_was_set_is_an_error() -> None:
    with mjpeg_server(Connection(), GONE) as server:
        source = open_source(server.url, SETTINGS)
        with pytest.raises(SourceError, match=r"lost .* could not open it again"):
            list(source)
        assert source.status().state is SourceState.ENDED
        source.close()


def test_a_lost_stream_is_tried_again_until_it_is_there() -> None:
    with mjpeg_server(Connection(), GONE, GONE, GONE, Connection()) as server:
        source = open_source(server.url, SourceSettings(reconnect_pause_s=0.2))
        sizes = []
        for image in source:
            sizes.append(image.shape)
            if server.served > 4:
                break
        assert source.status().restarts >= 4
        source.close()


def test_a_stream_that_comes_back_with_another_size_goes_on(caplog: pytest.LogCaptureFixture) -> None:
    with mjpeg_server(Connection(frames=20), Connection(frames=20, size=(160, 120))) as server:
        source = open_source(server.url, SETTINGS)
        with caplog.at_level(logging.WARNING):
            shapes = [image.shape for image in islice(source, 30)]
        source.close()
    assert shapes[0] == (96, 128, 3)
    assert shapes[-1] == (120, 160, 3)
    assert shapes == sorted(shapes)  # none in between
    assert "now gives 160×120 after 128×96" in caplog.text


def test_a_stream_that_falls_silent_is_stalled_and_started_again() -> None:
    with mjpeg_server(Connection(frames=30, stalls=True), Connection(frames=3000, size=(160, 120))) as server:
        source = open_source(server.url, QUICK)
        states, over = watch(source)
        images = iter(source)
        while next(images).shape != (120, 160, 3):
            pass
        assert source.status().state is SourceState.RUNNING
        assert source.status().restarts >= 1
        source.close()
        over.join(30)
    assert SourceState.STALLED in states
    assert SourceState.ENDED in states


def watch(source: FrameSource) -> tuple[set[SourceState], threading.Thread]:
    """The states that a screen would see."""
    seen: set[SourceState] = set()

    def look() -> None:
        while source.status().state is not SourceState.ENDED:
            seen.add(source.status().state)
            time.sleep(0.005)
        seen.add(SourceState.ENDED)

    thread = threading.Thread(target=look, daemon=True)
    thread.start()
    return seen, thread


def test_closing_ends_the_wait_for_a_lost_stream() -> None:
    with mjpeg_server(Connection(), GONE) as server:
        source = open_source(server.url, SETTINGS.model_copy(update={"reconnect_s": 600.0}))
        ended = threading.Event()

        def read() -> None:
            list(source)
            ended.set()

        threading.Thread(target=read, daemon=True).start()
        source.close()
        assert ended.wait(60)


def test_a_stream_that_comes_up_later_is_waited_for_when_that_is_set() -> None:
    with mjpeg_server(GONE, GONE, Connection(frames=3000)) as server:
        with pytest.raises(SourceError, match="cannot open the stream"):
            open_source(server.url, SETTINGS)
        source = open_source(server.url, SETTINGS.model_copy(update={"wait_for_camera": True}))
        assert source.live
        assert source.status().state is SourceState.RECONNECTING
        assert next(iter(source)).shape == (96, 128, 3)
        source.close()


def test_a_recording_elsewhere_is_played_to_its_end_and_not_again(tmp_path: Path) -> None:
    writer = cv2.VideoWriter(str(tmp_path / "v.avi"), cv2.VideoWriter.fourcc(*"MJPG"), 12.0, (64, 48))
    for n in range(25):
        writer.write(np.full((48, 64, 3), 10 * n, np.uint8))
    writer.release()
    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(SimpleHTTPRequestHandler, directory=str(tmp_path)))
    threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()
    source = open_source(f"http://127.0.0.1:{server.server_address[1]}/v.avi", SETTINGS)
    assert (source.live, source.frame_count, source.frame_rate_hz) == (False, 25, 12.0)
    shades = [round(float(image.mean()) / 10) for image in source]
    assert source.status().state is SourceState.ENDED
    source.close()
    server.shutdown()
    server.server_close()
    assert shades == list(range(25))


def test_a_device_that_is_no_camera_is_refused() -> None:
    with pytest.raises(SourceError, match="camera /dev/null: it is no camera"):
        open_source("/dev/null", SETTINGS)
    with pytest.raises(SourceError, match=r"camera /dev/video98: it is not plugged in"):
        open_source("98", SETTINGS)
    with pytest.raises(SourceError, match=r"camera /dev/v4l/by-id/none: it is not plugged in"):
        open_source("/dev/v4l/by-id/none", SETTINGS)


def test_a_camera_that_is_not_plugged_in_is_waited_for_when_that_is_set() -> None:
    source = open_source("/dev/video98", SETTINGS.model_copy(update={"wait_for_camera": True}))
    assert source.live
    tried = threading.Event()

    def read() -> None:
        list(source)
        tried.set()

    threading.Thread(target=read, daemon=True).start()
    end_s = time.monotonic() + 60
    while source.status().restarts < 2:
        assert time.monotonic() < end_s
        time.sleep(0.01)
    assert source.status().state is SourceState.RECONNECTING
    assert "not plugged in" in source.status().reason
    source.close()
    assert tried.wait(60)


def virtual_camera() -> str | None:
    """The kernel's test camera, where somebody has loaded it: `modprobe vivid`."""
    names = Path("/sys/class/video4linux").glob("video*/name") if Path("/sys/class/video4linux").is_dir() else ()
    found = [name.parent.name for name in sorted(names) if "vivid-000-vid-cap" in name.read_text(encoding="utf-8")]
    return f"/dev/{found[0]}" if found else None


@pytest.mark.skipif(virtual_camera() is None, reason="no virtual camera is there (modprobe vivid)")
def test_a_v4l2_camera_gives_pictures_of_the_size_that_is_asked_for() -> None:
    settings = SETTINGS.model_copy(update={"camera_width_px": 640, "camera_height_px": 360})
    source = open_source(str(virtual_camera()), settings)
    assert source.live
    images = list(islice(source, 5))
    assert {image.shape for image in images} == {(360, 640, 3)}
    assert source.status().state is SourceState.RUNNING
    source.close()
