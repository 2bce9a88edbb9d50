"""Average the weights of several runs into one: ``python -m tools.training.common.soup RUN RUN --run FOLDER``.

Runs that began with the same weights lie in one valley, and the mean of their weights is often better than each, at
the cost of one (Wortsman et al., "Model soups", arXiv:2203.05482). The mean is a run like any other, to be judged on
the crops that were held out and exported.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from torch import Tensor

from tools.training.common.run_folder import RunFolder

KEYS = ("average", "ema")
"""Under which the trainers keep the averaged weights."""


def mean_of(states: Sequence[dict[str, Tensor]]) -> dict[str, Tensor]:
    """The mean of each weight; what is no number with a fraction is the first one's.

    Raises ValueError when the weights are not those of one network.
    """
    first = states[0]
    if any({n: v.shape for n, v in state.items()} != {n: v.shape for n, v in first.items()} for state in states):
        raise ValueError("the runs are of different networks")
    return {
        name: sum((state[name] for state in states[1:]), value.clone()) / len(states)
        if value.dtype.is_floating_point
        else value
        for name, value in first.items()
    }


def soup(runs: Sequence[Path], target: Path) -> None:
    """Write ``best.pt`` of the target run: that of the first run with the mean of all runs' weights.

    Raises FileNotFoundError for a run without one, ValueError when they do not fit together.
    """
    checkpoints = [_checkpoint(run) for run in runs]
    key = next((key for key in KEYS if all(key in one for one in checkpoints)), None)
    if key is None:
        raise ValueError(f"the runs' checkpoints have no averaged weights ({' or '.join(KEYS)}) in common")
    mean = mean_of([one[key] for one in checkpoints])
    RunFolder(target).save("best.pt", {**checkpoints[0], key: mean})


def _checkpoint(run: Path) -> dict[str, Any]:
    state = RunFolder(run).load("best.pt") if run.is_dir() else None
    if state is None:
        raise FileNotFoundError(f"no best.pt in {run}: train first")
    return state


def main(argv: Sequence[str] | None = None) -> int:
    """Average and say where the result is."""
    parser = argparse.ArgumentParser(
        prog="python -m tools.training.common.soup",
        description="Average the best weights of several runs that began with the same ones into a new run.",
    )
    parser.add_argument("runs", nargs="+", type=Path, metavar="RUN", help="folders of runs, the first one leads")
    parser.add_argument("--run", type=Path, required=True, help="folder of the new run")
    options = parser.parse_args(argv)
    try:
        soup(options.runs, options.run)
    except (OSError, ValueError) as error:
        print(f"soup: error: {error}", file=sys.stderr)
        return 1
    print(f"mean of {len(options.runs)} runs: {options.run}/best.pt")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
