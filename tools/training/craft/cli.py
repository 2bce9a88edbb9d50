"""Command line of CRAFT's training."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
from tqdm import tqdm

from cloud_apis.craft.finder import find_lines
from tools.data import require_data_root
from tools.training.common.crops import Part, RealCrop
from tools.training.common.device import add_options
from tools.training.common.loop import log_to
from tools.training.common.pictured import pictured
from tools.training.craft.align import BATCH, Aligner, Read, alignable
from tools.training.craft.data import MapSampler
from tools.training.craft.export import export, session_score
from tools.training.craft.labels import labelled_crops, load_aligned, reading_judge, to_json, words_of
from tools.training.craft.pseudo import find, word_quads
from tools.training.craft.train import Plan, counting_judge, load_best, scorer, train
from tools.training.datasets.load import add_options as add_data_options
from tools.training.datasets.load import real_crops
from tools.training.synthetic.store import Store

Crops = Callable[[Part], list[RealCrop]]
"""The real crops of a part."""
DESCRIPTION = """Train the CRAFT network that finds the characters of a plate and links them to lines.

Before the first run:
  python -m tools.training.synthetic.fonts --to runs/fonts
  python -m tools.training.synthetic --fonts runs/fonts --out runs/synthetic.npz
Then train; the same command goes on after a cut:
  python -m tools.training.craft --run runs/craft
It sees synthetic plates first, then also real crops whose character boxes it found itself and whose number fits
the transcription (weak supervision as in the CRAFT paper). Find the lines of the real crops for the CRNN:
  python -m tools.training.craft --run runs/craft --words runs/words.json
Once there is a CRNN, search the lines of all real crops, hard ones too, by their known text, and train on:
  python -m tools.training.craft --run runs/craft --recogniser runs/crnn/crnn.float32.onnx --align runs/aligned.json
  python -m tools.training.craft --run runs/craft2 --start-from runs/craft/best.pt --aligned runs/aligned.json \
      --recogniser runs/crnn/crnn.float32.onnx
  python -m tools.training.craft --run runs/craft2 --aligned runs/aligned.json --words runs/words.json
Export the best weights as ONNX with their manifest:
  python -m tools.training.craft --run runs/craft2 --export cloud_apis/models
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
    it.add_argument("--start-from", type=Path, metavar="FILE", help="checkpoint whose weights to go on with")
    it.add_argument("--pictured", action="store_true", help="also the data folder's plates as its pictures show them")
    it.add_argument("--aligned", type=Path, metavar="FILE", help="lines of the real crops, from --align")
    it.add_argument(
        "--recogniser", type=Path, metavar="FILE", help="CRNN as ONNX: aligns, and reads the dev crops to judge"
    )
    it.add_argument(
        "--align", type=Path, metavar="FILE", help="train nothing: search the real crops' lines by their texts"
    )
    it.add_argument(
        "--words", type=Path, metavar="FILE", help="train nothing: write line quads of the real crops there"
    )
    it.add_argument(
        "--export", type=Path, metavar="FOLDER", help="train nothing: write craft.onnx and craft.json there"
    )
    add_data_options(it)
    add_options(it)
    return it


def write_words(run: Path, crops_of: Crops, aligned: Path | None, file: Path) -> int:
    """Write line quads of the train and dev crops; returns how many crops have some.

    Train crops have their aligned lines, or those found if their number fits; dev crops are to be read as at
    inference, with whatever is found.
    """
    score = scorer(load_best(run))
    if aligned:
        words = words_of(load_aligned(aligned))
    else:
        crops = crops_of("train")
        found = find(score, [crop.image for crop in crops])
        words = {crop.file_name: word_quads(one, crop) for crop, one in zip(crops, found, strict=True)}
    dev = crops_of("dev")
    for crop, quads in zip(dev, find_lines(score, [crop.image for crop in dev], BATCH), strict=True):
        words[crop.file_name] = [np.round(quad / crop.scale, 2).tolist() for quad in quads]
    words = {name: quads for name, quads in words.items() if quads}
    write_json(words, file)
    return len(words)


def write_aligned(run: Path, crops_of: Crops, recogniser: Path, file: Path, seed: int) -> int:
    """Search the train crops' lines by their texts; returns how many crops could be searched."""
    aligner = Aligner(scorer(load_best(run)), reader_of(recogniser))
    rng = np.random.default_rng(seed)
    entries = {
        crop.file_name: to_json(crop, aligner.align(crop.image, crop.lines, rng))
        for crop in tqdm(crops_of("train"), desc="align", unit="crop", mininterval=5)
        if alignable(crop.lines)
    }
    write_json(entries, file)
    return len(entries)


def write_json(content: object, file: Path) -> None:
    """Write a file whole or not at all."""
    scratch = file.with_suffix(".part")
    scratch.write_text(json.dumps(content))
    scratch.replace(file)


def reader_of(recogniser: Path) -> Read:
    """A CRNN's ONNX file as a function of arrays."""
    return session_score(recogniser)


def main(argv: Sequence[str] | None = None) -> int:
    """Train, align, find words or export; returns the exit code."""
    arguments = parser().parse_args(argv)
    if arguments.align and not arguments.recogniser:
        parser().error("--align needs --recogniser")
    log_to(arguments.run)
    try:
        _do(arguments, real_crops(arguments.data, arguments.label))
    except (OSError, ValueError) as error:
        print(f"craft: error: {error}", file=sys.stderr)
        return 1
    return 0


def _do(arguments: argparse.Namespace, crops_of: Crops) -> None:
    if arguments.align:
        count = write_aligned(arguments.run, crops_of, arguments.recogniser, arguments.align, arguments.seed)
        print(f"{count} crops with lines in {arguments.align}")
        return
    if arguments.words:
        count = write_words(arguments.run, crops_of, arguments.aligned, arguments.words)
        print(f"{count} crops with lines in {arguments.words}")
        return
    crops, dev = crops_of("train"), crops_of("dev")
    if arguments.export:
        export(load_best(arguments.run), crops, dev, arguments.run, arguments.export)
        return
    if arguments.pictured:
        root = require_data_root()
        crops, dev = crops + pictured(root, crops), dev + pictured(root, dev)
    plan = Plan(
        steps=arguments.steps, synthetic_steps=arguments.synthetic_steps, batch=arguments.batch,
        rate=arguments.rate, seed=arguments.seed, evaluate_every=arguments.evaluate_every,
        real_share=arguments.real_share, threads=arguments.threads, bfloat16=not arguments.no_bfloat16,
        device=arguments.device, precision=arguments.precision, patience=arguments.patience,
    )  # fmt: skip
    synthetic = Store.load(arguments.synthetic)
    judge = reading_judge(dev, reader_of(arguments.recogniser)) if arguments.recogniser else counting_judge(dev)
    if arguments.aligned:
        found, weights = labelled_crops(crops, load_aligned(arguments.aligned))
        sampler = MapSampler(synthetic, found, plan.real_share, weights)
        train(plan, sampler, [], judge, arguments.run, arguments.start_from)
    else:
        train(plan, MapSampler(synthetic), crops, judge, arguments.run, arguments.start_from)
