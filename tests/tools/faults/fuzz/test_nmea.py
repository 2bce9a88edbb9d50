from __future__ import annotations

from pathlib import Path

import pytest

from tools.faults.fuzz import nmea
from tools.faults.fuzz.nmea import Figures, built_in, judge, main, measure, with_checksum


def test_the_judge_knows_a_right_checksum() -> None:
    line = b"$GPGLL,5050.4122,N,00420.8266,E,105153.71,A,A*65"
    assert judge(line) == judge(line + b"\r\n") == judge(b"\xff\x00" + line) == "right"
    assert judge(line[:-1] + b"6") == judge(line.replace(b"A", b"V", 1)) == "wrong"
    assert judge(line[:-3]) == judge(line[:-1]) == judge(line + b"0") == judge(b"GPGLL") == "missing"
    assert with_checksum(line[1:-3]) == line


@pytest.mark.parametrize("seed", [2, 3])
def test_of_mutated_sentences_none_is_accepted_that_must_not_be(seed: int) -> None:
    figures = measure(built_in(), 3000, seed)
    assert figures.good, str(figures)
    assert figures.fed == 3000
    assert sum(figures.accepted.values()) + sum(figures.refused.values()) == 3000
    assert min(figures.accepted["right"], figures.refused["missing"], figures.refused["wrong"], figures.fixes) > 0


def test_a_reader_that_looks_at_no_checksum_or_breaks_would_be_found(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(nmea, "parse", lambda text: None)
    assert measure(built_in(), 500, 1).accepted["wrong"] > 0

    def broken(text: str) -> None:
        raise OverflowError(text)

    monkeypatch.setattr(nmea, "parse", broken)
    figures = measure(built_in(), 50, 1)
    assert figures.exceptions["OverflowError"] == 50
    assert not figures.good
    assert Figures().good


def test_the_command_prints_its_figures(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    (tmp_path / "a.log").write_bytes(built_in()[0] + b"\r\nnoise\n")
    assert main(["--count", "200", "--logs", str(tmp_path)]) == 0
    printed = capsys.readouterr().out
    assert "200 mutated sentences" in printed
    assert "0 accepted with a wrong checksum" in printed
