"""Command line of fine-tuning."""

from __future__ import annotations

import argparse
import logging
import sys
from collections.abc import Sequence
from pathlib import Path

import torch

from cloud_apis.model_files import packaged_models
from tools.data import data_root
from tools.training.common.card import OWN, command_line
from tools.training.common.device import add_options
from tools.training.common.export import write_settings
from tools.training.common.loop import log_to
from tools.training.datasets.load import add_options as add_data_options
from tools.training.datasets.load import load_material
from tools.training.finetune.detector import finetune_detector
from tools.training.finetune.fingerprint import begin, fingerprint
from tools.training.finetune.parts import Options, keep_shipped, own_crops
from tools.training.finetune.reader import finetune_reader

DESCRIPTION = """Train the shipped models on with your own pictures and texts.

  python -m tools.training.finetune --data my.json --texts my.csv --run runs/mine

takes boxes as COCO JSON, Pascal VOC or YOLO, and texts as CSV (file_name,text) or from the COCO annotations. It begins
with the shipped weights, mixes your data with the data folder's (if there is one) and with synthetic plates, holds a
part of yours out by hash, and leaves in runs/mine: the models in int8 and float32 with manifests and cards (models/),
logs, plots and checkpoints, and settings to serve the new models with:

  cloud-apis serve --config runs/mine/apis.yaml

The same command goes on after a cut; a run that was begun with other data or options needs a folder of its own.
Synthetic plates are drawn in many fonts once these were fetched:

  python -m tools.training.synthetic.fonts --to runs/fonts
"""


def parser() -> argparse.ArgumentParser:
    """All options, with what they mean."""
    it = argparse.ArgumentParser(
        prog="python -m tools.training.finetune",
        description=DESCRIPTION,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    add_data_options(it)
    it.add_argument("--texts", type=Path, action="append", default=[], metavar="CSV", help="the same as --data")
    it.add_argument("--run", type=Path, default=Path("runs/finetune"), help="folder for all that is made")
    it.add_argument(
        "--models", type=Path, default=packaged_models(), help="models to begin with (default: the shipped)"
    )
    it.add_argument("--only", choices=("yolov3", "crnn"), help="train this model alone")
    it.add_argument("--own-data-only", action="store_true", help="do not mix in the data folder's pictures")
    it.add_argument("--detector-steps", type=int, default=800, help="optimiser steps (default: %(default)s)")
    it.add_argument("--reader-steps", type=int, default=1200, help="optimiser steps (default: %(default)s)")
    it.add_argument("--batch", type=int, default=16, help="pictures a step; crops four times as many (%(default)s)")
    it.add_argument("--synthetic", type=Path, help="file of synthetic crops (default: RUN/synthetic.npz, rendered)")
    it.add_argument("--synthetic-count", type=int, default=6000, help="crops to render if missing (%(default)s)")
    it.add_argument("--fonts", type=Path, default=Path("runs/fonts"), help="fonts to render with (%(default)s)")
    it.add_argument("--licence", default=OWN, help="of your data, for the model cards")
    it.add_argument("--seed", type=int, default=1, help="of all randomness (default: %(default)s)")
    it.add_argument("--threads", type=int, default=0, help="CPU threads; 0 takes all cores")
    add_options(it)
    it.set_defaults(patience=4)
    return it


def main(argv: Sequence[str] | None = None) -> int:
    """Fine-tune; returns the exit code."""
    arguments = parser().parse_args(argv)
    if not arguments.data + arguments.texts:
        parser().error("name your data with --data and --texts")
    log_to(arguments.run)
    options = Options(
        models=arguments.models, run=arguments.run, seed=arguments.seed, device=arguments.device,
        precision=arguments.precision, patience=arguments.patience,
        threads=arguments.threads or torch.get_num_threads(), licence=arguments.licence,
        command=command_line("tools.training.finetune", sys.argv[1:] if argv is None else argv),
    )  # fmt: skip
    try:
        run(arguments, options)
    except (OSError, ValueError) as error:
        print(f"finetune: error: {error}", file=sys.stderr)
        return 1
    settings = write_settings(options.target, options.run / "apis.yaml")
    print(f"new models and their cards: {options.target}")
    print(f"serve them: cloud-apis serve --config {settings}")
    return 0


def run(arguments: argparse.Namespace, options: Options) -> None:
    """Train what the data is for; models without data are kept as shipped."""
    material = load_material([*arguments.data, *arguments.texts], arguments.label)
    logging.getLogger("finetune").info("%s", material.summary())
    root = None if arguments.own_data_only else data_root()
    begin(options.run, fingerprint(material, arguments, data_folder=root is not None))
    torch.set_num_threads(options.threads)
    for name in ("craft", "vehicles", "attributes"):
        keep_shipped(options, name)
    if any(len(sample.boxes) for sample in material.samples) and arguments.only != "crnn":
        finetune_detector(material.samples, root, arguments.detector_steps, arguments.batch, options)
    else:
        keep_shipped(options, "yolov3")
    if material.crops and arguments.only != "yolov3":
        file = arguments.synthetic or options.run / "synthetic.npz"
        synthetic = (file, arguments.synthetic_count, arguments.fonts)
        crops = own_crops(material)
        finetune_reader(crops, root, arguments.reader_steps, 4 * arguments.batch, synthetic, options)
    else:
        keep_shipped(options, "crnn")
