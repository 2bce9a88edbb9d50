"""The detector's commands from other people's data to the served files, with both networks."""

from __future__ import annotations

import json
from pathlib import Path

import cv2
import numpy as np
import onnx
import pytest

torch = pytest.importorskip("torch", reason="the train extra is not installed")

from tools.training.yolov3.__main__ import main as train_main
from tools.training.yolov3.choice import NETWORKS, build
from tools.training.yolov3.export import main as export_main


@pytest.fixture(autouse=True)
def small(monkeypatch: pytest.MonkeyPatch) -> None:
    """Small pictures, and a Darknet-53 of few channels and as many layers."""
    monkeypatch.setattr("tools.training.yolov3.train.SHAPES", (((64, 96), 1.0),))
    monkeypatch.setattr("tools.training.yolov3.train.RANGE_PICTURES", 2)
    monkeypatch.setattr("tools.training.darknet.darknet53.STAGES", ((4, 1), (8, 1), (8, 1), (8, 1), (8, 1)))
    monkeypatch.setattr("tools.training.darknet.darknet53.STAGE_ENDS", {16: 16, 8: 12})


def own_pictures(folder: Path) -> Path:
    """A YOLO data set of forty pictures, some of which are held out by their names."""
    folder = folder / "own"
    folder.mkdir()
    for i in range(40):
        picture = np.random.default_rng(i).integers(0, 90, (48, 64), dtype=np.uint8)
        picture[16:26, 20:44] = 230
        cv2.imwrite(str(folder / f"{i}.png"), picture)
        (folder / f"{i}.txt").write_text("0 0.5 0.4375 0.375 0.20833\n")
    return folder


@pytest.mark.parametrize("network", NETWORKS)
def test_a_network_learns_from_own_pictures_and_is_exported(network: str, tmp_path: Path) -> None:
    data = ["--data", str(own_pictures(tmp_path))]
    run, target = tmp_path / "run", tmp_path / "models"
    steps = ["--steps", "2", "--batch", "2", "--evaluate-every", "1", "--threads", "1", "--device", "cpu"]
    assert train_main([*data, "--run", str(run), "--network", network, *steps]) == 0
    assert len((run / "metrics.csv").read_text().splitlines()) == 3
    assert export_main([*data, "--run", str(run), "--target", str(target)]) == 0
    manifest = json.loads((target / "yolov3.json").read_text())
    strides = [4, 8, 16, 32] if network == "slim" else [8, 16, 32]
    assert manifest["strides"] == strides and len(manifest["anchors"]) == 6 * len(strides)
    assert all(0 <= manifest["dev_ap50"][precision] <= 1 for precision in ("float32", "int8"))
    assert (target / "yolov3.float32.onnx").is_file()


def test_a_last_stage_learns_with_the_rounding_that_is_exported(tmp_path: Path) -> None:
    data = ["--data", str(own_pictures(tmp_path))]
    run, target = tmp_path / "run", tmp_path / "models"
    stage = ["--run", str(run), "--int8", "--batch", "2", "--threads", "1", "--evaluate-every", "1", "--device", "cpu"]
    assert train_main([*data, *stage, "--steps", "1"]) == 0
    ranges = torch.load(run / "last.pt", weights_only=True)["ranges"]
    assert train_main([*data, *stage, "--steps", "2"]) == 0
    state = torch.load(run / "best.pt", weights_only=True)
    assert state["ranges"] == ranges
    assert export_main([*data, "--run", str(run), "--target", str(target)]) == 0
    graph = onnx.load(str(target / "yolov3.onnx")).graph
    stored = {tensor.name: onnx.numpy_helper.to_array(tensor) for tensor in graph.initializer}
    step = next(stored[n.input[1]] for n in graph.node if n.op_type == "QuantizeLinear" and "/stem/" in n.input[0])
    assert float(step) * 255 == pytest.approx(ranges["Relu stem.2"], rel=1e-4)
    wrong = [*data, *stage, "--run", str(tmp_path / "else"), "--network", "darknet53", "--steps", "1"]
    assert train_main(wrong) == 1


def test_no_better_ends_the_run(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    command = ["--data", str(own_pictures(tmp_path)), "--run", str(tmp_path / "run"), "--batch", "2", "--threads", "1"]
    # After so few steps nothing is found on the held-out pictures: every evaluation is as bad as the first.
    assert train_main([*command, "--steps", "9", "--evaluate-every", "1", "--patience", "2"]) == 0
    assert len((tmp_path / "run" / "metrics.csv").read_text().splitlines()) < 10


def test_wrong_data_and_networks_are_named(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert train_main(["--data", str(tmp_path), "--run", str(tmp_path / "run")]) == 1
    assert "looked for a COCO JSON" in capsys.readouterr().err
    assert export_main(["--run", str(tmp_path / "none"), "--data", str(own_pictures(tmp_path))]) == 1
    assert "train first" in capsys.readouterr().err
    with pytest.raises(ValueError, match="there are slim, darknet53"):
        build("resnet")
