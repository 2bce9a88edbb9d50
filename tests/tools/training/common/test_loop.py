from __future__ import annotations

from pathlib import Path

import pytest

torch = pytest.importorskip("torch", reason="the train extra is not installed")

from torch import nn

from tools.training.common.ema import Ema
from tools.training.common.loop import Learner, fit
from tools.training.common.run_folder import RunFolder


def learner() -> Learner:
    torch.manual_seed(0)
    model = nn.Linear(2, 1)
    return Learner(model, Ema(model), torch.optim.SGD(model.parameters(), lr=0.1))


def run(folder: Path, figures: list[float], patience: int, steps: int = 10) -> int:
    """How many steps are taken when the evaluations give these figures."""
    it = learner()
    taken = []

    def take_step(step: int) -> float:
        taken.append(step)
        return it.descend(it.model(torch.ones(4, 2)).square().mean(), 0.1)

    def evaluate(step: int) -> dict[str, float]:
        return {"exact": figures[step - 1]}

    fit("test", RunFolder(folder), it, steps, 1, take_step, evaluate, lambda found: found["exact"], patience)
    return len(taken)


@pytest.mark.parametrize(("patience", "steps"), [(0, 10), (2, 5), (3, 10)])
def test_a_run_ends_when_it_gets_no_better(tmp_path: Path, patience: int, steps: int) -> None:
    figures = [0.1, 0.2, 0.3, 0.3, 0.2, 0.4, 0.4, 0.4, 0.5, 0.5]
    assert run(tmp_path, figures, patience) == steps
    # The same command again: what was stopped stays stopped.
    assert run(tmp_path, figures, patience) == 0


def test_a_cut_run_remembers_how_long_it_was_no_better(tmp_path: Path) -> None:
    figures = [0.5, 0.4, 0.4, 0.4, 0.4]
    assert run(tmp_path, figures, patience=3, steps=3) == 3
    assert run(tmp_path, figures, patience=3, steps=5) == 1
