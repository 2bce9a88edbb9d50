"""Scoring reads against the truth."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.console import Console

from tools.demo.cli import main
from tools.demo.score import distance, is_readable, load_reads, score
from tools.demo.table import print_score
from tools.demo.truth import Box, DriveTruth, PlateTruth, load_truth, write_truth


def _plate(text: str, width: float = 80, frames: int = 20) -> PlateTruth:
    boxes: dict[int, Box] = dict.fromkeys(range(frames), (10.0, 10.0, 10.0 + width, 30.0))
    return PlateTruth(text, "RO", boxes)


def _truth(*plates: PlateTruth) -> DriveTruth:
    return DriveTruth(100, 30.0, 1280, 720, 7, plates)


TRUTH = _truth(
    _plate("B12ABC"), _plate("CJ07XYZ"), _plate("TM99QQQ"), _plate("SMALL1", width=30), _plate("SHORT1", frames=3)
)


def test_exact_reads_of_readable_plates_are_counted() -> None:
    result = score(TRUTH, ["B12ABC", "CJ07XYY", "SMALL1", "FOREIGN", "B12ABG"])
    assert result.readable == 3
    assert result.correct == 1
    by_text = {p.plate.text: p for p in result.plates}
    assert by_text["CJ07XYZ"].read == "CJ07XYY"
    assert by_text["CJ07XYZ"].errors == 1
    assert by_text["TM99QQQ"].read is None
    assert by_text["SMALL1"].correct
    assert result.foreign == ("FOREIGN",)


def test_a_plate_is_readable_when_wide_enough_for_long_enough() -> None:
    assert is_readable(_plate("A", 60, 8))
    assert not is_readable(_plate("A", 59, 8))
    assert not is_readable(_plate("A", 60, 7))
    assert is_readable(_plate("A", 30, 8), frame_width_px=640)


@given(st.text("AB12", max_size=8), st.text("AB12", max_size=8))
def test_the_distance_is_one(first: str, second: str) -> None:
    d = distance(first, second)
    assert d == distance(second, first)
    assert (d == 0) == (first == second)
    assert abs(len(first) - len(second)) <= d <= max(len(first), len(second))


def test_truth_survives_its_file(tmp_path: Path) -> None:
    write_truth(TRUTH, tmp_path)
    assert load_truth(tmp_path / "truth.json") == TRUTH
    lines = (tmp_path / "truth.csv").read_text(encoding="utf-8").splitlines()
    assert lines[1] == "B12ABC,RO,0,19,20,80.0"
    assert len(lines) == 6


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"plates": 3}', '{"plates": [{"text": 1}]}', "\x00"])
def test_a_file_that_is_no_truth_is_refused(tmp_path: Path, text: str) -> None:
    path = tmp_path / "truth.json"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(ValueError, match="not the truth"):
        load_truth(path)


def test_the_table_names_what_was_read() -> None:
    console = Console(record=True, width=100, quiet=False, force_terminal=False)
    print_score(score(TRUTH, ["B12ABC", "CJ07XYY", "SMALL1"]), console)
    text = console.export_text()
    assert "plates read exactly: 1 of 3 that came near enough, and 1 smaller ones" in text
    assert "CJ07XYY (1 wrong)" in text
    assert "SHORT1" not in text


def test_the_command_scores_an_export(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    write_truth(TRUTH, tmp_path)
    reads = tmp_path / "reads.json"
    reads.write_text(json.dumps([{"text": "B12ABC", "confidence": 0.9}]), encoding="utf-8")
    assert main(["score", "--truth", str(tmp_path / "truth.json"), "--reads", str(reads)]) == 0
    assert "1 of 3" in capsys.readouterr().out
    reads.write_text("[]", encoding="utf-8")
    assert main(["score", "--truth", str(tmp_path / "truth.json"), "--reads", str(reads)]) == 1
    assert "not one plate was read" in capsys.readouterr().err


def test_the_command_tells_a_missing_or_wrong_file_in_one_line(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["score", "--truth", str(tmp_path / "no.json"), "--reads", str(tmp_path / "no.json")]) == 1
    assert capsys.readouterr().err.count("\n") == 1
    wrong = tmp_path / "reads.json"
    wrong.write_text('{"a": 1}', encoding="utf-8")
    with pytest.raises(ValueError, match="not an export"):
        load_reads(wrong)
