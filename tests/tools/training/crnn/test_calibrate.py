"""Fitting the calibration: the line is found again, and the command writes it into the manifest."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import numpy as np
import pytest

from cloud_apis.crnn.calibration import Line, log_odds
from cloud_apis.model_files import load_model_file, packaged_models
from tools.evaluation.reading import PlateReading
from tools.training.common.crops import load_crops
from tools.training.crnn import calibrate as tool
from tools.training.crnn.calibrate import Scores, calibrate, fit, held_out, scores, worse


def drawn(line: Line, count: int, seed: int = 1) -> Scores:
    """Scores of reads that are right as often as the line says."""
    rng = np.random.default_rng(seed)
    odds = rng.normal(1, 3, count)
    right = np.array([rng.random() < line.apply(1 / (1 + np.exp(-o))) for o in odds], np.float64)
    return Scores(odds, right, np.ones(count), np.arange(count, dtype=np.intp) // 4, np.ones(count, bool))


@pytest.mark.parametrize("line", [Line(), Line(scale=0.5, offset=-1.0), Line(scale=2.0, offset=1.5)])
def test_the_line_that_made_the_reads_is_found_again(line: Line) -> None:
    found = fit(drawn(line, 6000))
    assert found.scale == pytest.approx(line.scale, rel=0.1)
    assert found.offset == pytest.approx(line.offset, abs=0.15)


def test_plates_apart_are_judged_as_well_as_they_were_made() -> None:
    line = Line(scale=0.6, offset=-0.5)
    found = drawn(line, 4000)
    expected = [line.apply(1 / (1 + np.exp(-o))) for o in found.odds]
    assert np.abs(held_out(found) - expected).max() < 0.08


def test_without_errors_the_line_stays_near_none() -> None:
    found = fit(Scores(np.full(50, 3.0), np.ones(50), np.ones(50), np.arange(50), np.ones(50, bool)))
    assert 0.5 < found.scale < 3
    assert found.apply(0.95) > 0.95


def test_scores_that_say_the_contrary_are_refused() -> None:
    odds = np.linspace(-5, 5, 400)
    with pytest.raises(ValueError, match="nothing to calibrate"):
        fit(Scores(odds, (odds < 0).astype(np.float64), np.ones(400), np.arange(400), np.ones(400, bool)))


def reading(text: str, truth: str, confidence: float, *characters: float) -> PlateReading:
    return PlateReading("x.webp", "drive", truth, text, confidence, characters)


def test_scores_of_plates_and_characters() -> None:
    rounds = [
        [reading("AB", "A8", 0.5, 0.9, 0.5), reading("", "C1", 0.0)],
        [reading("A8", "A8", 0.8, 0.9, 0.8), reading("C1", "C1", 0.9, 0.9, 0.9)],
    ]
    plates = scores(rounds, characters=False)
    assert plates.right.tolist() == [0, 1, 1]  # a plate on which nothing was read has no score
    assert plates.odds == pytest.approx([log_odds(p) for p in (0.5, 0.8, 0.9)])
    assert plates.weights.tolist() == [1, 2, 2]
    assert plates.plates.tolist() == [0, 0, 1]
    assert plates.as_it_is.tolist() == [True, False, False]
    assert scores(rounds, characters=True).right.tolist() == [1, 0, 1, 1, 1, 1]


def test_overconfident_reads_are_brought_down() -> None:
    rng = np.random.default_rng(3)
    readings = []
    for _ in range(400):
        confidence = float(rng.uniform(0.3, 0.999))
        right = rng.random() < confidence**3
        readings.append(reading("AB", "AB" if right else "A8", confidence, 0.99, confidence))
    found = calibrate([readings])
    assert found.plate.apply(0.9) == pytest.approx(0.9**3, abs=0.07)
    assert found.character.apply(0.9) < 0.9


@pytest.mark.parametrize("shape", [(1, 1), (8, 20), (60, 240), (300, 200)])
def test_a_worse_picture_is_a_picture(shape: tuple[int, int]) -> None:
    image = np.random.default_rng(0).integers(0, 255, shape, np.uint8)
    for seed in range(8):
        made = worse(image, np.random.default_rng(seed))
        assert made.dtype == np.uint8
        assert made.ndim == 2
        assert min(made.shape) >= 1
        assert (made == worse(image, np.random.default_rng(seed))).all()


def test_the_command_writes_the_manifest(
    shared_data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    crops = load_crops(shared_data, "dev", full_size=True)[:16]
    monkeypatch.setattr(tool, "load_crops", lambda *_args, **_options: crops)
    for name in ("craft", "crnn"):
        for end in ("json", "onnx"):
            shutil.copy(packaged_models() / f"{name}.{end}", tmp_path)
    before = json.loads((tmp_path / "crnn.json").read_text())
    assert tool.main(["--models", str(tmp_path), "--copies", "1"]) == 0
    after = json.loads((tmp_path / "crnn.json").read_text())
    assert after.pop("calibration")["fitted_on"] == {"part": "dev", "plates": 16, "copies": 1, "seed": 1}
    before.pop("calibration", None)
    assert after == before
    _, manifest = load_model_file(tmp_path, "crnn")
    assert manifest.calibration is not None
    assert manifest.calibration.plate.scale > 0
    assert "plates as they are: 1" in capsys.readouterr().out


def test_a_missing_model_is_one_line(shared_data: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert shared_data
    assert tool.main(["--models", str(tmp_path)]) == 1
    assert capsys.readouterr().err.startswith("calibrate: error: the model")
