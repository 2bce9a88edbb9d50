"""`dashcam recordings`, on recordings made here, and the recording of a whole drive."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import cv2
import pytest

from edge_client.cli import main
from edge_client.recording.library import recordings_in
from tests.edge_client.fake_apis import fake_apis
from tests.edge_client.recording.samples import feed, frame, picture, recorder, times, until

ROOT = Path(__file__).resolve().parents[3]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    made = tmp_path_factory.mktemp("recordings")
    recording = recorder(made)
    feed(recording, [frame(n) for n in range(130)])
    recording.close(20.0)
    return made


def said(capsys: pytest.CaptureFixture[str], *arguments: object, code: int = 0) -> str:
    assert main([*map(str, arguments)]) == code
    output = capsys.readouterr()
    return output.out + output.err


def test_the_list_tells_drive_start_length_lock_and_track(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    text = said(capsys, "recordings", "list", "--folder", folder)
    for part in ("01234567", "2026-05-01 10:00:02", "2 s", "kB", "0.02 km", "3 segments"):
        assert part in text
    assert "no recordings fit" in said(capsys, "recordings", "list", "--folder", folder, "--locked")
    assert "no recordings fit" in said(capsys, "recordings", "list", "--folder", folder, "--drive", "fff")


def test_one_is_shown_with_what_of_it_plays(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    text = said(capsys, "recordings", "show", "2", "--folder", folder)
    for part in ("told by GPS", "64x36, h264", "10 positions", "45.00018 N 21.00000 E", "length"):
        assert part in text
    assert text.count("2.0 s") == 2


def test_the_newest_needs_no_number(folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert "3 is locked" in said(capsys, "recordings", "lock", "LAST", "--folder", folder)
    assert [r.lock is not None for r in recordings_in(folder)] == [False, False, True]
    assert "command" in said(capsys, "recordings", "show", "Last", "--folder", folder)
    assert said(capsys, "recordings", "unlock", "last", "3", "--folder", folder) == "3 is no longer locked\n"
    assert "there are no recordings" in said(capsys, "recordings", "lock", "last", "--folder", tmp_path, code=1)
    for other in ("first", "-1", "9" * 5000):
        with pytest.raises(SystemExit):
            main(["recordings", "lock", other, "--folder", str(folder)])
        assert "nor last" in capsys.readouterr().err


def test_lock_and_unlock(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert "1 is locked" in said(capsys, "recordings", "lock", "1", "3", "--reason", "crash", "--folder", folder)
    assert [r.lock for r in recordings_in(folder)] == ["crash", None, "crash"]
    assert "crash" in said(capsys, "recordings", "list", "--locked", "--folder", folder)
    assert "no longer locked" in said(capsys, "recordings", "unlock", "1", "--folder", folder)
    assert "was not locked" in said(capsys, "recordings", "unlock", "1", "--folder", folder)
    assert [r.lock for r in recordings_in(folder)] == [None, None, "crash"]
    said(capsys, "recordings", "unlock", "3", "--folder", folder)


def test_unknown_numbers_change_nothing(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for action in ("lock", "unlock"):
        assert "no recording 99" in said(capsys, "recordings", action, "1", "99", "--folder", folder, code=1)
    assert [r.lock for r in recordings_in(folder)] == [None] * 3
    assert "no recording 99" in said(capsys, "recordings", "show", "99", "--folder", folder, code=1)


def test_an_empty_folder_and_a_bad_one_are_told(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert "there are no recordings in" in said(capsys, "recordings", "list", "--folder", tmp_path / "none")
    (tmp_path / "file").write_text("")
    assert "cannot read" in said(capsys, "recordings", "list", "--folder", tmp_path / "file", code=1)


def test_a_drive_is_recorded_and_a_signal_locks_it(tmp_path: Path) -> None:
    """Played in real time until the lock is on the disk, then ended by Ctrl-C."""
    video = tmp_path / "drive.avi"
    writer = cv2.VideoWriter(str(video), cv2.VideoWriter.fourcc(*"MJPG"), 30.0, (128, 72))
    for n in range(3000):
        writer.write(picture(n, 128, 72))
    writer.release()
    folder = tmp_path / "recordings"
    command = [sys.executable, "-m", "edge_client", "run", video, "--recordings", folder, "--no-window", "--web", "off"]
    environment = {**os.environ, "XDG_DATA_HOME": str(tmp_path), "PYTHONPATH": str(ROOT)}
    with fake_apis() as apis:
        command += ["--yolov3-endpoint", apis.url, "--crnn-endpoint", apis.url]
        with subprocess.Popen(
            [str(part) for part in command], cwd=tmp_path, env=environment, stderr=subprocess.PIPE
        ) as drive:
            try:
                assert until(lambda: any(r.open for r in recordings_in(folder)))
                drive.send_signal(signal.SIGUSR1)
                assert until(lambda: any(r.lock is not None for r in recordings_in(folder)))
            finally:
                drive.send_signal(signal.SIGINT)
                _, errors = drive.communicate(timeout=60)
    assert drive.returncode == 0, errors
    (found,) = recordings_in(folder)
    assert (found.lock, found.cut, len(found.drive)) == ("signal", False, 32)
    assert found.track.end is not None
    assert found.track.end.frames == len(times(found.video)) > 0
