from __future__ import annotations

import json
from pathlib import Path

import cv2
import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="the train extra is not installed")
pytest.importorskip("onnxruntime", reason="onnxruntime is not installed")

from cloud_apis.names import PLATE_APIS
from cloud_apis.settings import load_settings
from cloud_apis.web.app import create_app
from tools.training.common.export import export_onnx, write_manifest
from tools.training.craft.model import Craft
from tools.training.crnn.model import Crnn
from tools.training.datasets.load import load_material
from tools.training.finetune.cli import main
from tools.training.finetune.fingerprint import begin
from tools.training.finetune.parts import hold_out, mixed, own_crops
from tools.training.yolov3.export import export_detector
from tools.training.yolov3.network import STRIDES, YoloV3

CALIBRATION = {"plate": {"scale": 0.8, "offset": -0.5}, "character": {"scale": 0.9, "offset": 0.1}}
ANCHORS = [3, 2, 5, 3, 7, 4, 9, 5, 14, 6, 20, 8, 30, 12, 44, 16, 60, 24, 90, 40, 150, 60, 300, 120]


@pytest.fixture(scope="module")
def shipped(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder like the shipped models', of networks that know nothing yet."""
    torch.manual_seed(0)
    folder = tmp_path_factory.mktemp("shipped")
    alphabet = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ"
    export_detector(YoloV3(), folder / "yolov3.float32.onnx", STRIDES)
    export_onnx(
        Craft(), torch.zeros(1, 1, 96, 192), folder / "craft.float32.onnx", "image", ["score"], {"image": {0: "n"}}
    )
    export_onnx(
        Crnn(), torch.zeros(1, 1, 32, 160), folder / "crnn.float32.onnx", "image", ["logits"], {"image": {0: "n"}}
    )
    fields: dict[str, dict[str, object]] = {
        "yolov3": {"labels": ["license-plate"], "anchors": ANCHORS, "strides": list(STRIDES)},
        "craft": {},
        "crnn": {"alphabet": alphabet, "calibration": CALIBRATION},
    }
    for name, more in fields.items():
        served = folder / f"{name}.onnx"
        served.write_bytes((folder / f"{name}.float32.onnx").read_bytes())
        write_manifest(name, served, {"version": "1.0.0", "precision": "float32", **more})
    return folder


@pytest.fixture(scope="module")
def own(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A dozen pictures with boxes (COCO), and a dozen crops with texts (CSV)."""
    folder = tmp_path_factory.mktemp("own")
    rng = np.random.default_rng(0)
    images, annotations, rows = [], [], ["file_name,text"]
    for i in range(12):
        picture = rng.integers(0, 90, (96, 128), dtype=np.uint8)
        picture[40:52, 50:90] = 230
        cv2.putText(picture, f"{i}A", (60, 50), 0, 0.4, 0, 1)
        cv2.imwrite(str(folder / f"{i}.png"), picture)
        cv2.imwrite(str(folder / f"crop{i}.png"), picture[38:54, 48:92])
        images.append({"id": i, "file_name": f"{i}.png", "width": 128, "height": 96})
        annotations.append({"image_id": i, "bbox": [50, 40, 40, 12], "category_id": 1})
        rows.append(f"crop{i}.png,AB{i}")
    coco = {"images": images, "annotations": annotations, "categories": [{"id": 1, "name": "plate"}]}
    (folder / "my.json").write_text(json.dumps(coco))
    (folder / "my.csv").write_text("\n".join(rows))
    return folder


def test_one_command_makes_models_that_are_served(
    shipped: Path, own: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("tools.training.yolov3.train.SHAPES", (((64, 96), 1.0),))
    run = tmp_path / "mine"
    data = ["--data", str(own / "my.json"), "--texts", str(own / "my.csv")]
    command = [*data, "--run", str(run), "--models", str(shipped), "--own-data-only", "--licence", "CC0-1.0"]
    command += ["--fonts", str(tmp_path / "none")]
    few = ["--detector-steps", "2", "--reader-steps", "2", "--batch", "2", "--synthetic-count", "4", "--threads", "1"]
    assert main([*command, *few]) == 0
    made = {path.name for path in (run / "models").iterdir()}
    assert {f"{n}{e}" for n in ("yolov3", "crnn") for e in (".onnx", ".float32.onnx", ".json", ".md")} <= made
    assert {"craft.onnx", "craft.json"} <= made
    manifest = json.loads((run / "models" / "yolov3.json").read_text())
    assert manifest["anchors"] == ANCHORS and manifest["strides"] == [4, 8, 16, 32]
    assert set(manifest["dev_ap50"]) == {"float32", "int8"}
    assert json.loads((run / "models" / "crnn.json").read_text())["calibration"] == CALIBRATION
    for name in ("yolov3", "crnn"):
        card = (run / "models" / f"{name}.md").read_text()
        assert "CC0-1.0" in card and "seed 1" in card and "--detector-steps 2" in card and "held out" in card
        assert (run / name / "metrics.png").is_file()
    # A run that had ended, with more steps planned: the card tells those that were taken.
    assert main([*command, *few, "--only", "yolov3", "--detector-steps", "9", "--patience", "1"]) == 0
    steps = torch.load(run / "yolov3" / "best.pt", weights_only=True)["step"]
    assert steps < 9 and f"trained on for {steps} steps" in (run / "models" / "yolov3.md").read_text()
    # Other data does not go into the same run.
    made_at = (run / "models" / "yolov3.onnx").stat().st_mtime_ns
    changed = tmp_path / "other.csv"
    changed.write_text("\n".join(f"{own / 'crop1.png'},CD{i}" for i in range(3)).join(["file_name,text\n", ""]))
    assert main([*command, *few, "--texts", str(changed)]) == 1
    assert "was begun with other data: name another folder" in capsys.readouterr().err
    assert (run / "models" / "yolov3.onnx").stat().st_mtime_ns == made_at
    settings = load_settings(run / "apis.yaml")
    app = create_app(settings, apis=PLATE_APIS)
    assert app.title


def test_without_shipped_float32_or_data_it_says_what_is_missing(
    own: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    command = ["--run", str(tmp_path / "run"), "--models", str(tmp_path), "--own-data-only"]
    assert main(["--data", str(own / "my.json"), *command]) == 1
    assert "yolov3.float32.onnx is missing" in capsys.readouterr().err
    (tmp_path / "empty").mkdir()
    assert main(["--data", str(tmp_path / "empty"), *command]) == 1
    assert "looked for a COCO JSON" in capsys.readouterr().err
    with pytest.raises(SystemExit):
        main(command)


def test_a_part_is_held_out_by_hash() -> None:
    names = [f"AB{i}" for i in range(400)]
    kept, dev = hold_out(names, str)
    assert sorted(kept + dev) == sorted(names) and 30 < len(dev) < 90
    assert hold_out(names[::-1], str)[1] == dev[::-1]
    assert hold_out(["a"], str) == (["a"], []) and hold_out([], str) == ([], [])
    kept, dev = hold_out(["a", "b", "a"], str)
    assert len(set(kept)) == len(set(dev)) == 1


def test_own_data_is_half_of_what_is_drawn() -> None:
    assert mixed(["own"] * 10, ["ours"] * 100).count("own") == 100
    assert mixed(["own"] * 10, []) == ["own"] * 10
    assert mixed([], ["ours"]) == ["ours"]


def test_own_crops_are_not_mixed_up_with_others_of_the_same_name(tmp_path: Path) -> None:
    for name, text in (("a", "AB1"), ("b", "CD2")):
        (tmp_path / name).mkdir()
        cv2.imwrite(str(tmp_path / name / "1.png"), np.full((16, 48), 90, np.uint8))
        (tmp_path / name / "texts.csv").write_text(f"file_name,text\n1.png,{text}\n")
    crops = own_crops(load_material([tmp_path / "a", tmp_path / "b"]))
    assert [crop.text for crop in crops] == ["AB1", "CD2"]
    assert len({crop.file_name for crop in crops}) == 2
    assert all(crop.file_name.startswith("own/") for crop in crops)


def test_a_run_goes_on_with_what_it_was_begun_with_alone(tmp_path: Path) -> None:
    begin(tmp_path, {"data": "a", "seed": 1})
    begin(tmp_path, {"data": "a", "seed": 1})
    begin(tmp_path, {"data": "a", "weights of crnn": "b"})
    with pytest.raises(ValueError, match=r"other seed, weights of crnn: name another folder"):
        begin(tmp_path, {"data": "a", "seed": 2, "weights of crnn": "c"})
    older = tmp_path / "older"
    (older / "crnn").mkdir(parents=True)
    (older / "crnn" / "last.pt").write_bytes(b"")
    with pytest.raises(ValueError, match="is not known"):
        begin(older, {"data": "a"})
