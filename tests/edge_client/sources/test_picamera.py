"""The Pi camera over a fake of Picamera2 that encodes real H.264."""

from __future__ import annotations

import queue
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from itertools import islice
from pathlib import Path

import av
import cv2
import numpy as np
import pytest

from edge_client.config import SourceSettings
from edge_client.errors import SourceError
from edge_client.sources.device import TimedSource
from edge_client.sources.encoded import EncodedPacket, EncodedVideo
from edge_client.sources.open import open_source
from edge_client.types import FrameSource, Image, SourceState
from tests.edge_client.sources.fake_picamera2 import Hardware, modules

RATE_HZ = 20.0  # as asked of the camera; the fake is faster

# 200 is no multiple of 64: rows are padded. Real waits are long, so that a busy machine makes no silence.
SETTINGS = SourceSettings(
    camera_width_px=200,
    camera_height_px=112,
    camera_rate_hz=RATE_HZ,
    pi_video_width_px=328,
    pi_video_height_px=192,
    read_timeout_s=20.0,
)
QUICK = SETTINGS.model_copy(update={"read_timeout_s": 0.8, "reconnect_pause_s": 0.1})


@pytest.fixture
def hardware(monkeypatch: pytest.MonkeyPatch) -> Iterator[Hardware]:
    hardware = Hardware()
    for name, module in modules(hardware).items():
        monkeypatch.setitem(sys.modules, name, module)
    yield hardware
    if hardware.hang_in_stop is not None:
        hardware.hang_in_stop.set()


def until(true: Callable[[], bool], source: Iterator[Image]) -> None:
    """Take pictures until something has come about."""
    end_s = time.monotonic() + 60
    while not true():
        next(source)
        assert time.monotonic() < end_s


def test_frames_are_bgr_of_the_size_asked_for_without_the_cameras_padding(hardware: Hardware) -> None:
    source = open_source("picamera", SETTINGS)
    assert (source.live, source.frame_count, source.frame_rate_hz) == (True, None, RATE_HZ)
    before_s = time.monotonic()
    images = list(islice(source, 3))
    assert isinstance(source, TimedSource)
    assert before_s - 1 < source.picture_monotonic_s <= time.monotonic()
    assert source.status().state is SourceState.RUNNING
    source.close()
    assert source.status().state is SourceState.ENDED
    for image in images:
        assert image.shape == (112, 200, 3)
        assert image.dtype == np.uint8
        assert image[100, 199] == pytest.approx(np.array([0, 0, 255]), abs=6)
        assert image[0, 0] == pytest.approx(np.array([255, 255, 255]), abs=6)
    assert not hardware.taken
    assert hardware.configurations[0]["controls"] == {"FrameDurationLimits": (50_000, 50_000)}
    assert hardware.configurations[0]["display"] is None


def test_a_camera_that_hangs_upside_down_is_turned(hardware: Hardware) -> None:
    source = open_source("picamera:0", SETTINGS.model_copy(update={"camera_upside_down": True}))
    image = next(iter(source))
    source.close()
    assert image[111, 199] == pytest.approx(np.array([255, 255, 255]), abs=6)
    assert image[0, 0] == pytest.approx(np.array([0, 0, 255]), abs=6)


def test_frames_may_be_larger_than_the_video_that_was_set(hardware: Hardware) -> None:
    source = open_source("picamera", SETTINGS.model_copy(update={"camera_width_px": 400, "camera_height_px": 64}))
    assert next(iter(source)).shape == (64, 400, 3)
    source.close()
    assert hardware.configurations[0]["main"]["size"] == (400, 192)


def packets_of(source: FrameSource) -> tuple[queue.SimpleQueue[EncodedPacket], Callable[[], None]]:
    assert isinstance(source, EncodedVideo)
    stream = source.encoded()
    assert stream is not None
    assert stream.codec == "h264"
    packets: queue.SimpleQueue[EncodedPacket] = queue.SimpleQueue()
    return packets, stream.subscribe(packets.put)


def test_its_own_video_comes_in_packets_that_decode(hardware: Hardware) -> None:
    source = open_source("picamera", SETTINGS)
    pictures = iter(source)
    next(pictures)
    assert hardware.encoders_started == 0
    packets, end = packets_of(source)
    until(lambda: packets.qsize() > RATE_HZ * 1.5, pictures)
    now_s = time.monotonic()
    end()
    until(lambda: hardware.encoders_running == 0, pictures)
    source.close()
    taken = [packets.get_nowait() for _ in range(packets.qsize())]

    first = taken[0]
    assert first.keyframe
    assert [p.keyframe for p in taken[1:]].count(True) >= 1
    assert (first.video_format.width_px, first.video_format.height_px) == (328, 192)
    assert first.video_format.frame_rate_hz == RATE_HZ
    assert all(p.video_format is first.video_format for p in taken)
    times_s = [p.monotonic_s for p in taken]
    assert times_s == sorted(times_s)
    assert now_s - 30 < times_s[0] < times_s[-1] <= time.monotonic()

    decoder = av.CodecContext.create("h264", "r")
    decoder.extradata = first.video_format.extradata
    frames = [f for p in taken for f in decoder.decode(av.Packet(p.data))] + decoder.decode(None)
    assert len(frames) == len(taken)
    assert frames[-1].to_ndarray(format="bgr24").shape == (192, 328, 3)
    assert cv2.mean(frames[-1].to_ndarray(format="bgr24"))[2] > 200


def test_each_key_frame_can_begin_a_file(hardware: Hardware) -> None:
    source = open_source("picamera", SETTINGS)
    pictures = iter(source)
    packets, _ = packets_of(source)
    until(lambda: packets.qsize() > RATE_HZ * 1.5, pictures)
    source.close()
    taken = [packets.get_nowait() for _ in range(packets.qsize())]
    last_key = max(i for i, p in enumerate(taken) if p.keyframe)
    assert last_key > 0
    assert taken[last_key].video_format.extradata
    decoder = av.CodecContext.create("h264", "r")  # without extradata
    frames = [f for p in taken[last_key:] for f in decoder.decode(av.Packet(p.data))] + decoder.decode(None)
    assert len(frames) == len(taken) - last_key


def test_a_silent_camera_is_started_again_and_its_video_goes_on_with_a_key_frame(hardware: Hardware) -> None:
    source = open_source("picamera", QUICK)
    pictures = iter(source)
    packets, _ = packets_of(source)
    until(lambda: packets.qsize() > 3, pictures)
    hardware.silent = True
    while hardware.opened == 1:
        taken = threading.Thread(target=next, args=(pictures,), daemon=True)
        taken.start()
        while taken.is_alive() and hardware.opened == 1:
            taken.join(0.01)
    assert source.status().state in (SourceState.STALLED, SourceState.RECONNECTING)
    assert source.status().reason
    before = [packets.get_nowait() for _ in range(packets.qsize())]
    hardware.silent = False
    taken.join(60)
    until(lambda: packets.qsize() > 3, pictures)
    assert source.status().state is SourceState.RUNNING
    assert source.status().restarts >= 1
    source.close()
    again = packets.get_nowait()
    assert again.keyframe
    assert again.monotonic_s > before[-1].monotonic_s
    assert hardware.encoders_started >= 2


def test_an_encoder_that_gives_nothing_starts_the_camera_again(hardware: Hardware) -> None:
    source = open_source("picamera", QUICK)
    pictures = iter(source)
    packets, _ = packets_of(source)
    until(lambda: packets.qsize() > 3, pictures)
    hardware.encoder_hangs = True
    until(lambda: source.status().restarts > 0, pictures)
    hardware.encoder_hangs = False
    seen = packets.qsize()
    until(lambda: packets.qsize() > seen + 3, pictures)
    source.close()


@pytest.mark.parametrize("fault", ["encoder_hangs", "encoder_missing"])
def test_with_a_broken_encoder_the_pictures_go_on(
    hardware: Hardware, fault: str, caplog: pytest.LogCaptureFixture
) -> None:
    setattr(hardware, fault, True)
    source = open_source("picamera", QUICK)
    packets, _ = packets_of(source)
    pictures = iter(source)
    until(lambda: "its video is not recorded" in caplog.text, pictures)
    for _ in range(5):
        next(pictures)
    assert source.status().restarts >= 1
    assert packets.empty()
    assert isinstance(source, EncodedVideo)
    stream = source.encoded()
    assert stream is not None
    assert stream.failure.startswith("the camera's encoder fails: ")
    source.close()
    assert hardware.encoders_running == 0


def test_a_camera_that_hangs_as_it_is_stopped_does_not_hang_the_drive(hardware: Hardware) -> None:
    source = open_source("picamera", QUICK)
    pictures = iter(source)
    next(pictures)
    hardware.hang_in_stop, hardware.silent = threading.Event(), True
    seen = threading.Thread(target=next, args=(pictures,), daemon=True)
    seen.start()
    while "busy" not in source.status().reason:  # the hanging reader still holds the camera
        seen.join(0.01)
        assert seen.is_alive()
    assert source.status().state is SourceState.RECONNECTING
    hardware.silent = False
    hardware.hang_in_stop.set()
    seen.join(60)
    assert not seen.is_alive()
    assert source.status().state is SourceState.RUNNING
    source.close()


def test_a_camera_that_is_not_there_is_named_with_what_to_do(hardware: Hardware) -> None:
    hardware.plugged = False
    with pytest.raises(SourceError, match=r"Pi camera 0.*No camera number 0.*--list-cameras"):
        open_source("picamera", SETTINGS)
    hardware.plugged = True
    with pytest.raises(SourceError, match="No camera number 3"):
        open_source("picamera:3", SETTINGS)
    hardware.taken = True
    with pytest.raises(SourceError, match="Device or resource busy"):
        open_source("picamera", SETTINGS)


def test_a_camera_that_is_plugged_in_later_is_waited_for(hardware: Hardware) -> None:
    hardware.plugged = False
    source = open_source("picamera", SETTINGS.model_copy(update={"wait_for_camera": True}))
    assert source.live
    assert source.status().state is SourceState.RECONNECTING
    assert "No camera number 0" in source.status().reason
    hardware.plugged = True
    assert next(iter(source)).shape == (112, 200, 3)
    assert source.status().restarts >= 1
    source.close()


def test_without_picamera2_the_message_says_how_to_get_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "picamera2", None)
    with pytest.raises(SourceError, match=r"apt install python3-picamera2.*--system-site-packages"):
        open_source("picamera", SETTINGS)


def test_a_picamera2_for_another_numpy_is_named_with_what_to_do(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.delitem(sys.modules, "picamera2", raising=False)
    (tmp_path / "picamera2.py").write_text("raise ValueError('numpy.dtype size changed, may indicate ...')")
    monkeypatch.syspath_prepend(tmp_path)
    with pytest.raises(SourceError, match=r"numpy\.dtype size changed.*--force-reinstall simplejpeg"):
        open_source("picamera", SETTINGS)


def test_picamera2_is_loaded_only_when_chosen() -> None:
    code = (
        "import sys; from edge_client.sources.open import open_source; "
        "print([m for m in ('picamera2', 'libcamera') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
