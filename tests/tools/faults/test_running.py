"""Trials one after the other, and their table."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from tools.faults import cli
from tools.faults.row import Row
from tools.faults.running import run_trials
from tools.faults.trial import Effort, Trial


def _kept(effort: Effort) -> Iterator[Row]:
    (effort.folder / "left").write_text("over", encoding="utf-8")
    yield Row("rain", "dry inside", f"{effort.count(1000, 10)} drops, seed {effort.seed}", kept=True)


def _breaks(effort: Effort) -> Iterator[Row]:
    yield from _kept(effort)
    raise OSError("no rain here")


KEPT, BREAKS = Trial("rain", "water", _kept), Trial("sun", "light", _breaks, in_short=False)


def test_a_trial_that_breaks_off_fails_and_the_next_one_runs(tmp_path: Path) -> None:
    rows = list(run_trials([BREAKS, KEPT], short=True, seed=7, parent=tmp_path))
    assert [(name, row.fault, row.kept) for name, row in rows] == [
        ("sun", "rain", True),
        ("sun", "light", False),
        ("rain", "rain", True),
    ]
    assert "OSError: no rain here" in rows[1][1].measured
    assert rows[2][1].measured == "10 drops, seed 7"
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(("options", "code", "found"), [(["--short"], 0, 1), ([], 1, 3), (["sun", "--short"], 1, 2)])
def test_the_command_runs_what_is_asked_for_and_says_whether_all_was_kept(
    options: list[str],
    code: int,
    found: int,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setattr(cli, "TRIALS", (KEPT, BREAKS))
    assert cli.main(["run", *options, "--json", str(tmp_path / "rows.json")]) == code
    rows = json.loads((tmp_path / "rows.json").read_text(encoding="utf-8"))
    assert len(rows) == found
    assert all(row["kept"] for row in rows) == (code == 0)
    assert ("FAIL" in capsys.readouterr().out) == (code == 1)


def test_an_unknown_trial_is_wrong_usage(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        cli.main(["run", "meteor"])
    assert ended.value.code == 2
    assert "there is no meteor; there are " in capsys.readouterr().err


def _halved(effort: Effort) -> Iterator[Row]:
    yield Row("rain", "dry", f"{effort.count(1000, 10)} drops in {effort.seconds(60, 1):g} s", kept=True)
    yield Row("snow", "warm", "it is too warm here", kept=None)


@pytest.mark.parametrize(
    ("options", "told"), [(["--part", "0.5"], "500 drops in 30 s"), (["--short"], "10 drops in 1 s")]
)
def test_a_part_of_the_whole_and_what_cannot_be_tried(
    options: list[str], told: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(cli, "TRIALS", (Trial("rain", "water", _halved),))
    assert cli.main(["run", *options, "--json", str(tmp_path / "rows.json")]) == 0
    rows = json.loads((tmp_path / "rows.json").read_text(encoding="utf-8"))
    assert (rows[0]["measured"], rows[1]["kept"]) == (told, None)
    assert "skip" in capsys.readouterr().out
    with pytest.raises(SystemExit):
        cli.main(["run", "--part", "2"])
