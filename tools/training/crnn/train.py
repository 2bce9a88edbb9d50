"""The training loop of the CRNN: CTC loss, AdamW, one cosine cycle, averaged weights, dev set for the choice."""

from __future__ import annotations

import logging
import math
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from cloud_apis.crnn.postprocess import decode
from cloud_apis.crnn.preprocess import warp_word
from tools.evaluation.reading import edit_distance
from tools.training.common.checkpoint import load_checkpoint, take_weights
from tools.training.common.crops import RealCrop
from tools.training.common.device import Compute, choose, device_of
from tools.training.common.ema import Ema
from tools.training.common.loop import Learner, fit, seed_step
from tools.training.common.recover import recover
from tools.training.common.run_folder import RunFolder
from tools.training.crnn.data import Words, WordSampler
from tools.training.crnn.model import Crnn, parameters

log = logging.getLogger("crnn")
WARMUP_STEPS = 200


@dataclass(frozen=True)
class Plan:
    """How long and how fast: ``steps`` in all, ``batch`` patches each, ``rate`` the highest learning rate."""

    steps: int
    batch: int = 64
    rate: float = 2.5e-3
    seed: int = 1
    evaluate_every: int = 250
    threads: int = 1
    bfloat16: bool = True
    smoothing: float = 0.02
    device: str = "auto"
    precision: str = "auto"
    patience: int = 0

    def compute(self) -> Compute:
        """Where and how precisely to compute."""
        return choose(self.device, self.precision if self.bfloat16 else "float32")


def learning_rate(step: int, plan: Plan) -> float:
    """Linear warm-up, then half a cosine down to a hundredth."""
    warm = min(1.0, (step + 1) / min(WARMUP_STEPS, max(1, plan.steps // 4)))
    fall = 0.5 * (1 + math.cos(math.pi * min(1.0, step / plan.steps)))
    return plan.rate * warm * max(0.01, fall)


def ctc_loss(logits: Tensor, targets: list[tuple[int, ...]], smoothing: float = 0.0) -> Tensor:
    """Mean CTC loss per character of a batch; logits (N, T, 37).

    ``smoothing`` mixes in the mean surprise of a uniform guess per step, as label smoothing does, against
    overconfidence.
    """
    probabilities = logits.float().log_softmax(2).transpose(0, 1)
    lengths = torch.tensor([len(target) for target in targets])
    flat = torch.tensor([label for target in targets for label in target], device=logits.device)
    steps = torch.full((len(targets),), logits.shape[1])
    loss: Tensor = nn.functional.ctc_loss(probabilities, flat, steps, lengths, zero_infinity=True)
    return (1 - smoothing) * loss - smoothing * probabilities.mean() if smoothing else loss


def dev_patches(crops: list[RealCrop], words: Words) -> tuple[list[NDArray[np.float32]], list[int]]:
    """Patches of whole plates as at inference, and for each patch the number of its crop."""
    patches, owners = [], []
    for number, crop in enumerate(crops):
        height, width = crop.image.shape
        whole = np.array([[0, 0], [width, 0], [width, height], [0, height]], np.float32)
        quads = words.get(crop.file_name)
        for quad in quads if quads else [whole]:
            margins = (0.0, 0.0) if not quads else ()
            patches.append(warp_word(crop.image, quad * np.float32(crop.scale if quads else 1.0), *margins))
            owners.append(number)
    return patches, owners


@torch.no_grad()
def evaluate(model: nn.Module, crops: list[RealCrop], words: Words) -> dict[str, float]:
    """Share of crops whose lines, joined, equal the transcription exactly; character errors per character."""
    patches, owners = dev_patches(crops, words)
    read = [""] * len(crops)
    for start in range(0, len(patches), 64):
        batch = torch.from_numpy(np.stack(patches[start : start + 64])).to(device_of(model))
        logits = model(batch).float().cpu().numpy()
        for offset, row in enumerate(logits):
            read[owners[start + offset]] += decode(row)[0]
    wanted = [crop.text.replace("/", "") for crop in crops]
    errors = sum(edit_distance(text, truth) for text, truth in zip(read, wanted, strict=True))
    right = [text == truth for text, truth in zip(read, wanted, strict=True)]
    one_line = [hit for hit, crop in zip(right, crops, strict=True) if len(crop.lines) == 1]
    return {
        "exact": float(np.mean(right)),
        "exact_one_line": float(np.mean(one_line)),
        "character_errors": errors / max(1, sum(map(len, wanted))),
    }


def merit(figures: dict[str, float]) -> float:
    """What chooses the checkpoint: plates read exactly, and character errors, which are less coarse."""
    return figures["exact"] + 1.0 - min(1.0, figures["character_errors"])


def train(plan: Plan, sampler: WordSampler, dev: list[RealCrop], folder: Path, start_from: Path | None = None) -> Crnn:
    """Train or go on training in ``folder``; returns the averaged model that was best on the dev crops.

    The state after each evaluation is kept in ``last.pt``: the same command goes on from there. ``start_from``
    gives the weights to begin with: another run's checkpoint, or a float32 ONNX file. Raises ValueError for one of
    another network.
    """
    torch.set_num_threads(plan.threads)
    torch.manual_seed(plan.seed)
    run = RunFolder(folder)
    model = Crnn().to(memory_format=torch.channels_last)  # type: ignore[call-overload]  # torch's stub lacks it
    if start_from is not None and start_from.suffix == ".onnx":
        recover(model, start_from)
    elif start_from is not None:
        take_weights(model, load_checkpoint(start_from, "average")["average"], start_from)
    if sampler.mixture.spliced_share:
        log.info("%d real lines can be spliced", sampler.find_gaps(_placing_model(run, model)))
    compute = plan.compute()
    model.to(compute.device)
    ema = Ema(model, decay=0.998, warmup_steps=300)
    optimiser = torch.optim.AdamW(model.parameters(), lr=plan.rate, weight_decay=0.01)
    learner = Learner(model, ema, optimiser, compute.scaler())
    log.info("%d weights, plan %s, on %s", parameters(model), plan, compute)

    def take_step(step: int) -> float:
        # Generators per step: a resumed run draws what the uncut run would have drawn.
        seed_step(plan.seed, step)
        images, targets = sampler.batch(plan.batch, np.random.default_rng((plan.seed, step)))
        return learner.descend(_loss(model, images, targets, plan, compute), learning_rate(step, plan))

    def figures(step: int) -> dict[str, float]:
        if not dev:
            return {"exact": float(step), "character_errors": 0.0}
        return evaluate(ema.model.eval(), dev, words=sampler.words)

    fit("crnn", run, learner, plan.steps, plan.evaluate_every, take_step, figures, merit, plan.patience)
    chosen = run.load("best.pt", "average")
    result = Crnn()
    take_weights(result, chosen["average"] if chosen else ema.model.state_dict(), folder / "best.pt")
    return result.eval()


def _placing_model(run: RunFolder, model: Crnn) -> Crnn:
    """A copy of what this run has learnt so far (or begins with)."""
    placing = Crnn()
    state = run.load("last.pt", "average")
    take_weights(placing, state["average"] if state else model.state_dict(), run.folder / "last.pt")
    return placing


def _loss(
    model: Crnn, images: NDArray[np.float32], targets: list[tuple[int, ...]], plan: Plan, compute: Compute
) -> Tensor:
    model.train()
    with compute.autocast():
        features = model.convolve(compute.images(torch.from_numpy(images)))
    return ctc_loss(model.recur(features), targets, plan.smoothing)
