"""`python -m tools.demo render`: files on disk, and wrong calls."""

from __future__ import annotations

from pathlib import Path

import av
import pytest

from tools.demo.cli import main
from tools.demo.truth import load_truth


def test_render_writes_video_route_and_truth(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = tmp_path / "new" / "drive"
    assert main(["render", "--out", str(out), "--seconds", "0.5", "--fps", "12", "--size", "320x180"]) == 0
    assert sorted(p.name for p in out.iterdir()) == ["drive.mp4", "route.nmea", "truth.csv", "truth.json"]
    with av.open(str(out / "drive.mp4")) as container:
        stream = container.streams.video[0]
        assert stream.codec_context.name == "h264"
        assert (stream.width, stream.height) == (320, 180)
        assert stream.average_rate == 12
        frames = sum(1 for _ in container.decode(stream))
    truth = load_truth(out / "truth.json")
    assert frames == truth.frames == 6
    assert f"6 frames with {len(truth.plates)} plates" in capsys.readouterr().out


@pytest.mark.parametrize(
    "arguments",
    [
        ["--size", "1280"],
        ["--size", "1281x720"],
        ["--size", "100x50"],
        ["--seconds", "0"],
        ["--seconds", "-3"],
        ["--seconds", "nan"],
        ["--fps", "x"],
    ],
)
def test_wrong_arguments_are_refused(tmp_path: Path, arguments: list[str]) -> None:
    with pytest.raises(SystemExit) as stop:
        main(["render", "--out", str(tmp_path), *arguments])
    assert stop.value.code == 2
    assert list(tmp_path.iterdir()) == []


def test_a_folder_that_cannot_be_made_is_told_in_one_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "file"
    file.write_text("", encoding="utf-8")
    assert main(["render", "--out", str(file / "drive"), "--seconds", "0.1"]) == 1
    error = capsys.readouterr().err
    assert error.startswith("demo: error: ")
    assert error.count("\n") == 1
