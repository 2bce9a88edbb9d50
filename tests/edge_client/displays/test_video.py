"""The recording, read back with FFmpeg: frames, codec, times, and what a full disk or a kill leaves."""

from __future__ import annotations

import logging
import os
import resource
import shutil
import signal
import subprocess
import sys
import textwrap
from pathlib import Path

import av
import numpy as np
import pytest

from edge_client.config import RecordSettings
from edge_client.displays.video import VideoRecorder
from edge_client.errors import ConfigError
from edge_client.types import Image
from tests.edge_client.samples import picture, shown

SETTINGS = RecordSettings(min_free_mb=0)


def noise(number: int, width: int = 320, height: int = 180) -> Image:
    """A picture that does not compress, so that files grow."""
    return np.random.default_rng(number).integers(0, 255, (height, width, 3), np.uint8)


def decoded(path: Path) -> list[Image]:
    with av.open(str(path)) as container:
        return [np.asarray(frame.to_ndarray(format="bgr24"), np.uint8) for frame in container.decode(video=0)]


def record(recorder: VideoRecorder, images: list[Image]) -> None:
    for number, image in enumerate(images):
        recorder.show(shown(number, image), image)


@pytest.mark.parametrize("size", [(320, 180), (321, 181), (2, 2), (1281, 721)])
def test_every_frame_is_in_the_file(tmp_path: Path, size: tuple[int, int]) -> None:
    path = tmp_path / "out.mp4"
    recorder = VideoRecorder(path, SETTINGS, 12.5)
    images = [picture(*size, value=40 + 20 * n) for n in range(9)]
    record(recorder, images)
    recorder.close()
    recorder.close()
    assert (recorder.frames_written, recorder.frames_lost, recorder.failure) == (9, 0, None)
    with av.open(str(path)) as container:
        stream = container.streams.video[0]
        assert stream.codec_context.name == "h264"
        assert stream.codec_context.pix_fmt == "yuv420p"
        assert float(stream.average_rate or 0) == pytest.approx(12.5)
        assert stream.frames == 9
    frames = decoded(path)
    assert [frame.shape[:2] for frame in frames] == [(size[1] // 2 * 2, size[0] // 2 * 2)] * 9
    assert [round(float(frame.mean())) for frame in frames] == pytest.approx([40 + 20 * n for n in range(9)], abs=3)


def test_colours_come_back(tmp_path: Path) -> None:
    image = np.zeros((64, 96, 3), np.uint8)
    image[:, :48] = (200, 40, 30)
    image[:, 48:] = (30, 60, 210)
    recorder = VideoRecorder(tmp_path / "out.mp4", SETTINGS, 30.0)
    record(recorder, [image] * 3)
    recorder.close()
    frame = decoded(tmp_path / "out.mp4")[-1]
    assert frame[32, 20].tolist() == pytest.approx([200, 40, 30], abs=6)
    assert frame[32, 76].tolist() == pytest.approx([30, 60, 210], abs=6)


def test_other_sizes_are_fitted_into_the_first(tmp_path: Path) -> None:
    recorder = VideoRecorder(tmp_path / "out.mp4", SETTINGS, 10.0)
    record(recorder, [picture(320, 180), picture(640, 480), picture(100, 300), picture(321, 181)])
    recorder.close()
    assert [f.shape for f in decoded(tmp_path / "out.mp4")] == [(180, 320, 3)] * 4


def test_live_frames_keep_their_times(tmp_path: Path) -> None:
    recorder = VideoRecorder(tmp_path / "out.mp4", SETTINGS, 30.0, live=True)
    for number, captured_s in enumerate((100.0, 100.1, 100.5, 100.5, 101.0)):
        recorder.show(shown(number, captured_s=captured_s), picture())
    recorder.close()
    with av.open(str(tmp_path / "out.mp4")) as container:
        times = [frame.time for frame in container.decode(video=0)]
    assert times == pytest.approx([0.0, 0.1, 0.5, 0.501, 1.0], abs=0.002)


def test_a_missing_folder_and_an_unwritable_file_are_told_at_the_start(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="does not exist"):
        VideoRecorder(tmp_path / "none" / "out.mp4", SETTINGS, 30.0)
    with pytest.raises(ConfigError, match="Is a directory"):
        VideoRecorder(tmp_path, SETTINGS, 30.0)


def test_an_older_recording_stays_when_no_frame_comes(tmp_path: Path) -> None:
    old, new = tmp_path / "old.mp4", tmp_path / "new.mp4"
    old.write_bytes(b"an older recording")
    for path in (old, new):
        VideoRecorder(path, SETTINGS, 30.0).close()
    assert old.read_bytes() == b"an older recording"
    assert not new.exists()


def test_little_space_ends_the_recording_with_one_warning(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    recorder = VideoRecorder(tmp_path / "out.mp4", RecordSettings(min_free_mb=10**9), 30.0)
    with caplog.at_level(logging.WARNING):
        record(recorder, [picture()] * 5)
    recorder.close()
    assert (recorder.frames_written, recorder.frames_lost) == (0, 5)
    assert recorder.failure is not None
    assert "MB are free" in recorder.failure
    assert len(caplog.records) == 1
    assert not (tmp_path / "out.mp4").exists()


def test_a_full_disk_leaves_a_whole_video_and_a_count(tmp_path: Path) -> None:
    """The limit on file sizes fails writes as a full disk does; in a child, because it holds for the process."""
    program = textwrap.dedent("""
        import logging, resource, sys
        from pathlib import Path
        from edge_client.config import RecordSettings
        from edge_client.displays.video import VideoRecorder
        from tests.edge_client.displays.test_video import noise, record
        logging.basicConfig(format="%(message)s")
        resource.setrlimit(resource.RLIMIT_FSIZE, (1_500_000, resource.RLIM_INFINITY))
        recorder = VideoRecorder(Path(sys.argv[1]), RecordSettings(min_free_mb=0), 5.0)
        record(recorder, [noise(n) for n in range(60)])
        recorder.close()
        print(recorder.frames_written, recorder.frames_lost)
    """)
    path = tmp_path / "out.mp4"
    done = subprocess.run([sys.executable, "-c", program, str(path)], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    written, lost = map(int, done.stdout.split())
    assert written > 0
    assert lost > 0
    assert written + lost == 60
    assert len(decoded(path)) == written
    assert path.stat().st_size <= 1_500_000
    assert done.stderr.count("\n") == 1
    assert "File too large" in done.stderr


@pytest.mark.skipif(os.geteuid() != 0, reason="mounting a small disk needs root")
def test_a_really_full_disk(tmp_path: Path) -> None:
    disk = tmp_path / "disk"
    disk.mkdir()
    mounted = subprocess.run(
        [shutil.which("mount") or "mount", "-t", "tmpfs", "-o", "size=1500k", "tmpfs", str(disk)],
        capture_output=True,
        check=False,
    )
    if mounted.returncode:
        pytest.skip("a small disk cannot be mounted here")
    try:
        recorder = VideoRecorder(disk / "out.mp4", SETTINGS, 5.0)
        record(recorder, [noise(n) for n in range(60)])
        recorder.close()
        assert recorder.failure == os.strerror(28)
        assert recorder.frames_written > 0
        assert recorder.frames_written + recorder.frames_lost == 60
        assert len(decoded(disk / "out.mp4")) == recorder.frames_written
    finally:
        subprocess.run([shutil.which("umount") or "umount", str(disk)], check=True)


def test_a_killed_recording_plays(tmp_path: Path) -> None:
    program = textwrap.dedent("""
        import os, signal, sys
        from pathlib import Path
        from edge_client.config import RecordSettings
        from edge_client.displays.video import VideoRecorder
        from tests.edge_client.displays.test_video import noise, record
        record(VideoRecorder(Path(sys.argv[1]), RecordSettings(min_free_mb=0), 5.0), [noise(n) for n in range(60)])
        os.kill(os.getpid(), signal.SIGKILL)
    """)
    path = tmp_path / "out.mp4"
    done = subprocess.run([sys.executable, "-c", program, str(path)], capture_output=True, check=False)
    assert done.returncode == -signal.SIGKILL, done.stderr
    assert resource.getrlimit(resource.RLIMIT_FSIZE)[0] == resource.RLIM_INFINITY  # that was the other test's child
    frames = 0
    with av.open(str(path)) as container:
        try:
            for _ in container.decode(video=0):
                frames += 1
        except av.FFmpegError:
            pass  # the last fragment is cut
    assert frames >= 40  # all but the last fragments of two seconds
