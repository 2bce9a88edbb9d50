"""Runs trials one after the other; what cannot be run, or breaks, is a row that says so."""

from __future__ import annotations

import tempfile
import time
from collections.abc import Iterable, Iterator
from pathlib import Path

from tools.faults.row import Row
from tools.faults.trial import Effort, Trial


def run_trials(
    trials: Iterable[Trial], short: bool, seed: int, parent: Path | None = None, *, part: float = 1.0
) -> Iterator[tuple[str, Row]]:
    """Each trial's name with each of its rows, as they come; every trial has a new folder, below ``parent``."""
    for trial in trials:
        with tempfile.TemporaryDirectory(prefix=f"faults-{trial.name}-", dir=parent) as folder:
            begun_s = time.monotonic()
            try:
                for row in trial.run(Effort(Path(folder), short, seed, part)):
                    yield trial.name, row
            except Exception as error:  # noqa: BLE001 (the others shall run all the same, and the table say so)
                took_s = time.monotonic() - begun_s
                measured = f"broke off after {took_s:.0f} s: {type(error).__name__}: {error}"
                yield trial.name, Row(trial.about, "the trial itself runs", measured, kept=False)
