"""The training loop of the vehicle detector."""

from __future__ import annotations

import logging
from collections.abc import Iterator, Sequence
from dataclasses import asdict, replace
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from tqdm import tqdm

from tools.training.attributes.backbones import pretrained
from tools.training.attributes.pictures import tensor_of
from tools.training.common.checkpoint import load_checkpoint, restore, take_weights
from tools.training.common.device import Compute
from tools.training.common.ema import Ema
from tools.training.common.loop import Learner
from tools.training.common.run_folder import RunFolder
from tools.training.vehicles.augment import compose, letterbox
from tools.training.vehicles.dataset import Sample
from tools.training.vehicles.evaluate import precisions
from tools.training.vehicles.frozen import FrozenPictures
from tools.training.vehicles.network import TAPS, VehicleNet
from tools.training.vehicles.plan import Plan
from tools.training.yolov3.anchors import kmeans
from tools.training.yolov3.loss import YoloLoss
from tools.training.yolov3.network import ANCHORS_PER_SCALE
from tools.training.yolov3.train import one_cycle

log = logging.getLogger("vehicles")
SOURCE_WEIGHTS = {"highway": 1.0, "traffic_camera": 2.5, "attributes": 0.2}
BACKBONE = "efficientnet-lite0"


def anchors_of(samples: Sequence[Sample], seed: int) -> Tensor:
    """Anchors (9, 2) by k-means over the boxes as training sees them, in network pixels."""
    rng = np.random.default_rng(seed)
    weights = _weights(samples)
    sides = []
    for index in rng.choice(len(samples), min(2000, len(samples)), p=weights):
        _, boxes = letterbox(samples[index], 416)
        sides.append((boxes[:, 2:4] - boxes[:, :2]) * np.exp(rng.normal(-0.1, 0.3, (len(boxes), 1))))
    found = np.concatenate(sides).astype(np.float64)
    return torch.tensor(kmeans(found[(found > 3).all(1)], ANCHORS_PER_SCALE * 3).round()).float()


def batches(samples: Sequence[Sample], plan: Plan, first_step: int) -> Iterator[tuple[Tensor, list[Tensor]]]:
    """Pictures (N, 3, S, S) and their boxes (n, 5); each step has randomness of its own."""
    weights = _weights(samples)
    for step in range(first_step, plan.steps):
        rng = np.random.default_rng([plan.seed, step])
        size = int(rng.choice(plan.sizes, p=plan.shares))
        mosaics = 0.4 if step < plan.steps * 0.8 else 0.0
        pictures, boxes = [], []
        for _ in range(plan.batch):
            mosaic = rng.random() < mosaics
            chosen = rng.choice(len(samples), 4 if mosaic else 1, p=weights)
            picture, truth = compose([samples[index] for index in chosen], size, rng, mosaic)
            pictures.append(picture)
            boxes.append(torch.from_numpy(truth))
        yield tensor_of(pictures), boxes


def train(
    samples: Sequence[Sample], dev: Sequence[Sample], plan: Plan, folder: Path, compute: Compute,
    begin_with: Path | None = None,
) -> Path:  # fmt: skip
    """Train, or go on with, the run in ``folder``; returns its best checkpoint by mean AP@0.5 on ``dev``.

    A new run takes anchors and averaged weights of another run's checkpoint ``begin_with``, if given; raises OSError
    where that cannot be read.
    """
    run = RunFolder(folder)
    torch.manual_seed(plan.seed)
    network = VehicleNet()
    state = run.load("last.pt", "anchors", "model", "average", "optimiser", "step", "best")
    if state:
        anchors = state["anchors"]
    elif begin_with is not None:
        begun = load_checkpoint(begin_with, "anchors", "average")
        anchors = begun["anchors"]
        take_weights(network, begun["average"], begin_with)
    else:
        network.load_pretrained(pretrained(BACKBONE))
        anchors = anchors_of(samples, plan.seed)
        log.info("anchors %s", anchors.int().tolist())
    network.to(compute.device, memory_format=torch.channels_last)  # type: ignore[call-overload]  # torch's stubs
    loss_of = YoloLoss(anchors, None, network.strides).to(compute.device)
    learner = Learner(network, Ema(network, 0.998, 300.0), torch.optim.AdamW(_groups(network, plan)), compute.scaler())
    step, best = 0, -1.0
    if state:
        restore(folder / "last.pt", lambda: learner.restore(state))
        step, best = int(state["step"]), float(state["best"])
    losses = []
    drawn: Iterator[tuple[Tensor | tuple[Tensor, Tensor], list[Tensor]]] = batches(samples, plan, step)
    if plan.frozen_pictures:
        drawn = FrozenPictures.of(network, batches(samples, replace(plan, steps=10**9), 0), plan).batches(plan, step)
    for pictures, boxes in tqdm(drawn, initial=step, total=plan.steps, mininterval=5):
        network.train()
        for group in learner.optimiser.param_groups:
            group["lr"] = one_cycle(step, plan.steps, plan.rate * float(group["factor"]), 100)
        with compute.autocast():
            if isinstance(pictures, tuple):
                outputs = network.from_maps(*(compute.images(one) for one in pictures))
            else:
                outputs = network(compute.images(pictures))
        parts = loss_of(outputs, [b.to(compute.device) for b in boxes])
        losses.append(_descend(learner, parts.box + parts.objectness + 2.5 * parts.classes))
        step += 1
        if step % plan.evaluate_every and step != plan.steps:
            continue
        figures = precisions(learner.ema.model, anchors, dev, compute)
        row = {"step": float(step), "loss": float(np.mean(losses)), **figures}
        log.info("%s", {key: round(value, 4) for key, value in row.items()})
        run.log(row)
        losses.clear()
        common = {"anchors": anchors, "step": step}
        if figures["mean"] >= best:
            best = figures["mean"]
            run.save("best.pt", {**common, "average": learner.ema.model.state_dict(), "dev": figures})
        run.save("last.pt", {**common, **learner.state(), "best": best, "plan": asdict(plan)})
        run.plot()
    return folder / "best.pt"


def _descend(learner: Learner, loss: Tensor) -> float:
    learner.optimiser.zero_grad(set_to_none=True)
    learner.scaler.scale(loss).backward()  # type: ignore[no-untyped-call]
    learner.scaler.unscale_(learner.optimiser)
    nn.utils.clip_grad_norm_(learner.model.parameters(), 10.0)
    learner.scaler.step(learner.optimiser)
    learner.scaler.update()
    learner.ema.update(learner.model)
    return float(loss.detach())


def _groups(network: VehicleNet, plan: Plan) -> list[dict[str, object]]:
    groups: list[dict[str, object]] = [{"params": network.others(), "factor": 1.0, "weight_decay": plan.decay}]
    for index, layer in enumerate(network.layers()):
        if index < (TAPS[1] + 1 if plan.frozen_pictures else plan.frozen):
            for parameter in layer:
                parameter.requires_grad_(False)
            continue
        groups.append({"params": layer, "factor": plan.backbone_factor, "weight_decay": plan.decay / 4})
    return groups


def _weights(samples: Sequence[Sample]) -> NDArray[np.float64]:
    weights = np.array([SOURCE_WEIGHTS.get(sample.source, 1.0) for sample in samples], np.float64)
    shares: NDArray[np.float64] = weights / weights.sum()
    return shares
