"""What is no checkpoint, or one of another network, is named in one line by every command that reads one."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="the train extra is not installed")

from torch import nn

from tools.training.common.checkpoint import load_checkpoint, take_weights
from tools.training.common.crops import RealCrop
from tools.training.common.run_folder import RunFolder
from tools.training.common.soup import main as soup
from tools.training.craft.model import Craft
from tools.training.craft.train import carry_over
from tools.training.craft.train import load_best as best_craft
from tools.training.crnn.data import Mixture, WordSampler
from tools.training.crnn.export import load_best as best_crnn
from tools.training.crnn.train import Plan, train
from tools.training.yolov3.export import export
from tools.training.yolov3.network import YoloV3
from tools.training.yolov3.transfer import start_from

ANCHORS = torch.ones(12, 2)
WRONG: dict[str, Callable[[Path], object]] = {
    "text": lambda file: file.write_text("no checkpoint"),
    "empty": lambda file: file.write_bytes(b""),
    "cut": lambda file: file.write_bytes(_whole(file)[:200]),
    "list": lambda file: torch.save([1, 2], file),
    "keyless": lambda file: torch.save({"other": 1}, file),
    "another network": lambda file: torch.save(
        {"average": {"x": torch.zeros(1)}, "ema": {"x": torch.zeros(1)}, "anchors": ANCHORS, "step": 1}, file
    ),
}


def _crop() -> RealCrop:
    return RealCrop("x", "B12ABC", "own", np.full((40, 160), 90, np.uint8), 1.0)


def _whole(file: Path) -> bytes:
    torch.save({"average": torch.zeros(500)}, file)
    return file.read_bytes()


@pytest.mark.parametrize("wrong", WRONG)
def test_every_reader_names_a_wrong_checkpoint(wrong: str, tmp_path: Path) -> None:
    file = tmp_path / "best.pt"
    WRONG[wrong](file)
    real = WordSampler(None, [_crop()], {}, Mixture())
    readers: list[Callable[[], object]] = [
        lambda: best_craft(tmp_path),
        lambda: best_crnn(tmp_path),
        lambda: carry_over(Craft(), file),
        lambda: start_from(file, YoloV3(), ANCHORS),
        lambda: export(tmp_path, tmp_path / "models", 1, [], []),
        lambda: train(Plan(steps=1), real, [], tmp_path / "run", file),
    ]
    for read in readers:
        with pytest.raises(ValueError, match=r"best\.pt") as caught:
            read()
        assert "\n" not in str(caught.value) and len(str(caught.value)) < 500


def test_a_run_of_another_network_is_not_gone_on_with(tmp_path: Path) -> None:
    sampler = WordSampler(None, [_crop()], {}, Mixture())
    plan = Plan(steps=1, batch=1, bfloat16=False)
    train(plan, sampler, [], tmp_path)
    last = torch.load(tmp_path / "last.pt", weights_only=True)
    torch.save({**last, "model": Craft().state_dict()}, tmp_path / "last.pt")
    with pytest.raises(ValueError, match=r"last\.pt is of another network"):
        train(plan, sampler, [], tmp_path)


def test_the_commands_end_with_one_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "best.pt").write_text("no checkpoint")
    assert soup([str(tmp_path), str(tmp_path), "--run", str(tmp_path / "mean")]) == 1
    said = capsys.readouterr().err
    assert "best.pt is no checkpoint" in said and said.count("\n") == 1


@pytest.mark.parametrize("module", ["crnn", "craft"])
def test_an_export_of_a_wrong_run_is_one_line_and_a_code(tmp_path: Path, module: str) -> None:
    (tmp_path / "run").mkdir()
    (tmp_path / "run" / "best.pt").write_text("no checkpoint")
    cv2.imwrite(str(tmp_path / "1.png"), np.full((16, 48), 90, np.uint8))
    (tmp_path / "texts.csv").write_text("file_name,text\n1.png,AB1\n")
    command = [sys.executable, "-m", f"tools.training.{module}", "--run", str(tmp_path / "run")]
    command += ["--data", str(tmp_path / "texts.csv"), "--export", str(tmp_path / "models")]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=120)
    assert done.returncode == 1 and "Traceback" not in done.stderr
    assert f"{module}: error: {tmp_path}/run/best.pt is no checkpoint" in done.stderr


def test_a_right_checkpoint_is_read(tmp_path: Path) -> None:
    network = nn.Linear(2, 1)
    RunFolder(tmp_path).save("best.pt", {"average": network.state_dict(), "step": 3})
    state = load_checkpoint(tmp_path / "best.pt", "average", "step")
    take_weights(network, state["average"], tmp_path / "best.pt")
    assert state["step"] == 3
    with pytest.raises(FileNotFoundError):
        load_checkpoint(tmp_path / "none.pt")
