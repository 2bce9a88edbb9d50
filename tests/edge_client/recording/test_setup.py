"""Which source is recorded, and how its frames come to the recording."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from edge_client.config import EdgeSettings
from edge_client.config_file import load_settings
from edge_client.recording.button import LockButton
from edge_client.recording.library import recordings_in
from edge_client.recording.setup import DriveRecording
from edge_client.sources.encoded import EncodedPacket, EncodedStream, PacketCallback
from edge_client.types import Image, Outcome, RecordingState, ShownFrame, SourceState, SourceStatus
from tests.edge_client.recording.samples import DRIVE, frame, packets, picture, times, until


class Source:
    """A source that gives nothing by itself."""

    frame_rate_hz = 30.0
    frame_count = None

    def __init__(self, *, live: bool) -> None:
        self.live = live

    def __iter__(self) -> Iterator[Image]:
        return iter(())

    def status(self) -> SourceStatus:
        return SourceStatus(SourceState.RUNNING)

    def close(self) -> None:
        pass


class Stream:
    """Packets that the test hands out."""

    codec = "h264"
    failure = ""

    def __init__(self) -> None:
        self.callback: PacketCallback | None = None

    def subscribe(self, callback: PacketCallback) -> Callable[[], None]:
        self.callback = callback
        return self._end

    def send(self, packet: EncodedPacket) -> None:
        assert self.callback is not None
        self.callback(packet)

    def _end(self) -> None:
        self.callback = None


class Encoding(Source):
    """A camera that encodes by itself."""

    def __init__(self, stream: EncodedStream | None) -> None:
        super().__init__(live=True)
        self._stream = stream

    def encoded(self) -> EncodedStream | None:
        return self._stream


def configured(folder: Path, when: str = "live", blur: str = "none") -> EdgeSettings:
    recording = {"folder": str(folder), "when": when, "reserve_gb": 0.0, "sync_s": 0.05}
    return load_settings(None, {"recording": recording, "privacy": {"blur": blur}})


@pytest.mark.parametrize(
    ("when", "live", "state"),
    [
        ("live", True, "recording"),
        ("live", False, "off"),
        ("always", False, "recording"),
        ("never", True, "off"),
    ],
)
def test_cameras_are_recorded_and_files_only_if_wanted(tmp_path: Path, when: str, live: bool, state: str) -> None:
    recording = DriveRecording(configured(tmp_path, when), DRIVE, Source(live=live))
    for n in range(3):
        recording.captured(frame(n))
    assert recording.status().state == state
    recording.close(10.0)
    recording.close(10.0)
    assert len(recordings_in(tmp_path)) == (state == "recording")


def test_without_a_folder_it_goes_where_data_goes(data_home: Path) -> None:
    settings = load_settings(None, {"recording": {"reserve_gb": 0.0}})
    recording = DriveRecording(settings, DRIVE, Source(live=True))
    recording.captured(frame(0))
    recording.close(10.0)
    assert [r.drive for r in recordings_in(data_home / "dashcam" / "recordings")] == [DRIVE]


def test_a_camera_that_encodes_gives_its_packets(tmp_path: Path) -> None:
    stream = Stream()
    recording = DriveRecording(configured(tmp_path), DRIVE, Encoding(stream))
    for n, packet in enumerate(packets(10)):
        recording.captured(frame(n, picture(0, 1280, 720)))  # of another size: its pictures are not encoded
        stream.send(packet)
    recording.close(10.0)
    assert stream.callback is None
    (found,) = recordings_in(tmp_path)
    assert len(times(found.video)) == 10
    assert found.track.head is not None
    assert found.track.head.width_px == 64
    assert found.places


def test_a_camera_whose_encoder_fails_is_not_said_to_be_recorded(tmp_path: Path) -> None:
    stream = Stream()
    recording = DriveRecording(configured(tmp_path), DRIVE, Encoding(stream))
    for n, packet in enumerate(packets(30)):
        recording.captured(frame(n))
        stream.send(packet)
    assert until(lambda: recording.status().segment != "")
    stream.failure = "the camera's encoder fails: it gives nothing"
    for n in range(30, 60):
        recording.captured(frame(n))
    assert until(lambda: recording.status().state is RecordingState.FAILED)
    assert recording.status().reason == stream.failure
    assert until(lambda: recording.status().lost_frames >= 30)
    recording.close(10.0)
    (found,) = recordings_in(tmp_path)
    assert found.track.end is not None
    assert found.track.end.why == stream.failure


@pytest.mark.parametrize(("seconds", "failed"), [(5, False), (8, True)])
def test_pictures_without_video_are_a_failure_after_a_while(tmp_path: Path, seconds: int, failed: bool) -> None:
    stream = Stream()
    recording = DriveRecording(configured(tmp_path), DRIVE, Encoding(stream))
    (first, *_) = packets(1)
    recording.captured(frame(0))
    stream.send(first)
    for n in range(1, seconds * 10):
        recording.captured(frame(n, rate_hz=10.0))
    # A camera that was away for long, and is back, gets its time as well.
    recording.captured(frame(0, time_s=10_000.0))
    recording.close(10.0)
    assert (recording.status().state is RecordingState.FAILED) == failed
    (found,) = recordings_in(tmp_path)
    assert found.track.end is not None
    assert found.track.end.why == ("the camera gives pictures but no video" if failed else "end")


@pytest.mark.parametrize("codec", ["mjpeg", None])
def test_a_camera_without_h264_is_encoded_here(tmp_path: Path, codec: str | None) -> None:
    stream = Stream()
    stream.codec = codec or ""
    recording = DriveRecording(configured(tmp_path), DRIVE, Encoding(stream if codec else None))
    recording.captured(frame(0))
    recording.close(10.0)
    assert stream.callback is None
    assert [len(times(r.video)) for r in recordings_in(tmp_path)] == [1]


def test_blurred_frames_come_through_the_tap_and_unblurred_ones_never_get_in(tmp_path: Path) -> None:
    stream = Stream()
    recording = DriveRecording(configured(tmp_path, blur="recorded"), DRIVE, Encoding(stream))
    assert stream.callback is None
    tap = recording.tap
    assert tap is not None
    assert tap.every_frame
    for n in range(5):
        recording.captured(frame(n))
        if n % 2:
            tap.show(ShownFrame(replace(frame(n), image=picture(200)), Outcome.PLAIN, (), 0.1), picture(0))
    recording.close(10.0)
    (found,) = recordings_in(tmp_path)
    assert times(found.video) == pytest.approx([0.0, 2 / 30], abs=0.001)
    assert DriveRecording(configured(tmp_path, blur="shown"), DRIVE, Source(live=False)).tap is None


def test_the_button_locks_it_until_its_end(tmp_path: Path) -> None:
    button = LockButton()
    recording = DriveRecording(configured(tmp_path), DRIVE, Source(live=True), button)
    recording.captured(frame(0))
    assert button.lock("page")
    assert until(lambda: recording.status().state is RecordingState.LOCKED)
    recording.close(10.0)
    assert not button.lock("page")
    assert [r.lock for r in recordings_in(tmp_path)] == ["page"]
