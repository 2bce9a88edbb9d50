"""Command line of the CRNN's training."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from tools.data import require_data_root
from tools.training.common.device import add_options
from tools.training.common.loop import log_to
from tools.training.common.pictured import pictured
from tools.training.crnn.data import Mixture, WordSampler, load_words
from tools.training.crnn.export import export
from tools.training.crnn.train import Plan, train
from tools.training.datasets.load import add_options as add_data_options
from tools.training.datasets.load import real_crops
from tools.training.synthetic.store import Store

DESCRIPTION = """Train the CRNN that reads one straightened word.

Before the first run:
  python -m tools.training.synthetic.fonts --to runs/fonts
  python -m tools.training.synthetic --fonts runs/fonts --out runs/synthetic.npz
Then train; the same command goes on after a cut:
  python -m tools.training.crnn --run runs/crnn
With a trained CRAFT, find the lines of the real crops and go on with patches cut as at inference:
  python -m tools.training.craft --run runs/craft --words runs/words.json
  python -m tools.training.crnn --run runs/crnn-words --words runs/words.json --start-from runs/crnn/best.pt \\
      --steps 1500 --rate 8e-4
Export the best weights as ONNX with their manifest:
  python -m tools.training.crnn --run runs/crnn-words --words runs/words.json --export cloud_apis/models
"""


def parser() -> argparse.ArgumentParser:
    """All options, with what they mean."""
    it = argparse.ArgumentParser(
        prog="python -m tools.training.crnn",
        description=DESCRIPTION,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    it.add_argument("--run", type=Path, default=Path("runs/crnn"), help="folder of checkpoints, log and plots")
    it.add_argument(
        "--synthetic", type=Path, nargs="+", default=[Path("runs/synthetic.npz")], help="files of synthetic crops"
    )
    it.add_argument("--words", type=Path, help="JSON of the real crops' line quads; without it whole crops are used")
    it.add_argument("--start-from", type=Path, help="checkpoint whose averaged weights to begin with")
    it.add_argument("--steps", type=int, default=5000, help="optimiser steps in all (default: 5000)")
    it.add_argument("--batch", type=int, default=64, help="patches per step (default: 64)")
    it.add_argument("--rate", type=float, default=2.5e-3, help="highest learning rate (default: 0.0025)")
    it.add_argument("--real-share", type=float, default=0.5, help="share of real patches (default: 0.5)")
    it.add_argument("--spliced-share", type=float, default=0.0, help="share of the real patches spliced from two lines")
    it.add_argument("--two-lines", type=float, default=3.0, help="how often plates of two lines are drawn (default: 3)")
    it.add_argument("--no-augment", action="store_true", help="show real lines as they are (for comparison)")
    it.add_argument("--smoothing", type=float, default=0.02, help="label smoothing (default: 0.02)")
    it.add_argument("--seed", type=int, default=1, help="seed of weights and draws (default: 1)")
    it.add_argument("--threads", type=int, default=1, help="CPU threads (default: 1)")
    it.add_argument("--no-bfloat16", action="store_true", help="convolve in float32 (CPUs without AVX512-BF16)")
    it.add_argument("--evaluate-every", type=int, default=250, help="steps between dev evaluations (default: 250)")
    it.add_argument("--pictured", action="store_true", help="also the data folder's plates as its pictures show them")
    it.add_argument("--export", type=Path, metavar="FOLDER", help="train nothing: write crnn.onnx and crnn.json there")
    add_data_options(it)
    add_options(it)
    return it


def main(argv: Sequence[str] | None = None) -> int:
    """Train or export; returns the exit code."""
    arguments = parser().parse_args(argv)
    log_to(arguments.run)
    try:
        crops = real_crops(arguments.data, arguments.label)
        words = load_words(arguments.words)
        if arguments.export:
            export(arguments.run, crops("train"), crops("dev"), words, arguments.export)
            return 0
        real, dev = crops("train"), crops("dev")
        if arguments.pictured:
            root = require_data_root()
            real, dev = real + pictured(root, real), dev + pictured(root, dev)
        synthetic = Store.joined(Store.load(file) for file in arguments.synthetic)
        mixture = Mixture(
            arguments.real_share, arguments.spliced_share, arguments.two_lines, augment=not arguments.no_augment
        )
        sampler = WordSampler(synthetic, real, words, mixture)
        plan = Plan(
            steps=arguments.steps, batch=arguments.batch, rate=arguments.rate, seed=arguments.seed,
            evaluate_every=arguments.evaluate_every, threads=arguments.threads, bfloat16=not arguments.no_bfloat16,
            device=arguments.device, precision=arguments.precision, patience=arguments.patience,
            smoothing=arguments.smoothing,
        )  # fmt: skip
        train(plan, sampler, dev, arguments.run, arguments.start_from)
    except (OSError, ValueError) as error:
        print(f"crnn: error: {error}", file=sys.stderr)
        return 1
    return 0
