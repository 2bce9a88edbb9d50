"""The training loop of the detector."""

from __future__ import annotations

import logging
import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from tqdm import tqdm

from tools.training.common.checkpoint import restore, take_weights
from tools.training.common.device import choose
from tools.training.common.ema import Ema
from tools.training.common.rounding import Rounded, calibrate
from tools.training.common.run_folder import RunFolder
from tools.training.yolov3.anchors import kmeans
from tools.training.yolov3.augment import compose
from tools.training.yolov3.choice import build
from tools.training.yolov3.dataset import Sample, in_dev
from tools.training.yolov3.evaluate import dev_precision, letterbox
from tools.training.yolov3.loss import YoloLoss
from tools.training.yolov3.network import ANCHORS_PER_SCALE, YoloV3
from tools.training.yolov3.tightness import Tightness
from tools.training.yolov3.transfer import start_from

log = logging.getLogger("yolov3")
# How often a source is drawn, relative to its size. The dashcam is what the product sees; the 300×300 set is
# already augmented (near duplicates).
SOURCE_WEIGHTS = {
    "ro_dashcam": 2.0,
    "open_lpr": 1.0,
    "openimages": 2.2,
    "kaggle433": 1.5,
    "roboflow_experiment_plates": 0.5,
}
# Shapes of the batches (height, width) and their shares: the square of the evaluation, the 16:9 of a dashcam
# frame, and a smaller one that costs less.
SHAPES = (((416, 416), 0.5), ((256, 416), 0.35), ((320, 320), 0.15))
# The same for a last stage that sees pictures as the served network does.
PLAIN_SHAPES = (((416, 416), 0.7), ((256, 416), 0.3))
RANGE_PICTURES = 64  # of which the ranges of int8 are made
NO_MOSAIC_SHARE = 0.12  # the last part of a training sees whole pictures only, as inference does


@dataclass(frozen=True)
class TrainSettings:
    """What a training run is made of; kept in its checkpoints."""

    steps: int
    batch: int
    learning_rate: float
    weight_decay: float
    seed: int
    evaluate_every: int
    warmup: int = 300
    patience: int = 0
    network: str = "slim"
    device: str = "auto"
    precision: str = "auto"
    plain: bool = False
    mosaic_share: float = 0.6
    int8: bool = False


def fitted_sizes(samples: list[Sample], seed: int) -> NDArray[np.float64]:
    """Widths and heights (n, 2) of the boxes in 416×416, jittered in scale as training jitters them."""
    rng = np.random.default_rng(seed)
    sizes = []
    for sample in samples:
        _, boxes = letterbox(sample, 416)
        zoom = np.exp(rng.normal(-0.3, 0.4, (len(boxes), 1)))
        sizes.append((boxes[:, 2:] - boxes[:, :2]) * zoom)
    every = np.concatenate(sizes)
    kept: NDArray[np.float64] = every[(every > 2).all(1)]
    return kept


def batches(
    samples: list[Sample], settings: TrainSettings, first_step: int, sources: Sequence[str]
) -> Iterator[tuple[Tensor, list[Tensor], list[Tensor]]]:
    """Augmented batches: float32 (N, 1, H, W) in 0..1, and each picture's boxes and the numbers of their sources.

    Every step has a generator of its own, so that a resumed run goes on with the same pictures.
    """
    weights = np.array([SOURCE_WEIGHTS.get(s.source, 1.0) for s in samples])
    weights /= weights.sum()
    for step in range(first_step, settings.steps):
        rng = np.random.default_rng([settings.seed, step])
        shapes = PLAIN_SHAPES if settings.plain else SHAPES
        size = shapes[rng.choice(len(shapes), p=[share for _, share in shapes])][0]
        whole = settings.plain or step > settings.steps * (1 - NO_MOSAIC_SHARE)
        mosaic_share = 0.0 if whole else settings.mosaic_share
        pictures, boxes, origins = [], [], []
        for _ in range(settings.batch):
            mosaic = rng.random() < mosaic_share
            chosen = rng.choice(len(samples), 4 if mosaic else 1, p=weights)
            picture, truth, owners = compose([samples[i] for i in chosen], size, rng, mosaic, settings.plain)
            pictures.append(picture)
            boxes.append(torch.from_numpy(truth))
            numbers = np.array([sources.index(samples[i].source) for i in chosen], np.int64)
            origins.append(torch.from_numpy(numbers[owners]))
        yield torch.from_numpy(np.stack(pictures))[:, None].float() / 255, boxes, origins


def one_cycle(step: int, steps: int, peak: float, warmup: int) -> float:
    """Learning rate: linear warm-up, then cosine down to 2 % of the peak."""
    if step < warmup:
        return peak * (step + 1) / warmup
    progress = (step - warmup) / max(1, steps - warmup)
    return peak * (0.02 + 0.98 * (1 + math.cos(math.pi * progress)) / 2)


def train(
    samples: list[Sample],
    settings: TrainSettings,
    folder: Path,
    begin_with: Path | None = None,
    dev: list[Sample] | None = None,
    anchors: Tensor | None = None,
) -> Path:
    """Train, or go on with, the run in ``folder``; returns the best checkpoint by held-out AP@0.5.

    A new run takes what fits of the weights of the checkpoint ``begin_with``. Without ``dev`` a part of the samples
    is held out; without ``anchors`` (3 * scales, 2) they are made from the samples' boxes.
    """
    run = RunFolder(folder)
    torch.manual_seed(settings.seed)
    kept = samples
    if dev is None:
        kept = [s for s in samples if not in_dev(s.name)]
        dev = [s for s in samples if in_dev(s.name) and s.source != "roboflow_experiment_plates"]
    if not any(len(s.boxes) for s in dev):
        log.warning("no plate is held out: there is no dev figure, and the latest checkpoint counts as the best")
    compute = choose(settings.device, settings.precision)
    network = build(settings.network).to(compute.device)
    state = run.load("last.pt", "network", "ema", "anchors", "tightness", "optimiser", "step", "best")
    if state:
        begun = state.get("network_name", settings.network)
        if begun != settings.network:
            raise ValueError(f"{folder / 'last.pt'} is of the network {begun}, not {settings.network}")
        anchors = state["anchors"]
    elif anchors is None:
        count = ANCHORS_PER_SCALE * len(network.strides)
        anchors = torch.tensor(kmeans(fitted_sizes(kept, settings.seed), count).round()).float()
    sources = sorted({s.source for s in samples})
    tightness = Tightness(sources)
    loss_of = YoloLoss(anchors, tightness, network.strides).to(compute.device)
    groups: list[dict[str, Any]] = [
        {"params": list(network.parameters())},
        {"params": list(tightness.parameters()), "weight_decay": 0.0},
    ]
    optimiser = torch.optim.AdamW(groups, weight_decay=settings.weight_decay)
    if begin_with is not None and not state:
        start_from(begin_with, network, anchors, tightness)
    ranges = int8_ranges(network, kept, settings, state)
    ema = average_of(network, settings)
    learner, measured = rounded(network, ranges), rounded(ema.model, ranges)
    scaler = compute.scaler()
    first_step, best, since_best = 0, 0.0, 0
    if state:
        last = folder / "last.pt"
        take_weights(network, state["network"], last)
        take_weights(ema.model, state["ema"], last)
        take_weights(tightness, state["tightness"], last)
        ema.steps, first_step, best = state["step"], state["step"], state["best"]
        restore(last, lambda: optimiser.load_state_dict(state["optimiser"]))
        if state.get("scaler"):  # empty where the run was not in float16
            scaler.load_state_dict(state["scaler"])
        since_best = int(state.get("since_best", 0))
    if settings.patience and since_best >= settings.patience:
        return folder / "best.pt"
    network.to(memory_format=torch.channels_last)  # type: ignore[call-overload]  # torch's stubs lack it
    sums, summed = np.zeros(4), 0
    drawn = batches(kept, settings, first_step, sources)
    progress = tqdm(drawn, initial=first_step, total=settings.steps, unit="step", mininterval=5)
    for step, (pictures, boxes, origins) in enumerate(progress, first_step + 1):
        for group in optimiser.param_groups:
            group["lr"] = one_cycle(step - 1, settings.steps, settings.learning_rate, settings.warmup)
        learner.train()
        with compute.autocast():
            outputs = learner(compute.images(pictures))
        parts = loss_of(outputs, [b.to(compute.device) for b in boxes], [o.to(compute.device) for o in origins])
        optimiser.zero_grad(set_to_none=True)
        scaler.scale(parts.total).backward()
        scaler.unscale_(optimiser)
        torch.nn.utils.clip_grad_norm_(network.parameters(), 10.0)
        scaler.step(optimiser)
        scaler.update()
        ema.update(network)
        sums += [float(x.detach()) for x in (parts.total, parts.box, parts.objectness, parts.classes)]
        summed += 1
        if step % settings.evaluate_every == 0 or step == settings.steps:
            precision = figure_of(dev_precision(measured, anchors, dev, compute=compute, strides=network.strides))
            means = sums / summed
            names = ("loss", "box", "objectness", "classes")
            run.log({"step": step, **dict(zip(names, means, strict=True)), "dev_ap50": precision})
            progress.write(f"step {step}: loss {means[0]:.3f}, dev AP@0.5 {precision:.4f}, {tightness.described()}")
            sums[:], summed = 0, 0
            common = {
                "ema": ema.model.state_dict(),
                "anchors": anchors,
                "step": step,
                "tightness": tightness.state_dict(),
                "sources": sources,
                "network_name": settings.network,
                "ranges": ranges,
            }
            since_best = 0 if precision > best else since_best + 1
            if precision >= best:
                best = precision
                run.save("best.pt", {**common, "dev_ap50": precision})
            weights = {"network": network.state_dict(), "optimiser": optimiser.state_dict()}
            loop = {"scaler": scaler.state_dict(), "since_best": since_best}
            run.save("last.pt", {**common, **weights, "best": best, "settings": vars(settings), **loop})
            run.plot()
            if settings.patience and since_best >= settings.patience:
                progress.write(f"stopped at step {step}: no better for {since_best} evaluations")
                break
    return folder / "best.pt"


def int8_ranges(
    network: nn.Module, samples: Sequence[Sample], settings: TrainSettings, state: Mapping[str, Any] | None
) -> dict[str, float]:
    """The ranges of what int8 rounds, from training pictures or the run's checkpoint; none where nothing is rounded.

    Raises ValueError for a network whose rounding is not known.
    """
    if not settings.int8:
        return {}
    if not isinstance(network, YoloV3):
        raise ValueError("--int8 is for the slim network")
    if state:
        return dict(state["ranges"])
    chosen = np.random.default_rng(settings.seed).permutation(len(samples))[:RANGE_PICTURES]
    pictures = [torch.from_numpy(letterbox(samples[i], 416)[0])[None, None].float() / 255 for i in chosen]
    device = next(network.parameters()).device
    return calibrate(network, network.points(), [picture.to(device) for picture in pictures])


def rounded(network: nn.Module, ranges: Mapping[str, float]) -> nn.Module:
    """The network as int8 computes it, with the same weights; without ranges the network itself."""
    if not ranges or not isinstance(network, YoloV3):
        return network
    return Rounded(network, network.points(), ranges, network.float_layers())


def average_of(network: nn.Module, settings: TrainSettings) -> Ema:
    """The average of the weights: over some thousand steps, in the short last stage over its last part."""
    if not settings.int8:
        return Ema(network)
    return Ema(network, decay=1 - min(0.5, 8 / settings.steps), warmup_steps=settings.steps / 20)


def figure_of(precision: float) -> float:
    """A dev figure that compares: without any plate held out there is none, and the latest checkpoint is best."""
    return 0.0 if math.isnan(precision) else precision
