"""Command line of the classifier's training."""

from __future__ import annotations

import argparse
import logging
import math
import sys
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import torch

from cloud_apis.attributes.classifier import MODEL
from cloud_apis.attributes.preprocess import HEIGHT_PX, WIDTH_PX
from cloud_apis.errors import StartError
from cloud_apis.model_files import load_model_file
from tools.data import require_data_root
from tools.training.attributes.backbones import BACKBONES
from tools.training.attributes.card import write_cards
from tools.training.attributes.examples import Example, amended, load_further, load_own, load_shared
from tools.training.attributes.export import export, file_logits
from tools.training.attributes.plan import Plan
from tools.training.attributes.report import write_report
from tools.training.attributes.run import parts_of, train
from tools.training.attributes.split import DEV_PERCENT
from tools.training.common.card import OWN, command_line
from tools.training.common.device import add_options, choose
from tools.training.common.loop import log_to

log = logging.getLogger("attributes")
DESCRIPTION = """Fine-tune a pretrained network on cars: colour, type, make, model, or classes of your own.

  python -m tools.training.attributes --data my-cars --run runs/cars

takes folders of pictures (my-cars/suzuki/*.jpg, my-cars/tesla/*.jpg, ...: one head, named by --head), or CSV files:

  file,xmin,ymin,xmax,ymax,colour,make,model
  cars/1.jpg,40,80,600,420,red,suzuki,swift
  cars/2.jpg,,,,,white,,

Boxes may be left out (the whole picture is the car) and so may be labels; each column after the box is a head, and a
model is one of its make. A column listing keeps the pictures of one car together when some are held out; train.csv of
python -m tools.dataset split is taken as it is. Without --data the labelled cars of the data folder are taken, with
what amended_cars.csv knows of them besides, and those labelled beside them in further_cars.csv.

Training goes in two steps: the new heads on the frozen backbone, then all layers but the first few at rates that fall
towards the input. A part of the pictures is held out by a hash of their names, near duplicates and listings together;
it chooses the checkpoint and fits the probabilities. The same command goes on after a cut. In the run's folder lie
then:

  models/attributes.onnx, .json, .md   the int8 model, its manifest and card; attributes.float32.onnx beside them
  report/<head>.csv, -confusion.png, -failures.png     per-class table, confusion matrix, the worst mistakes
  metrics.csv, metrics.png, train.log

Serve it alone, or with the other models beside it (-n keeps yours), which the page and /vehicle-report need:

  cloud-apis serve --models runs/cars/models --api make-model --api colors

  cp -n cloud_apis/models/*.onnx cloud_apis/models/*.json runs/cars/models
  cloud-apis serve --models runs/cars/models

Colour, type, make and model are answered as always, empty where the model has no such head. Any other head (class, or
what --head or the column names) is told by /make-model, and by /vehicle-report of each vehicle, as
"classes": {"class": [{"name": "taxi", "prob": 0.9}, ...]}, at most top_k of them.
"""


def parser() -> argparse.ArgumentParser:
    """All options, with what they mean."""
    it = argparse.ArgumentParser(
        prog="python -m tools.training.attributes",
        description=DESCRIPTION,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    plan = Plan()
    it.add_argument("--data", type=Path, nargs="+", default=[], metavar="PATH", help="folders or CSV files of your own")
    it.add_argument("--head", default="class", help="name of the head of folders (default: %(default)s)")
    it.add_argument("--run", type=Path, default=Path("runs/attributes"), help="folder for all that is made")
    it.add_argument("--target", type=Path, help="folder for the models (default: RUN/models)")
    it.add_argument("--backbone", choices=BACKBONES, default=BACKBONES[0], help="(default: %(default)s)")
    it.add_argument("--weights", type=Path, metavar="FILE", help="ImageNet weights of the backbone, a .pth file")
    it.add_argument(
        "--start-from", type=Path, metavar="FILE",
        help="best.pt of another run with the same classes, or an attributes.onnx with them",
    )  # fmt: skip
    it.add_argument("--least", type=int, default=8, help="pictures that a class needs (default: %(default)s)")
    it.add_argument("--least-models", type=int, default=6, help="pictures that a model needs (default: %(default)s)")
    it.add_argument(
        "--held-out", type=float, default=DEV_PERCENT, metavar="PERCENT",
        help="pictures that are not trained on; fewer are some of those that are with more (default: %(default)s)",
    )  # fmt: skip
    it.add_argument(
        "--calibration", type=Path, metavar="FOLDER",
        help="folder of an attributes.onnx with the same heads whose probabilities' calibration is kept: for a last "
        "run that holds out too few pictures to fit one",
    )  # fmt: skip
    it.add_argument("--head-steps", type=int, default=plan.head_steps, help="steps of the heads alone (%(default)s)")
    it.add_argument("--steps", type=int, default=plan.steps, help="steps of all layers (default: %(default)s)")
    it.add_argument("--mixup", type=float, default=plan.mixup, help="share of steps on mixed pictures (%(default)s)")
    it.add_argument(
        "--cutmix", type=float, default=plan.cutmix,
        help="share of steps on pictures with a piece of another (%(default)s)",
    )  # fmt: skip
    it.add_argument("--parts", type=float, default=plan.parts, help="share of views of a car's part (%(default)s)")
    it.add_argument(
        "--drop-path", type=float, default=plan.drop_path,
        help="share of pictures that pass by the last block of an EfficientNet-Lite, earlier ones less (%(default)s)",
    )  # fmt: skip
    it.add_argument(
        "--draw", type=_draw, action="append", default=[], metavar="SOURCE=TIMES",
        help="draw the pictures of one source (the name of their folder) so many times as often, such as those that "
        "are most like what will be asked; may be given several times",
    )  # fmt: skip
    it.add_argument("--batch", type=int, default=plan.batch, help="pictures a step (default: %(default)s)")
    it.add_argument("--rate", type=float, default=plan.rate, help="peak learning rate (default: %(default)s)")
    it.add_argument(
        "--layer-factor", type=float, default=plan.layer_factor,
        help="rate of each layer, as part of that of the next one towards the heads (default: %(default)s)",
    )  # fmt: skip
    it.add_argument("--frozen", type=int, default=plan.frozen, help="layers from the input on that stay as they are")
    it.add_argument(
        "--views", type=int, default=plan.views, metavar="N",
        help="quick on a CPU: compute the frozen layers' maps of N views of each picture once (--frozen 9 --views 4)",
    )  # fmt: skip
    it.add_argument(
        "--full-share", type=float, default=plan.full_share,
        help="last part of the steps that sees pictures of the full size; the others are smaller (%(default)s)",
    )  # fmt: skip
    it.add_argument(
        "--square-share", type=float, default=plan.square_share,
        help="share of the steps that see each car's middle square alone, as /colors is sent it (%(default)s)",
    )  # fmt: skip
    it.add_argument("--evaluate-every", type=int, default=plan.evaluate_every, help="steps (default: %(default)s)")
    it.add_argument("--licence", default=OWN, help="of your data, for the model card")
    it.add_argument("--seed", type=int, default=plan.seed, help="of all randomness (default: %(default)s)")
    it.add_argument("--threads", type=int, default=0, help="CPU threads; 0 takes all cores")
    add_options(it)
    return it


def _draw(text: str) -> tuple[str, float]:
    source, _, times = text.rpartition("=")
    try:
        factor = float(times)
    except ValueError:
        factor = 0.0
    if not source or not 0 < factor < math.inf:
        raise argparse.ArgumentTypeError(f"{text!r} is not SOURCE=TIMES with a positive number, such as street=2")
    return source, factor


def plan_of(arguments: argparse.Namespace) -> Plan:
    """The plan that the options describe; raises ValueError for numbers that make none."""
    steps = max(1, arguments.steps)
    if min(arguments.batch, arguments.least, arguments.least_models, arguments.head_steps) < 1:
        raise ValueError("--batch, --least, --least-models and --head-steps must be at least 1")
    if not (0 <= arguments.full_share <= 1 and 0 <= arguments.square_share <= 1):
        raise ValueError("--full-share and --square-share must be between 0 and 1")
    if min(arguments.mixup, arguments.cutmix, arguments.parts) < 0 or arguments.mixup + arguments.cutmix > 1:
        raise ValueError("--mixup, --cutmix and --parts are shares, the first two at most 1 together")
    if not 0 < arguments.held_out < 100:
        raise ValueError("--held-out must be more than 0 and less than 100 percent")
    if not 0 <= arguments.drop_path < 1:
        raise ValueError("--drop-path must be at least 0 and less than 1")
    if not 0 < arguments.layer_factor <= 1:
        raise ValueError("--layer-factor must be more than 0 and at most 1")
    return replace(
        Plan(),
        steps=steps,
        head_steps=arguments.head_steps,
        batch=arguments.batch,
        mixup=arguments.mixup,
        cutmix=arguments.cutmix,
        parts=arguments.parts,
        drop_path=arguments.drop_path,
        draws=tuple(arguments.draw),
        rate=arguments.rate,
        layer_factor=arguments.layer_factor,
        frozen=arguments.frozen,
        views=arguments.views,
        full_share=arguments.full_share,
        square_share=arguments.square_share,
        evaluate_every=max(1, min(arguments.evaluate_every, steps)),
        patience=arguments.patience,
        seed=arguments.seed,
    )


def main(argv: Sequence[str] | None = None) -> int:
    """Train, export, report; returns the exit code: 0, 1 where it failed, 2 where an option is wrong."""
    arguments = parser().parse_args(argv)
    log_to(arguments.run)
    if arguments.threads:
        torch.set_num_threads(arguments.threads)
    try:
        plan = plan_of(arguments)
        examples = load_own(arguments.data, arguments.head) if arguments.data else _of_the_data_folder()
        command = command_line("tools.training.attributes", sys.argv[1:] if argv is None else argv)
        fine_tuned(arguments, plan, examples, command)
    except (OSError, ValueError, StartError) as error:
        print(f"attributes: error: {error}", file=sys.stderr)
        return 1
    return 0


def _of_the_data_folder() -> list[Example]:
    root = require_data_root()
    return [*amended(load_shared(root), root), *load_further(root)]


def fine_tuned(arguments: argparse.Namespace, plan: Plan, examples: Sequence[Example], command: str) -> None:
    """Train as planned, then write models, manifest, card and report."""
    compute = choose(arguments.device, arguments.precision)
    log.info("%s, %s", compute, arguments.backbone)
    known = load_model_file(arguments.calibration, MODEL)[1] if arguments.calibration else None
    parts = parts_of(
        examples, arguments.run, arguments.least, arguments.least_models, held_out_percent=arguments.held_out
    )
    network = train(parts, arguments.backbone, arguments.weights, plan, arguments.run, compute, arguments.start_from)
    target = arguments.target or arguments.run / "models"
    fields = {"backbone": arguments.backbone, "trained_steps": plan.steps}
    served = HEIGHT_PX, WIDTH_PX
    figures = export(network, parts.kept, parts.dev, parts.heads, served, target, plan.seed, fields, known)
    write_cards(target, parts, plan, command, arguments.licence, shared=not arguments.data)
    logits = file_logits(target / "attributes.onnx", parts.dev.crops, served, [head.name for head in parts.heads])
    write_report(arguments.run / "report", logits, parts.dev.examples, parts.dev.crops, parts.heads)
    for precision, one in figures.items():
        print(f"{precision}: " + ", ".join(f"{name} {value:.3f}" for name, value in one.figures.items()))
    print(f"model, manifest and card: {target}; what it gets wrong: {arguments.run / 'report'}")
