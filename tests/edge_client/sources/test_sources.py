from __future__ import annotations

import logging
from pathlib import Path

import cv2
import numpy as np
import pytest

from edge_client.config import SourceSettings
from edge_client.errors import SourceError
from edge_client.sources.open import open_source
from edge_client.sources.opencv import without_password
from edge_client.sources.pictures import PictureFolder, name_order
from edge_client.types import Image, SourceState


def picture(value: int, size: tuple[int, int] = (48, 64)) -> Image:
    return np.full((*size, 3), value, np.uint8)


@pytest.fixture
def video(tmp_path: Path) -> Path:
    path = tmp_path / "drive.avi"
    writer = cv2.VideoWriter(str(path), cv2.VideoWriter.fourcc(*"MJPG"), 12.0, (64, 48))
    for n in range(10):
        writer.write(picture(20 * n))
    writer.release()
    return path


def shades(name: Path | str, settings: SourceSettings | None = None) -> list[int]:
    source = open_source(str(name), settings or SourceSettings())
    images = list(source)
    source.close()
    assert all(image.dtype == np.uint8 and image.ndim == 3 for image in images)
    return [round(float(image.mean()) / 20) for image in images]


def test_a_video_gives_every_frame_in_order(video: Path) -> None:
    source = open_source(str(video), SourceSettings())
    assert (source.frame_rate_hz, source.frame_count, source.live) == (12.0, 10, False)
    source.close()
    assert shades(video) == list(range(10))


def test_real_clips_give_as_many_frames_as_they_state(shared_data: Path) -> None:
    for clip in sorted((shared_data / "clips").glob("*.avi"))[:2]:
        source = open_source(str(clip), SourceSettings())
        images = list(source)
        assert len(images) == source.frame_count == 36
        assert images[0].shape == (480, 640, 3)
        source.close()


def test_frames_to_skip_and_scale(video: Path) -> None:
    settings = SourceSettings(frames_to_skip=7, scale_video=0.5)
    source = open_source(str(video), settings)
    assert source.frame_count == 3
    images = list(source)
    assert [image.shape for image in images] == [(24, 32, 3)] * 3
    assert shades(video, settings) == [7, 8, 9]
    with pytest.raises(SourceError, match="all of which are to be skipped"):
        shades(video, SourceSettings(frames_to_skip=10))


def test_a_cut_video_ends_early_with_a_warning(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    path = tmp_path / "cut.avi"
    writer = cv2.VideoWriter(str(path), cv2.VideoWriter.fourcc(*"MJPG"), 12.0, (320, 240))
    noise = np.random.default_rng(1)
    for _ in range(20):
        writer.write(noise.integers(0, 255, (240, 320, 3), np.uint8))
    writer.release()
    data = path.read_bytes()
    path.write_bytes(data[: len(data) // 2])
    source = open_source(str(path), SourceSettings())
    with caplog.at_level(logging.WARNING):
        seen = len(list(source))
    assert 0 < seen < 20
    if source.frame_count == 20:
        assert f"ends early: {seen} of 20" in caplog.text


@pytest.mark.parametrize("content", [b"", b"not a video", b"RIFF" + b"\0" * 500])
def test_what_is_no_video_is_refused(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "bad.avi"
    path.write_bytes(content)
    with pytest.raises(SourceError) as caught:
        open_source(str(path), SourceSettings())
    assert str(path) in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("name", ["missing.mp4", "/nowhere/at/all", "/dev/video99", "99", "rtsp://127.0.0.1:9/none"])
def test_what_is_not_there_is_refused(name: str) -> None:
    with pytest.raises(SourceError):
        open_source(name, SourceSettings(open_timeout_s=1.0))


def test_a_folder_plays_in_name_order_and_leaves_out_what_cannot_be_read(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    for n in (1, 2, 10):
        cv2.imwrite(str(tmp_path / f"t_{n}.png"), picture(20 * n))
    (tmp_path / "t_3.jpg").write_bytes(b"no picture")
    (tmp_path / "t_4.webp").write_bytes(b"")
    (tmp_path / "notes.txt").write_text("not a picture")
    with caplog.at_level(logging.WARNING):
        assert shades(tmp_path) == [1, 2, 10]
    assert [record.getMessage().split(" is ")[0] for record in caplog.records] == [
        str(tmp_path / "t_3.jpg"),
        str(tmp_path / "t_4.webp"),
    ]
    assert shades(tmp_path, SourceSettings(frames_to_skip=1)) == [2, 10]


def test_folders_without_pictures_are_refused(tmp_path: Path) -> None:
    with pytest.raises(SourceError, match="no picture"):
        open_source(str(tmp_path), SourceSettings())
    (tmp_path / "a.jpg").write_bytes(b"x")
    with pytest.raises(SourceError, match="none of the 1 pictures"):
        shades(tmp_path)
    with pytest.raises(SourceError, match="to be skipped"):
        open_source(str(tmp_path), SourceSettings(frames_to_skip=1))


def test_names_sort_by_the_numbers_in_them() -> None:
    names = ["b_2.png", "a_10.png", "a_9.png", "a.png", "10.png", "9.png"]
    expected = ["9.png", "10.png", "a.png", "a_9.png", "a_10.png", "b_2.png"]
    assert [p.name for p in sorted(map(Path, names), key=name_order)] == expected


def test_recordings_say_whether_they_start_run_or_have_ended(video: Path, tmp_path: Path) -> None:
    folder = tmp_path / "pictures"
    folder.mkdir()
    cv2.imwrite(str(folder / "1.png"), picture(20))
    for name in (video, folder):
        source = open_source(str(name), SourceSettings(scale_video=0.5))
        assert source.status().state is SourceState.STARTING
        images = iter(source)
        next(images)
        assert source.status().state is SourceState.RUNNING
        list(images)
        assert source.status().state is SourceState.ENDED
        source.close()


def test_passwords_stay_out_of_messages() -> None:
    assert without_password("rtsp://me:secret@cam/1") == "rtsp://cam/1"
    assert without_password("http://cam/a@b") == "http://cam/a@b"


def test_time_goes_as_played_in_real_time_and_as_taken_at_full_rate(tmp_path: Path) -> None:
    cv2.imwrite(str(tmp_path / "a.png"), np.zeros((8, 8, 3), np.uint8))
    assert PictureFolder(tmp_path, SourceSettings(picture_rate_hz=5.0)).frame_rate_hz == 5.0
    assert PictureFolder(tmp_path, SourceSettings(picture_rate_hz=5.0, rate="full")).frame_rate_hz == 1.0
    taken = SourceSettings(pictures_taken_hz=2.0, rate="full")
    assert PictureFolder(tmp_path, taken).frame_rate_hz == 2.0
