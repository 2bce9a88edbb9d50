"""The command from end to end, with tiny networks of the true form and a small set made here."""

from __future__ import annotations

import csv
import hashlib
import json
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest

from tests.cloud_apis import tiny_models
from tools.data import ENVIRONMENT_VARIABLE
from tools.evaluation import client, parts
from tools.evaluation.cli import main

ANCHORS = [10, 4, 16, 6, 22, 9, 31, 12, 42, 14, 57, 20, 82, 28, 126, 42, 207, 75]


@pytest.fixture
def models(tmp_path: Path) -> Path:
    folder = tmp_path / "models"
    folder.mkdir()
    tiny_models.write_all(folder)
    tiny_models.write(folder, "yolov3", tiny_models.yolov3(), anchors=ANCHORS, labels=["license-plate"])
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


def run(tmp_path: Path, *argv: str) -> dict[str, Any]:
    result = tmp_path / "figures.json"
    assert main([*argv, "--json", str(result)]) == 0
    body: dict[str, Any] = json.loads(result.read_text())
    return body


def test_detection(data: Path, models: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    argv = ("detection", "--sources", "open_lpr", "--model", str(models / "yolov3.onnx"))
    figures = run(tmp_path, *argv)["figures"]["shipped"]["sets"]["open_lpr"]
    assert figures["pictures"] == figures["plates"] == 2
    assert figures["ap50"] == pytest.approx(51 / 101)
    assert figures["recall"] == {"found": 1, "plates": 2, "rate": 0.5}
    assert figures["false_boxes_per_picture"] == 0.0
    assert figures["without_plates"] == 0
    assert figures["false_without_plates"] is None
    by_width = figures["recall_by_width"]
    assert [(r["found"], r["plates"]) for r in by_width] == [(0, 0), (0, 0), (0, 1), (1, 1)]
    printed = capsys.readouterr().out
    assert "open_lpr" in printed
    assert hashlib.sha256((models / "yolov3.onnx").read_bytes()).hexdigest()[:8] in printed


def test_detection_beside_float32_and_on_photos_without_plates(data: Path, models: Path, tmp_path: Path) -> None:
    (models / "yolov3.float32.onnx").write_bytes(tiny_models.yolov3(threshold=2.0).SerializeToString())
    negatives = data / "plates" / "open_lpr"
    argv = ("--model", str(models / "yolov3.onnx"), "--float32", str(models), "--negatives", str(negatives))
    figures = run(tmp_path, "detection", *argv)["figures"]
    shipped, whole = (figures[kind]["sets"]["no plates: open_lpr"] for kind in ("shipped", "float32"))
    assert (shipped["without_plates"], shipped["false_without_plates"]) == (2, 0.5)
    assert whole["false_without_plates"] == 0.0
    assert figures["float32"]["model"]["precision"] == "float32"


def test_reading_with_contact_sheets(data: Path, models: Path, tmp_path: Path) -> None:
    sheets = tmp_path / "sheets"
    figures = run(tmp_path, "reading", "--models", str(models), "--failures", str(sheets))["figures"]
    groups = figures["reading"]
    assert groups["all"]["plates"] == 2
    assert groups["one line"]["plates"] == groups["two lines"]["plates"] == 1
    assert groups["one line"]["exact"] == 1
    assert groups["two lines"]["exact"] == 0
    coverage = figures["confidence"]["coverage"]["as shipped"]
    assert [(c["threshold"], c["shown"], c["right"]) for c in coverage] == [(t, 1, 1) for t in (0.5, 0.8, 0.9, 0.95)]
    assert figures["confidence"]["reliability"]["plates"]["as shipped"]["count"] == 1
    sheet = cv2.imread(str(sheets / "failures-00.png"))
    assert sheet is not None
    assert sheet.any()


def test_reading_before_and_after_calibration_in_float32_and_with_a_region(
    data: Path, models: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    doubt = {"scale": 1.0, "offset": -15.0}
    tiny_models.write(models, "crnn", tiny_models.crnn(), calibration={"character": doubt, "plate": doubt})
    for name in ("craft", "crnn"):
        (models / f"{name}.float32.onnx").write_bytes((models / f"{name}.onnx").read_bytes())
    plot = tmp_path / "reliability.png"
    argv = ("--models", str(models), "--float32", str(models), "--reliability", str(plot), "--region", "GB")
    body = run(tmp_path, "reading", *argv)
    figures = body["figures"]
    before, after = (figures["confidence"]["coverage"][s][2] for s in ("before calibration", "calibrated"))
    assert (before["threshold"], before["shown"], after["shown"]) == (0.9, 1, 0)
    assert figures["float32"]["all"] == figures["reading"]["all"]
    assert figures["region"]["all"]["confident_changed"] == 0
    assert body["settings"]["regions"] == ["GB"]
    assert {m["name"] for m in body["settings"]["models"]} == {"craft", "crnn"}
    assert plot.stat().st_size > 1000
    assert "loss by quantisation" in capsys.readouterr().out


def test_end_to_end_in_process(data: Path, models: Path, tmp_path: Path) -> None:
    argv = ("endtoend", "--sources", "open_lpr", "--models", str(models), "--in-process", "--margin", "0")
    figures = run(tmp_path, *argv)["figures"]["in this process"]["open_lpr"]
    assert (figures["pictures"], figures["plates"], figures["found"]) == (2, 1, 1)


def test_end_to_end_over_http(data: Path, models: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The command starts the APIs and asks them both ways, and once more with a region."""
    argv = ("endtoend", "--sources", "open_lpr", "--failures", str(tmp_path / "sheets"), "--region", "gb")
    figures = run(tmp_path, *argv, "--models", str(models))["figures"]
    for way in ("/yolov3 + /crnn", "/license-plate-reader"):
        row = figures[way]["open_lpr"]
        assert (row["pictures"], row["plates"], row["found"], row["unanswered"]) == (2, 1, 1, 0)
    assert figures["region"]["all"]["plates"] == 1
    assert "whole pictures, val, /license-plate-reader" in capsys.readouterr().out


def test_end_to_end_on_a_server_that_runs(
    data: Path, models: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    key = tmp_path / "key"
    key.write_text("secret\n")
    settings = parts.settings(None, models=models).model_copy(update={"api_key_file": str(key)})
    with client.server(settings) as url:
        argv = ("endtoend", "--sources", "open_lpr", "--url", url)
        body = run(tmp_path, *argv, "--api-key-file", str(key))
        assert body["figures"]["/yolov3 + /crnn"]["open_lpr"]["found"] == 1
        assert url in body["settings"]["models"]
        assert main([*argv]) == 2
        assert main([*argv, "--region", "GB"]) == 2
    errors = capsys.readouterr().err.splitlines()
    assert "--api-key-file" in errors[-2]
    assert "not for --url" in errors[-1]


def test_data_of_ones_own_is_judged_alike(
    data: Path, models: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(ENVIRONMENT_VARIABLE, str(tmp_path / "nowhere"))
    boxes, texts = data / "plates" / "open_lpr_val.json", data / "plates" / "texts.csv"
    found = run(tmp_path, "detection", "--data", str(boxes), "--model", str(models / "yolov3.onnx"))["figures"]
    assert found["shipped"]["sets"]["open_lpr_val"]["recall"] == {"found": 1, "plates": 2, "rate": 0.5}
    read = run(tmp_path, "reading", "--data", str(texts), "--models", str(models))["figures"]["reading"]
    assert (read["all"]["plates"], read["all"]["exact"]) == (2, 1)


def test_an_unknown_region_is_told_before_anything_is_read(
    data: Path, models: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["reading", "--models", str(models), "--region", "XX"]) == 2
    assert "no region 'XX'" in capsys.readouterr().err


def test_data_that_is_wrong_is_counted_and_the_run_goes_on(
    data: Path, models: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (data / "plates" / "open_lpr" / "b.png").unlink()
    (data / "plates" / "crops" / "1.png").write_bytes(b"broken")
    argv = ("detection", "--sources", "open_lpr", "--model", str(models / "yolov3.onnx"))
    body = run(tmp_path, *argv)
    assert body["figures"]["shipped"]["sets"]["open_lpr"]["pictures"] == 1
    assert body["settings"]["problems"] == {"pictures missing": 1}
    assert run(tmp_path, "reading", "--models", str(models))["figures"]["reading"]["all"]["plates"] == 1
    printed = capsys.readouterr().out
    assert "1 pictures missing" in printed
    assert "1 pictures that cannot be read" in printed


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
