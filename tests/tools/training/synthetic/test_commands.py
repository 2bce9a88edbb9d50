"""The commands around training: help that teaches, errors of one line that say what to do."""

from __future__ import annotations

from importlib import import_module
from pathlib import Path

import pytest

from tools.training.synthetic import fonts, generate

MISSING = "the data folder is missing"


def test_fonts_are_listed_with_their_licences(capsys: pytest.CaptureFixture[str]) -> None:
    assert fonts.main(["--list"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) == len(fonts.FONT_PACKAGES) >= 20
    assert all(line.split("\t")[1] in (fonts.OPEN_FONT_LICENCE, fonts.APACHE) for line in lines)


def test_fetching_without_npm_says_what_is_missing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    assert fonts.main(["--to", str(tmp_path / "fonts")]) == 1
    assert "install Node.js" in capsys.readouterr().err


def test_rendering_without_fonts_says_how_to_fetch_them(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert generate.main(["--fonts", str(tmp_path), "--out", str(tmp_path / "x.npz")]) == 1
    assert "python -m tools.training.synthetic.fonts" in capsys.readouterr().err
    assert not (tmp_path / "x.npz").exists()


@pytest.mark.parametrize("name", ["craft", "crnn"])
def test_training_needs_data_and_its_help_shows_the_steps(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    pytest.importorskip("torch", reason="torch (extra `train`) is not installed")
    pytest.importorskip("onnxruntime", reason="onnxruntime (extra `cloud`) is not installed")
    pytest.importorskip("onnx", reason="onnx (extra `train`) is not installed")
    cli = import_module(f"tools.training.{name}.cli")
    with pytest.raises(SystemExit) as ended:
        cli.main(["--help"])
    assert ended.value.code == 0
    shown = capsys.readouterr().out
    assert "python -m tools.training.synthetic.fonts" in shown
    assert "--export" in shown
    monkeypatch.setenv("PLATE_DATA", str(tmp_path / "nowhere"))
    assert cli.main(["--run", str(tmp_path / "run")]) == 1
    assert MISSING in capsys.readouterr().err
