"""The recogniser on one's own texts."""

from __future__ import annotations

import json
import logging
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from tools.training.common.card import Figures
from tools.training.common.crops import RealCrop, load_crops
from tools.training.common.run_folder import RunFolder
from tools.training.craft.export import session_score
from tools.training.craft.pseudo import find, word_quads
from tools.training.crnn import calibrate
from tools.training.crnn.data import Mixture, Words, WordSampler
from tools.training.crnn.export import export
from tools.training.crnn.train import Plan, train
from tools.training.finetune.parts import Options, Tuned, float_file, hold_out, manifest_of, mixed, write_tuned_card
from tools.training.finetune.synthetic import synthetic_store

log = logging.getLogger("finetune")
RATE = 6e-4
REAL_SHARE = 0.6


def finetune_reader(
    own: Sequence[RealCrop],
    root: Path | None,
    steps: int,
    batch: int,
    synthetic: tuple[Path, int, Path],
    options: Options,
) -> None:
    """Train the shipped recogniser on with one's own crops, synthetic ones, and those of the data folder if there.

    ``synthetic`` is the file of rendered crops, how many are rendered into it where it is missing, and the folder of
    fonts for that. Writes the new ``crnn`` in both precisions, its manifest and its card. Raises FileNotFoundError
    without the shipped files.
    """
    kept, dev = hold_out(own, lambda crop: crop.text)
    held_out = {crop.text for crop in dev}
    ours = [crop for crop in load_crops(root, "train") if crop.text not in held_out] if root else []
    start = float_file(options.models, "crnn")
    words = {**lines_of([*kept, *ours], options.models, check=True), **lines_of(dev, options.models, check=False)}
    log.info("lines found in %d of %d crops", len(words), len(kept) + len(ours) + len(dev))
    # What says where the lines of a plate are, is needed of those with two.
    kept = [crop for crop in kept if len(crop.lines) == 1 or (len(crop.lines) == 2 and crop.file_name in words)]
    if not kept:
        raise ValueError("of none of the crops with texts the lines were found: nothing to train the reader from")
    sampler = WordSampler(synthetic_store(*synthetic, options.seed), mixed(kept, ours), words, Mixture(REAL_SHARE))
    plan = Plan(
        steps=steps, batch=batch, rate=RATE, seed=options.seed, evaluate_every=max(1, min(150, steps // 4)),
        threads=options.threads, device=options.device, precision=options.precision, patience=options.patience,
    )  # fmt: skip
    train(plan, sampler, dev, options.run / "crnn", start)
    export(options.run / "crnn", kept, dev or kept, words, options.target)
    figures = manifest_of(options.target, "crnn")["dev_exact"]
    confidences = calibrate_reader(root, options)
    best = RunFolder(options.run / "crnn").load("best.pt")
    trained = best["step"] if best else 0
    tuned = Tuned(
        name="crnn",
        title="text of one line",
        summary=f"The shipped recogniser, trained on for {trained} steps with one's own crops.",
        sources=[c.source for c in [*kept, *ours]],
        what="crops",
        data=f"{len(kept)} own crops with texts, and synthetic crops rendered by tools/training/synthetic; {len(dev)} "
        "other crops, chosen by a hash of their texts,",
        figures=[
            Figures(
                f"Whole plates read exactly, of the {len(dev)} own crops held out:",
                ("precision", "exact"),
                list(figures.items()),
            )
        ]
        if dev
        else [],
        limits=[
            "The figures are of few plates, from the same source as the training's: expect less elsewhere.",
            confidences,
        ],
        trainer="tools.training.crnn",
    )
    write_tuned_card(tuned, root, options)


def calibrate_reader(root: Path | None, options: Options) -> str:
    """Let the new manifest say what confidences are worth; returns a sentence that says where that is from.

    It is fitted on the data folder's plates that training never saw, if they are there; else it is the shipped one.
    """
    if root is not None and calibrate.main(["--models", str(options.target), "--seed", str(options.seed)]) == 0:
        return "Confidences were calibrated on plates of the data folder that were kept aside of training."
    shipped = manifest_of(options.models, "crnn").get("calibration")
    if shipped is None:
        return "Confidences are not calibrated."
    file = options.target / "crnn.json"
    file.write_text(json.dumps({**manifest_of(options.target, "crnn"), "calibration": shipped}, indent=2) + "\n")
    return "Confidences are calibrated as those of the shipped recogniser, from which these may differ."


def lines_of(crops: Sequence[RealCrop], models: Path, check: bool) -> Words:
    """Line quads per crop as the shipped CRAFT finds them; with ``check`` only where their number fits the text."""
    if not crops:
        return {}
    found = find(session_score(models / "craft.onnx"), [crop.image for crop in crops])
    quads = {crop.file_name: word_quads(one, crop, check) for crop, one in zip(crops, found, strict=True)}
    return {name: [np.array(quad, np.float32) for quad in some] for name, some in quads.items() if some}
