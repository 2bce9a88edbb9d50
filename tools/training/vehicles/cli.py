"""Command line of the vehicle detector's training."""

from __future__ import annotations

import argparse
import logging
import sys
from collections.abc import Sequence
from pathlib import Path

import torch

from tools.data import require_data_root
from tools.training.common.card import command_line
from tools.training.common.device import add_options, choose
from tools.training.common.export import MODELS
from tools.training.common.loop import log_to
from tools.training.vehicles.card import write_cards
from tools.training.vehicles.dataset import SOURCES, load
from tools.training.vehicles.evaluate import in_dev
from tools.training.vehicles.export import export
from tools.training.vehicles.plan import Plan
from tools.training.vehicles.train import train

log = logging.getLogger("vehicles")
DESCRIPTION = """Train the detector of cars, trucks, buses and motorcycles, and export it.

A YOLOv3 on a pretrained EfficientNet-Lite0 learns from the hand-made boxes of the data folder's vehicle sets and, drawn
less often, from the machine-made ones of its plates' photos. A part of the pictures with hand-made boxes is held out by
a hash of their names and chooses the checkpoint. The same command goes on after a cut, and exports at the end.
"""


def parser() -> argparse.ArgumentParser:
    """All options, with what they mean."""
    it = argparse.ArgumentParser(
        prog="python -m tools.training.vehicles",
        description=DESCRIPTION,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    plan = Plan()
    it.add_argument("--run", type=Path, default=Path("runs/vehicles"), help="folder of checkpoints, log and plot")
    it.add_argument("--target", type=Path, default=MODELS, help="folder for the models (default: the served ones)")
    it.add_argument("--sources", nargs="+", choices=SOURCES, default=SOURCES, help="sets to train on (default: all)")
    it.add_argument("--steps", type=int, default=plan.steps, help="optimiser steps (default: %(default)s)")
    it.add_argument("--batch", type=int, default=plan.batch, help="pictures a step (default: %(default)s)")
    it.add_argument("--rate", type=float, default=plan.rate, help="peak learning rate (default: %(default)s)")
    it.add_argument("--start-from", type=Path, metavar="FILE", help="best.pt of another run, to begin with its weights")
    it.add_argument(
        "--backbone-rate", type=float, default=plan.backbone_factor, metavar="SHARE",
        help="rate of the pretrained layers, as a share of the others' (default: %(default)s)",
    )  # fmt: skip
    it.add_argument(
        "--frozen-layers", type=int, default=plan.frozen, metavar="N",
        help="of the pretrained layers the first N stay as they are (default: %(default)s)",
    )  # fmt: skip
    it.add_argument(
        "--frozen-pictures", type=int, default=plan.frozen_pictures, metavar="N",
        help="quick on a CPU: leave the backbone up to stride 16 as it is and compute its maps of N pictures once",
    )  # fmt: skip
    it.add_argument("--evaluate-every", type=int, default=plan.evaluate_every, help="steps (default: %(default)s)")
    it.add_argument("--seed", type=int, default=plan.seed, help="of all randomness (default: %(default)s)")
    it.add_argument("--threads", type=int, default=0, help="CPU threads; 0 takes all cores")
    it.add_argument("--export-only", action="store_true", help="do not train: export the run's best checkpoint")
    add_options(it)
    return it


def main(argv: Sequence[str] | None = None) -> int:
    """Train and export; returns the exit code."""
    arguments = parser().parse_args(argv)
    log_to(arguments.run)
    if arguments.threads:
        torch.set_num_threads(arguments.threads)
    command = command_line("tools.training.vehicles", sys.argv[1:] if argv is None else argv)
    try:
        compute = choose(arguments.device, arguments.precision)
        samples = load(require_data_root(), arguments.sources)
        kept, dev = [s for s in samples if not in_dev(s)], [s for s in samples if in_dev(s)]
        plan = Plan(
            steps=arguments.steps, batch=arguments.batch, rate=arguments.rate, seed=arguments.seed,
            evaluate_every=max(1, min(arguments.evaluate_every, arguments.steps)),
            frozen_pictures=arguments.frozen_pictures, backbone_factor=arguments.backbone_rate,
            frozen=arguments.frozen_layers,
        )  # fmt: skip
        log.info("%s; %d pictures to train on, %d held out", compute, len(kept), len(dev))
        if not arguments.export_only:
            train(kept, dev, plan, arguments.run, compute, arguments.start_from)
        fields = export(arguments.run, arguments.target, plan.seed, kept, dev)
        write_cards(arguments.target, kept, dev, plan, command)
    except (OSError, ValueError) as error:
        print(f"vehicles: error: {error}", file=sys.stderr)
        return 1
    print(f"model, manifest and card: {arguments.target}; AP@0.5 held out: {fields['dev_ap50']}")
    return 0
