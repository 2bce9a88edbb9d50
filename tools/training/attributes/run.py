"""A whole fine-tuning run: pictures, split, classes, heads, all layers; goes on after a cut."""

from __future__ import annotations

import json
import logging
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import torch

from tools.training.attributes.backbones import pretrained
from tools.training.attributes.begin import begin_with
from tools.training.attributes.classes import Head, heads_of
from tools.training.attributes.examples import Example
from tools.training.attributes.lite import EfficientNetLite
from tools.training.attributes.network import Attributes
from tools.training.attributes.pictures import Crop, load_crops
from tools.training.attributes.plan import Plan
from tools.training.attributes.split import DEV_PERCENT, groups, in_dev
from tools.training.attributes.train import Material, fine_tune, train_heads
from tools.training.common.device import Compute
from tools.training.common.run_folder import RunFolder

log = logging.getLogger("attributes")
HEADS_FILE = "heads.json"


@dataclass(frozen=True)
class Parts:
    """What is trained on, what is held out, and the classes."""

    kept: Material
    dev: Material
    heads: tuple[Head, ...]


def parts_of(
    examples: Sequence[Example], folder: Path, least: int = 8, least_models: int = 6, known: Sequence[Head] = (),
    held_out_percent: float = DEV_PERCENT,
) -> Parts:  # fmt: skip
    """Read the pictures and divide them; the classes are those of the run, of ``known``, or what is trained on.

    Further cars in pictures that are held out are left out altogether. With fewer percent held out, these are some of
    those that are with more.

    Raises ValueError when there is too little to train from.
    """
    readable, crops = load_crops(examples)
    held_out = in_dev(readable, groups(crops, [example.listing for example in readable]), held_out_percent)
    pairs = list(zip(readable, crops, held_out, strict=True))
    kept = [(example, crop) for example, crop, out in pairs if not out]
    dev = [(example, crop) for example, crop, out in pairs if out and not example.further]
    heads = saved_heads(folder) or tuple(known) or heads_of([example for example, _ in kept], least, least_models)
    if not kept or not heads:
        raise ValueError(f"no head has two classes with {least} pictures each to train on: {len(readable)} pictures")
    if not dev:
        raise ValueError(
            f"none of the {len(kept)} pictures could be held out to measure on: they are too few, or near copies of "
            "each other, which must stay together; add other pictures"
        )
    folder.mkdir(parents=True, exist_ok=True)
    content = [{"name": head.name, "labels": list(head.labels)} for head in heads]
    (folder / HEADS_FILE).write_text(json.dumps(content, indent=1) + "\n", encoding="utf-8")
    log.info("%d cars to train on, %d held out", len(kept), len(dev))
    log.info("classes: %s", ", ".join(f"{head.name} {len(head.labels)}" for head in heads))
    return Parts(_material(kept, heads), _material(dev, heads), heads)


def saved_heads(folder: Path) -> tuple[Head, ...]:
    """The classes that a run began with; none for a new run."""
    file = folder / HEADS_FILE
    if not file.is_file():
        return ()
    return tuple(Head(one["name"], tuple(one["labels"])) for one in json.loads(file.read_text(encoding="utf-8")))


def train(
    parts: Parts, backbone: str, weights: Path | None, plan: Plan, folder: Path, compute: Compute,
    start_from: Path | None = None,
) -> Attributes:  # fmt: skip
    """Both steps; the network with its best averaged weights. A new run may begin with another's."""
    torch.manual_seed(plan.seed)
    run = RunFolder(folder)
    network = Attributes(backbone, parts.heads)
    if run.load("last.pt") is None:
        if start_from is not None:
            begin_with(network, start_from)
        else:
            network.backbone.load_pretrained(pretrained(backbone, weights))  # type: ignore[operator]
        network.to(compute.device)
        heads = run.load("heads.pt") if start_from is None else None
        if heads is not None:
            network.load_state_dict(heads)
        elif start_from is None:
            train_heads(network, parts.kept, plan, compute)
            run.save("heads.pt", network.state_dict())
    if isinstance(network.backbone, EfficientNetLite):
        network.backbone.drop_paths(plan.drop_path)
    network.to(compute.device, memory_format=torch.channels_last)  # type: ignore[call-overload]
    (folder / "plan.json").write_text(json.dumps({"backbone": backbone, **asdict(plan)}, indent=1) + "\n")
    fine_tune(network, parts.kept, parts.dev, parts.heads, plan, run, compute)
    return best_of(folder, parts.heads)


def best_of(folder: Path, heads: Sequence[Head]) -> Attributes:
    """The run's network with its best averaged weights; raises FileNotFoundError when it has none."""
    state = RunFolder(folder).load("best.pt")
    if state is None:
        raise FileNotFoundError(f"no best.pt in {folder}: train first")
    plan = json.loads((folder / "plan.json").read_text(encoding="utf-8"))
    network = Attributes(plan["backbone"], heads)
    network.load_state_dict(state["average"])
    return network.eval()


def _material(pairs: Sequence[tuple[Example, Crop]], heads: Sequence[Head]) -> Material:
    return Material.of([example for example, _ in pairs], [crop for _, crop in pairs], heads)
