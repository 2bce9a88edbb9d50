"""The loop that the reader's trainers share: resume, step, evaluate, keep what was best."""

from __future__ import annotations

import logging
import math
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.optim import Optimizer
from tqdm import tqdm

from tools.training.common.checkpoint import restore
from tools.training.common.ema import Ema
from tools.training.common.run_folder import RunFolder

CLIPPED_NORM = 5.0


@dataclass(frozen=True)
class Learner:
    """What a checkpoint holds: the model, the average of its weights, the optimiser, and the loss's scaler.

    The scaler (`Compute.scaler`) does nothing but in float16.
    """

    model: nn.Module
    ema: Ema
    optimiser: Optimizer
    scaler: torch.amp.GradScaler = field(default_factory=lambda: torch.amp.GradScaler("cpu", enabled=False))

    def state(self) -> dict[str, Any]:
        """All that a resumed run needs of it."""
        return {
            "average": self.ema.model.state_dict(),
            "model": self.model.state_dict(),
            "optimiser": self.optimiser.state_dict(),
            "ema_steps": self.ema.steps,
            "scaler": self.scaler.state_dict(),
        }

    def descend(self, loss: Tensor, rate: float) -> float:
        """One optimiser step at a learning rate, gradients clipped; gives the loss as a number."""
        for group in self.optimiser.param_groups:
            group["lr"] = rate
        self.optimiser.zero_grad(set_to_none=True)
        self.scaler.scale(loss).backward()  # type: ignore[no-untyped-call]
        self.scaler.unscale_(self.optimiser)
        nn.utils.clip_grad_norm_(self.model.parameters(), CLIPPED_NORM)
        self.scaler.step(self.optimiser)
        self.scaler.update()
        return loss.item()

    def restore(self, state: dict[str, Any]) -> None:
        """Go on from a `state`."""
        self.model.load_state_dict(state["model"])
        self.ema.model.load_state_dict(state["average"])
        self.optimiser.load_state_dict(state["optimiser"])
        self.ema.steps = int(state["ema_steps"])
        if state.get("scaler"):  # empty where the run was not in float16
            self.scaler.load_state_dict(state["scaler"])


def seed_step(seed: int, step: int) -> None:
    """Seed torch (dropout and the like) for one step, so that a resumed run does what the uncut one would have."""
    torch.manual_seed(int(np.random.SeedSequence((seed, step)).generate_state(1, np.uint64)[0]))


def log_to(folder: Path) -> None:
    """Log to standard error and to ``train.log`` in the run's folder, which is made if need be."""
    folder.mkdir(parents=True, exist_ok=True)
    logging.basicConfig(
        level=logging.INFO,
        format="%(asctime)s %(message)s",
        handlers=[logging.StreamHandler(sys.stderr), logging.FileHandler(folder / "train.log")],
    )


def fit(
    name: str,
    run: RunFolder,
    learner: Learner,
    steps: int,
    evaluate_every: int,
    take_step: Callable[[int], float],
    evaluate: Callable[[int], dict[str, float]],
    merit: Callable[[dict[str, float]], float],
    patience: int = 0,
) -> None:
    """Train up to ``steps``, from where ``last.pt`` of the run stands.

    ``take_step(step)`` trains on one batch and gives its loss; ``evaluate(step)`` gives the averaged model's
    figures, of which ``merit`` makes the number that chooses ``best.pt``; where it is NaN, because nothing is held
    out, the latest checkpoint is the best. After ``patience`` evaluations in a row
    without a better number it ends early (0: never).
    """
    log = logging.getLogger(name)
    step, best, since_best = 0, -1.0, 0
    state = run.load("last.pt", *learner.state(), "step", "best")
    if state is not None:
        restore(run.folder / "last.pt", lambda: learner.restore(state))
        step, best, since_best = int(state["step"]), float(state["best"]), int(state.get("since_best", 0))
        log.info("going on at step %d, best %.4f", step, best)
    losses: list[float] = []
    began = time.monotonic()
    with tqdm(total=steps, initial=step, desc=name, unit="step", mininterval=5) as bar:
        while step < steps and not (patience and since_best >= patience):
            losses.append(take_step(step))
            learner.ema.update(learner.model)
            step += 1
            bar.update()
            if step % evaluate_every and step != steps:
                continue
            metrics = evaluate(step)
            row = {"step": float(step), "loss": float(np.mean(losses)), **metrics}
            log.info("%s, %.0f s", {k: round(v, 4) for k, v in row.items()}, time.monotonic() - began)
            run.log(row)
            losses.clear()
            saved = {"step": step, **metrics}
            figure = merit(metrics)
            if math.isnan(figure):  # nothing is held out: the latest checkpoint is the best
                figure = 0.0
            since_best = 0 if figure > best else since_best + 1
            if figure >= best:
                best = figure
                run.save("best.pt", {**saved, "average": learner.ema.model.state_dict()})
            run.save("last.pt", {**saved, **learner.state(), "best": best, "since_best": since_best})
            run.plot()
    if step < steps:
        log.info("stopped at step %d of %d: no better for %d evaluations", step, steps, since_best)
