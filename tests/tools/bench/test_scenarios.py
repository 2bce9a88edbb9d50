"""The measurements run the real dashcam against real APIs that serve tiny networks."""

from __future__ import annotations

import json
from pathlib import Path

import cv2
import numpy as np
import pytest
import yaml

from tests.cloud_apis import tiny_models
from tools.bench.cli import main
from tools.bench.scenarios import Realtime, worst

ROOT = Path(__file__).resolve().parents[3]


@pytest.fixture
def config(tmp_path: Path) -> Path:
    """Settings of APIs that serve the tiny networks."""
    models = tmp_path / "models"
    models.mkdir()
    tiny_models.write_all(models)
    settings = yaml.safe_load((ROOT / "config" / "apis.yaml").read_text(encoding="utf-8"))
    settings["yolov3"] |= {"labels": ["license-plate"], "anchors": tiny_models.ANCHORS}
    path = tmp_path / "apis.yaml"
    path.write_text(yaml.safe_dump({**settings, "models": str(models)}), encoding="utf-8")
    return path


@pytest.fixture
def clip(tmp_path: Path) -> Path:
    """Half a second at 12 frames a second with a white spot that the tiny detector finds."""
    path = tmp_path / "clip.avi"
    writer = cv2.VideoWriter(str(path), cv2.VideoWriter.fourcc(*"MJPG"), 12.0, (416, 256))
    for _ in range(6):
        frame = np.zeros((256, 416, 3), np.uint8)
        frame[96:160, 192:256] = 255
        writer.write(frame)
    writer.release()
    return path


def figures(tmp_path: Path, *argv: str) -> dict[str, dict[str, object]]:
    result = tmp_path / "figures.json"
    assert main([*argv, "--json", str(result)]) == 0
    read: dict[str, dict[str, object]] = json.loads(result.read_text(encoding="utf-8"))
    return read


def test_full_rate(config: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    pictures = tmp_path / "pictures"
    pictures.mkdir()
    for i in range(5):
        cv2.imwrite(str(pictures / f"{i}.png"), np.full((90, 160, 3), 40 * i, np.uint8))
    argv = ("full", "--pictures", str(pictures), "--config", str(config), "--repeats", "1")
    result = figures(tmp_path, *argv)["full"]
    assert result["frames"] == 5
    summary = result["summary"]
    assert isinstance(summary, dict)
    assert summary["captured"] == 5
    assert "one request at a time" in capsys.readouterr().out


def test_realtime_accounts_for_every_frame(config: Path, clip: Path, tmp_path: Path) -> None:
    argv = ("realtime", "--video", str(clip), "--config", str(config), "--repeats", "1", "--seconds", "1.4")
    runs = figures(tmp_path, *argv, "--round-trip-ms", "20")["realtime"]["runs"]
    assert isinstance(runs, list)
    (run,) = runs
    assert run["captured"] == 45  # three times half a second at 30 frames a second
    assert run["annotated"] + run["carried"] + run["plain"] + run["lost"] == 45
    assert run["out_of_order"] == 0


def test_memory(config: Path, clip: Path, tmp_path: Path) -> None:
    argv = ("memory", "--video", str(clip), "--config", str(config), "--minutes", "0.1")
    result = figures(tmp_path, *argv)["memory"]
    most = result["most_mib"]
    assert isinstance(most, float)
    assert most > 10


def test_what_is_missing_is_named(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["full", "--pictures", str(tmp_path / "nowhere")]) == 2
    assert main(["realtime", "--video", str(tmp_path / "nowhere.mp4")]) == 2
    lines = capsys.readouterr().err.splitlines()
    assert len(lines) == 2
    assert all("nowhere" in line for line in lines)


def test_the_worst_run_is_the_one_that_lost_most() -> None:
    good = Realtime(10, 0, 0, 10, 0, 0, 0.2, 0.9, 1, 1.0)
    slow = Realtime(10, 0, 0, 10, 0, 0, 0.2, 0.95, 1, 1.0)
    lossy = Realtime(10, 1, 0, 9, 0, 0, 0.1, 0.2, 1, 1.0)
    assert worst([good, lossy, slow]) is lossy
    assert worst([good, slow]) is slow
