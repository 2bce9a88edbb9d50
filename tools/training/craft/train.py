"""The training loop of CRAFT: soft cross-entropy on both maps with hard negatives, averaged weights."""

from __future__ import annotations

import logging
import math
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from tools.training.common.checkpoint import load_checkpoint, take_weights
from tools.training.common.crops import RealCrop
from tools.training.common.device import Compute, choose, device_of
from tools.training.common.ema import Ema
from tools.training.common.loop import Learner, fit, seed_step
from tools.training.common.recover import recover
from tools.training.common.run_folder import RunFolder
from tools.training.craft.data import MapSampler
from tools.training.craft.model import Craft
from tools.training.craft.pseudo import Score, find, labelled, lines_fit
from tools.training.synthetic.scene import Crop

log = logging.getLogger("craft")
POSITIVE = 0.05
NEGATIVES_PER_POSITIVE = 3

Judge = Callable[[Score], dict[str, float]]
"""Figures of a network on the dev crops."""


@dataclass(frozen=True)
class Plan:
    """How long and how fast: ``steps`` in all.

    Without real crops whose characters are known the first ``synthetic_steps`` see synthetic ones alone.
    """

    steps: int
    synthetic_steps: int
    batch: int = 32
    rate: float = 3e-3
    seed: int = 1
    evaluate_every: int = 200
    relabel_every: int = 600
    real_share: float = 0.5
    threads: int = 1
    bfloat16: bool = True
    device: str = "auto"
    precision: str = "auto"
    patience: int = 0

    def compute(self) -> Compute:
        """Where and how precisely to compute."""
        return choose(self.device, self.precision if self.bfloat16 else "float32")


def learning_rate(step: int, plan: Plan) -> float:
    """Linear warm-up, then half a cosine down to a hundredth."""
    warm = min(1.0, (step + 1) / min(100, max(1, plan.steps // 4)))
    return plan.rate * warm * max(0.01, 0.5 * (1 + math.cos(math.pi * min(1.0, step / plan.steps))))


def map_loss(logits: Tensor, target: Tensor) -> Tensor:
    """Cross-entropy towards the Gaussian values: mean over character cells plus mean over the hardest others.

    As in the paper, three background cells are taken per character cell; cross-entropy in place of its squared
    error has the same minimum and starts faster. Both tensors (N, 2, 48, 96).
    """
    each = nn.functional.binary_cross_entropy_with_logits(logits, target, reduction="none")
    floor = nn.functional.binary_cross_entropy(target, target, reduction="none")
    each = each - floor
    positive = target > POSITIVE
    count = int(positive.sum())
    background = each[~positive]
    hardest = background.topk(min(len(background), max(1, NEGATIVES_PER_POSITIVE * count))).values
    loss: Tensor = each[positive].mean() + hardest.mean() if count else hardest.mean()
    return loss


def scorer(model: nn.Module) -> Score:
    """The model as a function of arrays."""

    def score(images: NDArray[np.float32]) -> NDArray[np.float32]:
        with torch.no_grad():
            batch = torch.from_numpy(images).to(device_of(model))
            return np.asarray(model.eval()(batch).float().cpu().numpy(), np.float32)

    return score


def counting_judge(crops: list[RealCrop]) -> Judge:
    """Share of crops with the right number of lines, and of these with the right number of characters.

    Both are NaN without crops.
    """

    def judge(score: Score) -> dict[str, float]:
        if not crops:
            return {"lines": math.nan, "characters": math.nan}
        found = find(score, [crop.image for crop in crops])
        lines = [lines_fit(one, crop) for one, crop in zip(found, crops, strict=True)]
        characters = [labelled(one, crop) is not None for one, crop in zip(found, crops, strict=True)]
        return {"lines": float(np.mean(lines)), "characters": float(np.mean(characters))}

    return judge


def relabel(model: nn.Module, crops: list[RealCrop]) -> list[Crop]:
    """Character boxes for the real crops where the model's centres fit the transcription."""
    found = find(scorer(model), [crop.image for crop in crops])
    pairs = (labelled(one, crop) for one, crop in zip(found, crops, strict=True))
    usable = [crop for crop in pairs if crop is not None]
    log.info("%d of %d real crops have boxes", len(usable), len(crops))
    return usable


def train(
    plan: Plan,
    sampler: MapSampler,
    real: list[RealCrop],
    judge: Judge,
    folder: Path,
    start_from: Path | None = None,
) -> Craft:
    """Train or go on training in ``folder``; returns the averaged model that ``judge``, by its mean figure, liked best.

    ``real`` are crops to find characters in on the way (weak supervision by count), none when the sampler knows
    real characters already. ``start_from`` is another run's checkpoint whose weights are gone on with.
    """
    torch.set_num_threads(plan.threads)
    torch.manual_seed(plan.seed)
    run = RunFolder(folder)
    model = Craft()
    if start_from is not None and start_from.suffix == ".onnx":
        recover(model, start_from)
    elif start_from is not None:
        carry_over(model, start_from)
    compute = plan.compute()
    model = model.to(compute.device, memory_format=torch.channels_last)  # type: ignore[call-overload]  # torch's stub lacks it
    ema = Ema(model, decay=0.998, warmup_steps=200)
    optimiser = torch.optim.AdamW(model.parameters(), lr=plan.rate, weight_decay=0.01)
    learner = Learner(model, ema, optimiser, compute.scaler())

    def take_step(step: int) -> float:
        nonlocal sampler
        if real and step >= plan.synthetic_steps and (step % plan.relabel_every == 0 or not sampler.real):
            sampler = MapSampler(sampler.synthetic, relabel(ema.model, real), plan.real_share)
        seed_step(plan.seed, step)
        images, targets = sampler.batch(plan.batch, np.random.default_rng((plan.seed, step)))
        return learner.descend(_loss(model, images, targets, compute), learning_rate(step, plan))

    fit(
        "craft", run, learner, plan.steps, plan.evaluate_every, take_step,
        lambda _: judge(scorer(ema.model)), lambda figures: float(np.mean(list(figures.values()))), plan.patience,
    )  # fmt: skip
    return load_best(folder)


def carry_over(model: Craft, checkpoint: Path) -> None:
    """Take over the averaged weights of a checkpoint, which may be of an earlier, smaller form of the network.

    Raises OSError when it cannot be read, ValueError when it is of another network.
    """
    state = load_checkpoint(checkpoint, "average")["average"]
    own = model.state_dict()
    lacking = [name for name in own if name not in state and not name.startswith("more_")]
    if lacking or any(name not in own or own[name].shape != value.shape for name, value in state.items()):
        raise ValueError(f"{checkpoint} holds another network")
    model.load_state_dict(state, strict=False)


def load_best(folder: Path) -> Craft:
    """The averaged weights that were best on the dev crops; raises FileNotFoundError without a run."""
    state = RunFolder(folder).load("best.pt", "average")
    if state is None:
        raise FileNotFoundError(f"{folder / 'best.pt'} is missing: train first")
    model = Craft()
    take_weights(model, state["average"], folder / "best.pt")
    return model.eval()


def _loss(model: Craft, images: NDArray[np.float32], targets: NDArray[np.float32], compute: Compute) -> Tensor:
    model.train()
    with compute.autocast():
        logits = model.logits(compute.images(torch.from_numpy(images)))
    return map_loss(logits.float(), torch.from_numpy(targets).to(compute.device))
