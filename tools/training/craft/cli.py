"""Command line of CRAFT's training."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Sequence
from pathlib import Path

from tools.data import require_data_root
from tools.training.common.crops import Part, load_crops
from tools.training.common.loop import log_to
from tools.training.craft.data import MapSampler
from tools.training.craft.export import export
from tools.training.craft.pseudo import find, word_quads
from tools.training.craft.train import Plan, load_best, scorer, train
from tools.training.synthetic.store import Store

DESCRIPTION = """Train the CRAFT network that finds the characters of a plate and links them to lines.

Before the first run:
  python -m tools.training.synthetic.fonts --to runs/fonts
  python -m tools.training.synthetic --fonts runs/fonts --out runs/synthetic.npz
Then train; the same command goes on after a cut:
  python -m tools.training.craft --run runs/craft
It sees synthetic plates first, then also real crops whose character boxes it found itself and whose number fits
the transcription (weak supervision as in the CRAFT paper).
Find the lines of the real crops for the CRNN:
  python -m tools.training.craft --run runs/craft --words runs/words.json
Export the best weights as ONNX with their manifest:
  python -m tools.training.craft --run runs/craft --export cloud_apis/models
"""


def parser() -> argparse.ArgumentParser:
    """All options, with what they mean."""
    it = argparse.ArgumentParser(
        prog="python -m tools.training.craft",
        description=DESCRIPTION,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    it.add_argument("--run", type=Path, default=Path("runs/craft"), help="folder of checkpoints, log and plots")
    it.add_argument("--synthetic", type=Path, default=Path("runs/synthetic.npz"), help="file of synthetic crops")
    it.add_argument("--steps", type=int, default=2800, help="optimiser steps in all (default: 2800)")
    it.add_argument("--synthetic-steps", type=int, default=1400, help="steps before real crops join (default: 1400)")
    it.add_argument("--batch", type=int, default=32, help="crops per step (default: 32)")
    it.add_argument("--rate", type=float, default=3e-3, help="highest learning rate (default: 0.003)")
    it.add_argument("--real-share", type=float, default=0.5, help="share of real crops once they join (default: 0.5)")
    it.add_argument("--seed", type=int, default=1, help="seed of weights and draws (default: 1)")
    it.add_argument("--threads", type=int, default=1, help="CPU threads (default: 1)")
    it.add_argument("--no-bfloat16", action="store_true", help="compute in float32 (CPUs without AVX512-BF16)")
    it.add_argument("--evaluate-every", type=int, default=200, help="steps between dev evaluations (default: 200)")
    it.add_argument(
        "--words", type=Path, metavar="FILE", help="train nothing: write line quads of the real crops there"
    )
    it.add_argument(
        "--export", type=Path, metavar="FOLDER", help="train nothing: write craft.onnx and craft.json there"
    )
    return it


def write_words(run: Path, root: Path, file: Path) -> int:
    """Find lines in the train and dev crops, keep those whose number fits; returns how many crops were kept."""
    score = scorer(load_best(run))
    words = {}
    parts: tuple[Part, ...] = ("train", "dev")
    for part in parts:
        crops = load_crops(root, part)
        for crop, found in zip(crops, find(score, [crop.image for crop in crops]), strict=True):
            # Dev crops are to be read as at inference, with whatever was found.
            quads = word_quads(found, crop, check=part == "train")
            if quads:
                words[crop.file_name] = quads
    file.write_text(json.dumps(words))
    return len(words)


def main(argv: Sequence[str] | None = None) -> int:
    """Train, find words or export; returns the exit code."""
    arguments = parser().parse_args(argv)
    log_to(arguments.run)
    try:
        root = require_data_root()
        if arguments.words:
            print(f"{write_words(arguments.run, root, arguments.words)} crops with lines in {arguments.words}")
            return 0
        if arguments.export:
            train_crops, dev_crops = load_crops(root, "train"), load_crops(root, "dev")
            export(load_best(arguments.run), train_crops, dev_crops, arguments.run, arguments.export)
            return 0
        plan = Plan(
            steps=arguments.steps, synthetic_steps=arguments.synthetic_steps, batch=arguments.batch,
            rate=arguments.rate, seed=arguments.seed, evaluate_every=arguments.evaluate_every,
            real_share=arguments.real_share, threads=arguments.threads, bfloat16=not arguments.no_bfloat16,
        )  # fmt: skip
        sampler = MapSampler(Store.load(arguments.synthetic))
        train(plan, sampler, load_crops(root, "train"), load_crops(root, "dev"), arguments.run)
    except FileNotFoundError as error:
        print(f"craft: error: {error}", file=sys.stderr)
        return 1
    return 0
