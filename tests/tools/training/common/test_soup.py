from __future__ import annotations

from pathlib import Path

import pytest

torch = pytest.importorskip("torch", reason="the train extra is not installed")

from tools.training.common.run_folder import RunFolder
from tools.training.common.soup import main


def test_weights_are_averaged_and_the_rest_is_the_first_run_s(tmp_path: Path) -> None:
    for name, value, count in (("a", 1.0, 5), ("b", 4.0, 9)):
        state = {"weight": torch.full((2,), value), "seen": torch.tensor(count)}
        RunFolder(tmp_path / name).save("best.pt", {"average": state, "step": count})
    assert main([str(tmp_path / "a"), str(tmp_path / "b"), "--run", str(tmp_path / "mean")]) == 0
    mean = RunFolder(tmp_path / "mean").load("best.pt")
    assert mean is not None and mean["step"] == 5
    assert mean["average"]["weight"].tolist() == [2.5, 2.5]
    assert int(mean["average"]["seen"]) == 5
    first = RunFolder(tmp_path / "a").load("best.pt")
    assert first is not None and first["average"]["weight"].tolist() == [1.0, 1.0]


def test_runs_that_do_not_fit_are_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    RunFolder(tmp_path / "a").save("best.pt", {"average": {"weight": torch.zeros(2)}})
    RunFolder(tmp_path / "b").save("best.pt", {"average": {"weight": torch.zeros(3)}})
    RunFolder(tmp_path / "c").save("best.pt", {"ema": {"weight": torch.zeros(2)}})
    for other, words in (("b", "different networks"), ("c", "in common"), ("none", "no best.pt")):
        assert main([str(tmp_path / "a"), str(tmp_path / other), "--run", str(tmp_path / "mean")]) == 1
        assert words in capsys.readouterr().err
    assert not (tmp_path / "mean").exists()
