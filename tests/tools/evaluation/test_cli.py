"""The command from end to end, with tiny networks of the true form and a small set made here."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import cv2
import numpy as np
import pytest

from tests.cloud_apis import tiny_models
from tools.data import ENVIRONMENT_VARIABLE
from tools.evaluation.cli import main

ANCHORS = [10, 4, 16, 6, 22, 9, 31, 12, 42, 14, 57, 20, 82, 28, 126, 42, 207, 75]


@pytest.fixture
def models(tmp_path: Path) -> Path:
    folder = tmp_path / "models"
    folder.mkdir()
    tiny_models.write_all(folder)
    tiny_models.write(folder, "yolov3", tiny_models.yolov3(), anchors=ANCHORS)
    return folder


@pytest.fixture
def data(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Two photos of 416 by 416; the plate of the first lies where the tiny detector finds one.

    The tiny detector answers with its last anchor, 207 by 75, around a white cell of 32 by 32.
    """
    plates = tmp_path / "data" / "plates"
    (plates / "open_lpr").mkdir(parents=True)
    photo = np.zeros((416, 416, 3), np.uint8)
    cv2.imwrite(str(plates / "open_lpr" / "b.png"), photo)
    photo[192:224, 192:224] = 255
    cv2.imwrite(str(plates / "open_lpr" / "a.png"), photo)
    box = [208 - 207 / 2, 208 - 75 / 2, 207, 75]
    coco = {
        "images": [
            {"id": 1, "file_name": "open_lpr/a.png", "width": 416, "height": 416},
            {"id": 2, "file_name": "open_lpr/b.png", "width": 416, "height": 416},
        ],
        "annotations": [
            {"id": 1, "image_id": 1, "bbox": box, "text": "1"},
            {"id": 2, "image_id": 2, "bbox": [10, 10, 30, 10], "illegible": True},
        ],
    }
    (plates / "open_lpr_val.json").write_text(json.dumps(coco))
    (plates / "crops").mkdir()
    with (plates / "texts.csv").open("w", newline="") as file:
        rows = csv.writer(file)
        rows.writerow(("file_name", "text", "source", "split"))
        for i, text in enumerate(("1", "AB/2")):
            crop = np.full((96, 192, 3), 255 if text == "1" else 0, np.uint8)
            cv2.imwrite(str(plates / "crops" / f"{i}.png"), crop)
            rows.writerow((f"crops/{i}.png", text, "open_lpr", "val"))
    monkeypatch.setenv(ENVIRONMENT_VARIABLE, str(plates.parent))
    return plates.parent


def run(tmp_path: Path, *argv: str) -> dict[str, dict[str, object]]:
    result = tmp_path / "figures.json"
    assert main([*argv, "--json", str(result)]) == 0
    figures: dict[str, dict[str, object]] = json.loads(result.read_text())["figures"]
    return figures


def test_detection(data: Path, models: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    argv = ("detection", "--sources", "open_lpr", "--model", str(models / "yolov3.onnx"))
    figures = run(tmp_path, *argv)["open_lpr"]
    assert figures["pictures"] == figures["plates"] == 2
    assert figures["ap50"] == pytest.approx(51 / 101)
    assert figures["recall"] == {"found": 1, "plates": 2, "rate": 0.5}
    assert figures["false_boxes_per_picture"] == 0.0
    by_width = figures["recall_by_width"]
    assert isinstance(by_width, list)
    assert [(r["found"], r["plates"]) for r in by_width] == [(0, 0), (0, 0), (0, 1), (1, 1)]
    assert "open_lpr" in capsys.readouterr().out


def test_reading_with_contact_sheets(data: Path, models: Path, tmp_path: Path) -> None:
    sheets = tmp_path / "sheets"
    figures = run(tmp_path, "reading", "--models", str(models), "--failures", str(sheets))
    everything = figures["all"]
    assert everything["plates"] == 2
    assert figures["one line"]["plates"] == figures["two lines"]["plates"] == 1
    assert figures["one line"]["exact"] == 1
    assert figures["two lines"]["exact"] == 0
    sheet = cv2.imread(str(sheets / "failures-00.png"))
    assert sheet is not None
    assert sheet.any()


def test_end_to_end(data: Path, models: Path, tmp_path: Path) -> None:
    argv = ("--sources", "open_lpr", "--model", str(models / "yolov3.onnx"), "--models", str(models))
    figures = run(tmp_path, "endtoend", *argv, "--margin", "0")["open_lpr"]
    assert (figures["pictures"], figures["plates"], figures["found"]) == (2, 1, 1)


def test_what_is_missing_is_named_in_one_line(data: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["detection", "--sources", "open_lpr", "--model", str(tmp_path / "none.onnx")]) == 2
    assert main(["reading", "--models", str(tmp_path)]) == 2
    assert main(["detection", "--sources", "elsewhere"]) == 2
    lines = capsys.readouterr().err.splitlines()
    assert len(lines) == 3
    assert "none.onnx" in lines[0]
    assert "craft" in lines[1]
    assert "elsewhere_val.json" in lines[2]


def test_a_missing_data_folder_says_what_to_set(
    tmp_path: Path, models: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv(ENVIRONMENT_VARIABLE, str(tmp_path / "nowhere"))
    assert main(["reading", "--models", str(models)]) == 2
    assert ENVIRONMENT_VARIABLE in capsys.readouterr().err
