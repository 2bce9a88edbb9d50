"""The short form of every trial, on this machine."""

from __future__ import annotations

from pathlib import Path

import pytest

from tools.faults.running import run_trials
from tools.faults.trial import Trial
from tools.faults.trials import TRIALS

SHORT = tuple(trial for trial in TRIALS if trial.in_short)
TIMED = frozenset({"bombs", "overload"})
"""Trials whose promises are times: another process's work may break those, so here only that they run is looked at."""


@pytest.mark.parametrize("trial", SHORT, ids=lambda trial: trial.name)
def test_what_is_promised_is_kept(trial: Trial, tmp_path: Path) -> None:
    rows = [row for _, row in run_trials([trial], short=True, seed=1, parent=tmp_path)]
    assert rows
    broken = [row for row in rows if row.kept is False]
    if trial.name in TIMED:
        broken = [row for row in broken if row.promised == "the trial itself runs"]
    assert not broken
