"""Two-step fine-tuning: the new heads on the frozen backbone, then all layers at a lower rate."""

from __future__ import annotations

import logging
import math
import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from tqdm import tqdm

from tools.training.attributes.classes import Head, Targets, targets
from tools.training.attributes.examples import Example
from tools.training.attributes.frozen import FrozenMaps
from tools.training.attributes.measure import Measured, logits_of, measure
from tools.training.attributes.mixing import mixed
from tools.training.attributes.network import Attributes, total_loss
from tools.training.attributes.pictures import SQUARE, Crop, random_view, tensor_of
from tools.training.attributes.plan import Plan
from tools.training.common.device import Compute
from tools.training.common.ema import Ema
from tools.training.common.loop import Learner
from tools.training.common.run_folder import RunFolder

log = logging.getLogger("attributes")
VIEWS = 3
Inputs = Tensor | tuple[Tensor, Tensor]
"""Pictures, or reduced pictures and the frozen layers' maps of them."""
WARMUP_STEPS = 60
FURTHER_SHARE = 0.7
"""How often a further car is drawn, to one of the cars that pictures are of: those are what people ask about."""


@dataclass(frozen=True)
class Material:
    """Examples with their crops, and the targets of each head."""

    examples: Sequence[Example]
    crops: Sequence[Crop]
    targets: dict[str, Targets]

    @classmethod
    def of(cls, examples: Sequence[Example], crops: Sequence[Crop], heads: Sequence[Head]) -> Material:
        """With the targets that the heads' classes give."""
        return cls(examples, crops, {head.name: targets(examples, head) for head in heads})

    def weights(self, plan: Plan) -> NDArray[np.float64]:
        """How often each example is drawn, (N,): rare classes more often, by the root of how rare they are, and the
        pictures of a source as the plan says.

        Raises ValueError when none is of a source that the plan names.
        """
        draws, sources = dict(plan.draws), {example.source for example in self.examples}
        if unknown := sorted(set(draws) - sources):
            raise ValueError(f"no picture is of the source {unknown[0]}: there are {', '.join(sorted(sources))}")
        rarity = np.ones(len(self.examples))
        finest = "model" if "model" in self.targets else next(iter(self.targets))
        right = self.targets[finest].right.numpy().astype(np.float64)
        counts = right.sum(0).clip(min=1)
        single = right.sum(1) == 1
        rarity[single] = (right[single] / np.sqrt(counts)).sum(1) * math.sqrt(np.median(counts[counts > 1]))
        rarity = rarity.clip(0.4, 2.5)
        rarity[[example.further for example in self.examples]] *= FURTHER_SHARE
        rarity *= np.array([draws.get(example.source, 1.0) for example in self.examples])
        drawn: NDArray[np.float64] = rarity / rarity.sum()
        return drawn


def train_heads(network: Attributes, kept: Material, plan: Plan, compute: Compute) -> None:
    """Step one: the heads alone, on the features of some views of each picture, which are computed once."""
    rng = np.random.default_rng([plan.seed, 0])
    network.eval()
    features, trusted = [], []
    for _ in range(VIEWS):
        views = [random_view(crop, plan.small, rng) for crop in tqdm(kept.crops, desc="views", mininterval=5)]
        features.append(_pooled(network, [view for view, _ in views], compute))
        trusted.append(torch.tensor([known for _, known in views]))
    network.train()
    optimiser = torch.optim.AdamW(network.new_parameters(), lr=plan.head_rate, weight_decay=plan.decay)
    weights = kept.weights(plan)
    for step in tqdm(range(plan.head_steps), desc="heads", unit="step", mininterval=5):
        for group in optimiser.param_groups:
            group["lr"] = plan.head_rate * (1 + math.cos(math.pi * step / plan.head_steps)) / 2
        chosen = torch.from_numpy(rng.choice(len(kept.crops), 4 * plan.batch, p=weights))
        view = int(rng.integers(VIEWS))
        outputs = network.answer(features[view][chosen].to(compute.device))
        loss = total_loss(network.names, outputs, _batch_targets(kept, chosen, trusted[view][chosen], compute))
        optimiser.zero_grad(set_to_none=True)
        loss.backward()  # type: ignore[no-untyped-call]
        optimiser.step()


@torch.no_grad()
def _pooled(network: Attributes, views: Sequence[NDArray[np.uint8]], compute: Compute) -> Tensor:
    found = []
    for first in tqdm(range(0, len(views), 32), desc="features", mininterval=5):
        with compute.autocast():
            found.append(network.pooled(compute.images(tensor_of(views[first : first + 32]))).float().cpu())
    return torch.cat(found)


def _batch_targets(kept: Material, chosen: Tensor, trusted: Tensor, compute: Compute) -> dict[str, Targets]:
    found = {}
    for name, every in kept.targets.items():
        weight = every.weight[chosen]
        if name == "colour":
            weight = weight * trusted
        found[name] = Targets(every.right[chosen].to(compute.device), weight.to(compute.device))
    return found


def parameter_groups(network: Attributes, plan: Plan) -> list[dict[str, object]]:
    """The heads at the full rate, the backbone's layers at falling ones towards the input, the first ones frozen."""
    layers = network.backbone.layers()  # type: ignore[operator]  # every backbone has it
    groups: list[dict[str, object]] = [{"params": network.new_parameters(), "factor": 2.0}]
    for index, layer in enumerate(layers):
        if index < plan.frozen:
            for parameter in layer:
                parameter.requires_grad_(False)
            continue
        factor = plan.layer_factor ** (len(layers) - 1 - index)
        flat = [p for p in layer if p.dim() == 1]
        groups.append({"params": [p for p in layer if p.dim() > 1], "factor": factor})
        groups.append({"params": flat, "factor": factor, "weight_decay": 0.0})
    return groups


def one_cycle(step: int, steps: int) -> float:
    """Share of the peak rate: linear warm-up, then cosine down to a hundredth."""
    if step < WARMUP_STEPS:
        return (step + 1) / WARMUP_STEPS
    progress = (step - WARMUP_STEPS) / max(1, steps - WARMUP_STEPS)
    return 0.01 + 0.99 * (1 + math.cos(math.pi * progress)) / 2


def batches(kept: Material, plan: Plan, first_step: int) -> Iterator[tuple[Tensor, Tensor, Tensor]]:
    """Pictures (N, 3, H, W), the examples' numbers (N,), and whether their colours count (N,); each step its own."""
    weights = kept.weights(plan)
    for step in range(first_step, plan.steps):
        rng = np.random.default_rng([plan.seed, 1, step])
        size = plan.full if step >= plan.steps * (1 - plan.full_share) else plan.small
        chosen = rng.choice(len(kept.crops), plan.batch, p=weights)
        square = rng.random() < plan.square_share
        views = [
            random_view(kept.crops[i], SQUARE if square else size, rng, square=square, parts=plan.parts) for i in chosen
        ]
        trusted = torch.tensor([known for _, known in views])
        yield tensor_of(view for view, _ in views), torch.from_numpy(chosen), trusted


def fine_tune(
    network: Attributes, kept: Material, dev: Material, heads: Sequence[Head], plan: Plan, run: RunFolder,
    compute: Compute,
) -> Measured | None:  # fmt: skip
    """Step two: all layers but the first ones; goes on where ``last.pt`` of the run stands. The last figures on dev."""
    optimiser = torch.optim.AdamW(parameter_groups(network, plan), lr=plan.rate, weight_decay=plan.decay)
    learner = Learner(network, Ema(network, 0.998, 300.0), optimiser, compute.scaler())
    step, best, since_best, measured = 0, -1.0, 0, None
    state = run.load("last.pt")
    if state:
        learner.restore(state)
        step, best, since_best = int(state["step"]), float(state["best"]), int(state["since_best"])
        log.info("going on at step %d, best %.4f", step, best)
    losses = []
    drawn: Iterator[tuple[Inputs, Tensor, Tensor]] = batches(kept, plan, step)
    if plan.views:
        drawn = FrozenMaps.of(network, kept.crops, plan).batches(kept.weights(plan), plan, step)
    progress = tqdm(drawn, initial=step, total=plan.steps, unit="step", mininterval=5)
    for pictures, chosen, trusted in progress:
        if plan.patience and since_best >= plan.patience:
            break
        network.train()
        for group in optimiser.param_groups:
            group["lr"] = plan.rate * float(group["factor"]) * one_cycle(step, plan.steps)
        losses.append(_descend(learner, kept, pictures, (chosen, trusted), plan, step, compute))
        step += 1
        if step % plan.evaluate_every and step != plan.steps:
            continue
        measured = measure(logits_of(learner.ema.model, dev.crops, plan.full, compute), dev.examples, heads)
        row = {"step": float(step), "loss": float(np.mean(losses)), **measured.figures}
        log.info("%s", {key: round(value, 4) for key, value in row.items()})
        run.log(row)
        losses.clear()
        since_best = 0 if measured.merit > best else since_best + 1
        common = {"step": step, "average": learner.ema.model.state_dict()}
        if measured.merit >= best:
            best = measured.merit
            run.save("best.pt", common)
        run.save("last.pt", {**learner.state(), "step": step, "best": best, "since_best": since_best})
        run.plot()
    return measured


def _descend(
    learner: Learner, kept: Material, pictures: Inputs, drawn: tuple[Tensor, Tensor], plan: Plan, step: int,
    compute: Compute,
) -> float:  # fmt: skip
    network = learner.model
    assert isinstance(network, Attributes)  # noqa: S101 - for the type checker
    rng = random.Random(plan.seed * 1_000_003 + step)
    inputs = [compute.images(one) for one in (pictures if isinstance(pictures, tuple) else (pictures,))]
    chosen, trusted = drawn
    inputs, share = mixed(inputs, plan.mixup, plan.cutmix, rng)
    with compute.autocast():
        outputs = network(*inputs)
    loss = total_loss(network.names, outputs, _batch_targets(kept, chosen, trusted, compute))
    if share < 1:
        other = _batch_targets(kept, chosen.flip(0), trusted.flip(0), compute)
        loss = share * loss + (1 - share) * total_loss(network.names, outputs, other)
    optimiser = learner.optimiser
    optimiser.zero_grad(set_to_none=True)
    learner.scaler.scale(loss).backward()  # type: ignore[no-untyped-call]
    learner.scaler.unscale_(optimiser)
    nn.utils.clip_grad_norm_(network.parameters(), 5.0)
    learner.scaler.step(optimiser)
    learner.scaler.update()
    learner.ema.update(network)
    return float(loss.detach())
