"""Train the plate detector: ``python -m tools.training.yolov3``."""

from __future__ import annotations

import argparse
import logging
import sys
from collections.abc import Sequence
from pathlib import Path

import torch

from tools.data import require_data_root
from tools.training.common.device import add_options
from tools.training.datasets.load import add_options as add_data_options
from tools.training.datasets.load import load_material
from tools.training.yolov3.choice import NETWORKS
from tools.training.yolov3.dataset import SOURCES, Sample, load
from tools.training.yolov3.train import TrainSettings, train


def samples_of(options: argparse.Namespace) -> list[Sample]:
    """The pictures of the data sets that are named, or of the data folder; raises DataError, FileNotFoundError."""
    if options.data:
        return load_material(options.data, options.label).samples
    return load(require_data_root(), options.sources or SOURCES)


def main(argv: Sequence[str] | None = None) -> int:
    """Parse the command line, train or resume, and say where the results are."""
    logging.basicConfig(level=logging.INFO, format="%(message)s")
    parser = argparse.ArgumentParser(
        prog="python -m tools.training.yolov3",
        description="Train the YOLOv3 plate detector on the COCO sets of the data folder. Run again with the "
        "same --run to resume. Then export it: python -m tools.training.yolov3.export --run FOLDER",
    )
    add = parser.add_argument
    add("--run", type=Path, default=Path("runs/yolov3"), help="folder of checkpoints, log and plot")
    add("--steps", type=int, default=7000, help="optimiser steps (default %(default)s)")
    add("--batch", type=int, default=16, help="pictures a step (default %(default)s)")
    add("--learning-rate", type=float, default=2e-3, help="peak of the one-cycle schedule")
    add("--weight-decay", type=float, default=0.02, help="AdamW's (default %(default)s)")
    add("--evaluate-every", type=int, default=250, help="steps between dev figures and checkpoints")
    add("--seed", type=int, default=1, help="of all randomness (default %(default)s)")
    add("--threads", type=int, default=0, help="CPU threads; 0 takes all cores")
    add(
        "--start-from", type=Path, metavar="FILE",
        help="checkpoint of another run, or exported float32 file, whose weights to begin with, as far as they fit",
    )  # fmt: skip
    add("--plain", action="store_true", help="a last stage: whole pictures at about their own scale, no mosaics")
    add("--int8", action="store_true", help="a last stage: train through the rounding of the int8 file")
    add("--warmup", type=int, default=300, help="steps in which the learning rate rises (default %(default)s)")
    add("--mosaic-share", type=float, default=0.6, help="share of pictures made of four (default %(default)s)")
    add("--network", choices=NETWORKS, default="slim", help="darknet53: the full-size YOLOv3, for a GPU")
    add("--sources", nargs="+", choices=SOURCES, help="data sets of the data folder to train on (default: all)")
    add_data_options(parser)
    add_options(parser)
    options = parser.parse_args(argv)
    if options.threads:
        torch.set_num_threads(options.threads)
    settings = TrainSettings(
        steps=options.steps,
        batch=options.batch,
        learning_rate=options.learning_rate,
        weight_decay=options.weight_decay,
        seed=options.seed,
        evaluate_every=options.evaluate_every,
        patience=options.patience,
        network=options.network,
        device=options.device,
        precision=options.precision,
        warmup=options.warmup,
        plain=options.plain,
        mosaic_share=options.mosaic_share,
        int8=options.int8,
    )
    try:
        best = train(samples_of(options), settings, options.run, options.start_from)
    except (OSError, ValueError) as error:
        print(f"yolov3: error: {error}", file=sys.stderr)
        return 1
    print(f"best checkpoint: {best}; log and plot: {options.run}/metrics.csv, metrics.png")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
