"""The recording as a whole, on a real disk."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Iterator
from itertools import count, pairwise
from pathlib import Path

import pytest

from edge_client.recording.cutting import Cutter
from edge_client.recording.encoder import H264Encoder
from edge_client.recording.library import recordings_in
from edge_client.recording.playable import playable_s
from edge_client.recording.recorder import SegmentRecorder
from edge_client.recording.track import Moment
from edge_client.sources.encoded import EncodedPacket
from edge_client.types import Image, RecordingState
from tests.edge_client.recording import samples
from tests.edge_client.recording.samples import DRIVE, START, failed, feed, frame, noise, picture, recorder, until


def test_a_drive_is_cut_into_segments_without_a_gap(tmp_path: Path) -> None:
    folder = tmp_path / "made" / "here"
    recording = recorder(folder)
    feed(recording, [frame(n) for n in range(135)])
    recording.close(10.0)
    recording.close(10.0)
    found = recordings_in(folder)
    assert [r.track.end.frames for r in found if r.track.end] == [60, 60, 15]
    assert [r.duration_s for r in found] == pytest.approx([2.0, 2.0, 0.5], abs=0.001)
    assert [playable_s(r.video) for r in found] == pytest.approx([2.0, 2.0, 0.5], abs=0.01)
    assert [(r.start - START).total_seconds() for r in found if r.start] == pytest.approx([0.0, 2.0, 4.0], abs=0.002)
    assert {(r.drive, r.start_source.value, r.open, r.cut, r.lock) for r in found} == {
        (DRIVE, "gps", False, False, None)
    }
    assert recording.status().lost_frames == 0
    assert (
        recording.status().kept_bytes == sum(path.stat().st_size for path in folder.iterdir()) - sum(0 for _ in found)
        or recording.status().kept_bytes > 0
    )


def test_the_track_goes_along(tmp_path: Path) -> None:
    recording = recorder(tmp_path)
    feed(recording, [frame(n) for n in range(61)])
    recording.close(10.0)
    first, second = recordings_in(tmp_path)
    assert [p.t_s for p in first.places] == pytest.approx([n / 5 for n in range(10)], abs=0.001)
    assert [p.latitude_deg for p in first.places] == pytest.approx([45.0 + n / 5 * 9e-5 for n in range(10)])
    assert second.places[0].t_s == pytest.approx(0.0, abs=0.001)
    assert second.places[0].latitude_deg == pytest.approx(45.00018)


def test_pictures_have_the_times_of_their_capture(tmp_path: Path) -> None:
    recording = recorder(tmp_path)
    moments = [0.0, 0.1, 0.35, 0.4, 1.7]
    feed(recording, [frame(n, time_s=moment) for n, moment in enumerate(moments)])
    recording.close(10.0)
    (found,) = recordings_in(tmp_path)
    assert samples.times(found.video) == pytest.approx(moments, abs=0.001)


def test_frames_of_a_file_are_one_period_apart_however_fast_it_is_read(tmp_path: Path) -> None:
    recording = SegmentRecorder(samples.settings(), tmp_path, DRIVE, 10.0, live=False)
    feed(recording, [frame(n, time_s=0.0) for n in range(5)])
    recording.close(10.0)
    (found,) = recordings_in(tmp_path)
    assert samples.times(found.video) == pytest.approx([0.0, 0.1, 0.2, 0.3, 0.4], abs=0.001)


def test_another_size_begins_another_segment(tmp_path: Path) -> None:
    recording = recorder(tmp_path)
    sizes = [(64, 36)] * 3 + [(80, 60)] * 2 + [(64, 36)] * 2
    feed(recording, [frame(n, picture(n, *size)) for n, size in enumerate(sizes)])
    recording.close(10.0)
    found = recordings_in(tmp_path)
    assert [(r.track.head.width_px, r.track.head.height_px) for r in found if r.track.head] == [
        (64, 36),
        (80, 60),
        (64, 36),
    ]
    assert [len(samples.times(r.video)) for r in found] == [3, 2, 2]


def test_fewer_frames_are_encoded_if_so_configured(tmp_path: Path) -> None:
    recording = recorder(tmp_path, max_rate_hz=10.0)
    feed(recording, [frame(n) for n in range(31)])
    recording.close(10.0)
    (found,) = recordings_in(tmp_path)
    times = samples.times(found.video)
    assert len(times) == 11
    assert [b - a for a, b in pairwise(times[1:])] == pytest.approx([0.1] * 9, abs=0.001)
    assert recording.status().lost_frames == 0


def test_packets_are_kept_as_they_are_with_the_track_of_the_frames(tmp_path: Path) -> None:
    recording = SegmentRecorder(samples.settings(), tmp_path, DRIVE, 30.0, encoded=True)
    recording.put(frame(0))
    for packet in samples.packets(90)[5:]:
        recording.put_packet(packet)
    recording.close(10.0)
    (found,) = recordings_in(tmp_path)
    assert recording.status().lost_frames == 25  # those before the first key frame
    assert len(samples.times(found.video)) == 60
    assert found.start is not None
    assert (found.start - START).total_seconds() == pytest.approx(1.0, abs=0.002)


def test_segments_of_packets_begin_with_key_frames(tmp_path: Path) -> None:
    recording = SegmentRecorder(samples.settings(segment_s=2.5), tmp_path, DRIVE, 30.0, encoded=True)
    for packet in samples.packets(100):
        recording.put_packet(packet)
    recording.close(10.0)
    assert [len(samples.times(r.video)) for r in recordings_in(tmp_path)] == [90, 10]
    assert recording.status().lost_frames == 0


def test_putting_never_waits_and_counts_what_does_not_fit(tmp_path: Path) -> None:
    recording = recorder(tmp_path)
    large = noise(0, 1920, 1080)
    for n in range(60):
        recording.put(frame(n, large))
    recording.close(30.0)
    kept = sum(r.track.end.frames for r in recordings_in(tmp_path) if r.track.end)
    assert kept + recording.status().lost_frames == 60
    assert recording.status().lost_frames > 0
    assert kept >= 4
    recording.put(frame(60))
    assert recording.status().lost_frames == 60 - kept + 1  # after its end it only counts


def test_the_ring_goes_round_and_locked_segments_stay(tmp_path: Path) -> None:
    recording = recorder(tmp_path, max_gb=0.0024, lock_around_s=0.0)
    for n in range(300):
        feed(recording, [frame(n, noise(n, 160, 90))])
        if n == 30:
            recording.lock("brake")
    recording.close(30.0)
    found = recordings_in(tmp_path)
    assert [r.name.number for r in found if r.lock == "brake"] == [1]
    assert len(found) < found[-1].name.number == 5  # some in the middle are gone
    assert sum(r.size_bytes for r in found) <= 2_400_000
    assert sum(path.stat().st_size for path in tmp_path.iterdir()) <= 2_400_000


def test_only_locked_segments_stop_it_loudly_until_there_is_room(tmp_path: Path) -> None:
    recording = recorder(tmp_path, max_gb=0.002, crf=10, lock_around_s=60.0, max_kbps=100_000)
    number = 0
    recording.lock("everything from here")

    def one_more() -> None:
        nonlocal number
        recording.put(frame(number, noise(number)))
        number += 1

    def stopped() -> bool:
        one_more()
        return failed(recording.status())

    assert until(stopped)
    assert "only locked recordings are left" in recording.status().reason
    lost = recording.status().lost_frames
    feed(recording, [frame(number + n, noise(n)) for n in range(5)])
    assert recording.status().lost_frames >= lost + 5
    for path in tmp_path.glob("*.locked"):
        path.unlink()

    def goes_on() -> bool:
        one_more()
        return not failed(recording.status())

    assert until(goes_on)
    recording.close(30.0)


def test_a_folder_that_vanishes_is_told_and_made_anew(tmp_path: Path) -> None:
    folder = tmp_path / "rec"
    recording = recorder(folder)
    number = 0

    def becomes(wanted: bool) -> bool:
        def check() -> bool:
            nonlocal number
            recording.put(frame(number))
            number += 1
            return failed(recording.status()) is wanted and (wanted or bool(recording.status().segment))

        return until(check)

    assert becomes(False)
    shutil.rmtree(folder)
    assert becomes(True)
    assert "removed" in recording.status().reason or "cannot write" in recording.status().reason
    assert becomes(False)
    recording.close(10.0)
    assert sum(playable_s(r.video) for r in recordings_in(folder)) > 0
    assert recording.status().lost_frames > 0


def test_a_folder_that_cannot_be_made_is_told_and_the_drive_goes_on(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    recording = recorder(tmp_path / "file" / "rec")

    numbers = count()

    def told() -> bool:
        recording.put(frame(next(numbers)))
        return failed(recording.status())

    assert until(told)
    assert "Not a directory" in recording.status().reason
    recording.close(10.0)
    assert recording.status().state is RecordingState.FAILED
    assert recording.status().lost_frames > 0


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    disk = tmp_path / "disk"
    disk.mkdir()
    command = [shutil.which("mount") or "mount", "-t", "tmpfs", "-o", "size=3m", "tmpfs", str(disk)]
    if os.geteuid() or subprocess.run(command, capture_output=True, check=False).returncode:
        pytest.skip("a small disk cannot be mounted here")
    yield disk
    subprocess.run([shutil.which("umount") or "umount", "-l", str(disk)], check=True)


def test_a_full_disk_fails_it_and_it_goes_on_when_there_is_room(small_disk: Path) -> None:
    folder = small_disk / "rec"
    other = small_disk / "other"
    recording = recorder(folder, max_gb=0.002)
    number = 0

    def becomes(wanted: bool) -> bool:
        def check() -> bool:
            nonlocal number
            recording.put(frame(number, noise(number % 30)))
            number += 1
            return failed(recording.status()) is wanted and (wanted or bool(recording.status().segment))

        return until(check)

    assert becomes(False)
    other.write_bytes(b"\0" * 2_000_000)
    assert becomes(True)
    assert recording.status().reason
    other.unlink()
    assert becomes(False)
    recording.close(10.0)
    for found in recordings_in(folder):
        if found.track.end is not None and found.track.end.frames:
            assert len(samples.times(found.video)) == found.track.end.frames


def test_a_read_only_disk_fails_it(small_disk: Path) -> None:
    subprocess.run([shutil.which("mount") or "mount", "-o", "remount,ro", str(small_disk)], check=True)
    recording = recorder(small_disk / "rec")

    numbers = count()

    def told() -> bool:
        recording.put(frame(next(numbers)))
        return failed(recording.status())

    assert until(told)
    assert "Read-only file system" in recording.status().reason
    recording.close(10.0)


def test_an_encoder_that_fails_is_told_and_tried_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    recording = recorder(tmp_path)
    numbers = count()

    def becomes(wanted: bool) -> bool:
        def check() -> bool:
            recording.put(frame(next(numbers)))
            return failed(recording.status()) is wanted and (wanted or bool(recording.status().segment))

        return until(check)

    def fail(self: H264Encoder, image: Image, time_s: float) -> list[EncodedPacket]:
        raise ValueError("no more memory in the chip")

    with monkeypatch.context() as broken:
        broken.setattr(H264Encoder, "encode", fail)
        assert becomes(True)
    assert recording.status().reason == "the encoder failed: no more memory in the chip"
    assert becomes(False)
    recording.close(10.0)
    assert recording.status().lost_frames > 0
    assert recordings_in(tmp_path)


@pytest.mark.filterwarnings("ignore::pytest.PytestUnhandledThreadExceptionWarning")
def test_what_nobody_foresaw_is_told_and_the_drive_goes_on(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def crash(self: H264Encoder, image: Image, time_s: float) -> list[EncodedPacket]:
        raise RuntimeError("a bug")

    monkeypatch.setattr(H264Encoder, "encode", crash)
    recording = recorder(tmp_path)
    recording.put(frame(0))
    assert until(lambda: failed(recording.status()))
    assert recording.status().reason == "the recording crashed: a bug"
    recording.put(frame(1))
    assert recording.status().lost_frames >= 1
    recording.close(10.0)


@pytest.mark.filterwarnings("ignore::pytest.PytestUnhandledThreadExceptionWarning")
def test_after_a_crash_nothing_piles_up_for_a_cameras_own_video(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def crash(self: Cutter, moment: Moment) -> None:
        raise RuntimeError("a bug")

    monkeypatch.setattr(Cutter, "tell", crash)
    recording = SegmentRecorder(samples.settings(), tmp_path, DRIVE, 30.0, encoded=True)
    recording.put(frame(0))
    assert until(lambda: failed(recording.status()))
    waiting = recording.waiting
    for number in range(1, 50):
        recording.put(frame(number))
    assert recording.waiting == waiting
    recording.close(10.0)
    recording.put(frame(50))
    assert recording.waiting <= waiting + 1  # the word that it is over
