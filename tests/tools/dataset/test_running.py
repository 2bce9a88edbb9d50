"""Work in processes: a picture that ends its process costs itself alone; a killed run goes on."""

from __future__ import annotations

import os
import signal
from dataclasses import dataclass
from pathlib import Path

from tools.dataset.manifest import File
from tools.dataset.outcomes import Outcome, Worker
from tools.dataset.proving import prove_it
from tools.dataset.running import CHUNK, LocalRunner


@dataclass(frozen=True)
class Deadly:
    """Ends its process at one file."""

    number: int

    def worker(self) -> Worker:
        return self

    def __call__(self, number: int, path: bytes) -> Outcome:
        if number == self.number:
            os.kill(os.getpid(), signal.SIGKILL)
        return Outcome("kept")


def test_a_deadly_picture_costs_itself_alone() -> None:
    files = [File(i, b"") for i in range(3 * CHUNK)]
    found = dict(o for group in LocalRunner(2).run(Deadly(70), [files]) for o in group)
    assert set(found) == set(range(3 * CHUNK))
    assert {number for number, outcome in found.items() if outcome.action == "out"} == {70}
    assert found[70].reason == "broken"


def test_outcomes_travel_as_text() -> None:
    outcome = Outcome("out", "broken", "Größe", {"sha256": "ab", "phash": -3}, b"\xff/x")
    assert Outcome.from_text(outcome.to_text()) == outcome


def test_a_killed_run_goes_on_and_all_planted_faults_are_found(tmp_path: Path) -> None:
    assert prove_it(700, tmp_path / "proof", 3, 1, None, True) == 0
