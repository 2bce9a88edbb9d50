"""``python -m tools.training.crnn.calibrate``: what the confidences of the served reader are worth.

Run it after every export of craft or crnn: it reads the plates kept aside of training (dev) with both served
models, fits the calibration to how often such reads are right, and writes it into crnn.json. Each plate is read as
it is and in worse pictures of it (wrong boxes, few pixels, blur, dirt, bad light, JPEG), for two reasons: the plates
as they are give too few wrong reads to fit a line through, and pictures of other cameras will be worse than those
that the models were chosen on.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from cloud_apis.contract import plate_confidence, plate_text
from cloud_apis.crnn.calibration import Calibration, Line, log_odds, probability
from cloud_apis.errors import StartError
from cloud_apis.model_files import packaged_models
from cloud_apis.reader import Reader, load_reader
from cloud_apis.settings import load_settings
from tools.data import require_data_root
from tools.evaluation.confidence import Judged, coverage, of_characters, of_plates, reliability
from tools.evaluation.reading import PlateReading
from tools.training.common.crops import RealCrop, load_crops
from tools.training.synthetic.photo import degrade

COPIES = 5
COPIES_WEIGHT = 2.0
"""All copies of a plate together weigh this many times the plate as it is."""
FOLDS = 5
RIDGE = 1.0
"""Pull towards no calibration, in reads: it matters only where there are next to none to fit."""
THRESHOLD = 0.9
Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Scores:
    """Raw scores in log odds (n,), whether the reads are right (n,), weights (n,), their plates' numbers (n,), and
    whether the plate was read as it is rather than in a worse picture (n,)."""

    odds: Floats
    right: Floats
    weights: Floats
    plates: NDArray[np.intp]
    as_it_is: NDArray[np.bool_]

    def part(self, chosen: NDArray[np.bool_]) -> Scores:
        """Some of them."""
        odds, right, weights = self.odds[chosen], self.right[chosen], self.weights[chosen]
        return Scores(odds, right, weights, self.plates[chosen], self.as_it_is[chosen])


def worse(image: NDArray[np.uint8], rng: np.random.Generator) -> NDArray[np.uint8]:
    """A worse picture of a plate: uint8 (H, W) in and out, of another size; the box too wide or a little tight."""
    height, width = image.shape
    top, bottom = (round(height * rng.uniform(-0.03, 0.15)) for _ in range(2))
    left, right = (round(width * rng.uniform(-0.02, 0.10)) for _ in range(2))
    padded = np.pad(image, ((max(0, top), max(0, bottom)), (max(0, left), max(0, right))), mode="edge")
    high, wide = padded.shape
    cut = padded[max(0, -top) : high - max(0, -bottom), max(0, -left) : wide - max(0, -right)]
    target = int(rng.uniform(40, 170))
    if target < cut.shape[1] and rng.random() < 0.6:
        size = target, max(8, round(cut.shape[0] * target / cut.shape[1]))
        cut = np.asarray(cv2.resize(cut, size, interpolation=cv2.INTER_AREA), np.uint8)
    return degrade(np.asarray(cut, np.float32), rng)


def read(reader: Reader, crops: Sequence[RealCrop], copies: int, seed: int) -> list[list[PlateReading]]:
    """What an uncalibrated reader reads: the crops as they are, then so many times in worse pictures."""
    rounds = []
    for number in range(copies + 1):
        made = []
        for index, crop in enumerate(crops):
            rng = np.random.default_rng((seed, number, index))
            (words,) = reader.read([worse(crop.image, rng) if number else crop.image])
            characters = tuple(c for word in words for c in word.confidences)
            reading = PlateReading(
                crop.file_name, crop.source, crop.text, plate_text(words), plate_confidence(words), characters
            )
            made.append(reading)
        rounds.append(made)
    return rounds


def scores(rounds: Sequence[Sequence[PlateReading]], *, characters: bool) -> Scores:
    """The raw scores of all plates, or of all their characters; the first round counts most."""
    odds, right, weights, plates, first = [], [], [], [], []
    for number, readings in enumerate(rounds):
        weight = COPIES_WEIGHT / (len(rounds) - 1) if number else 1.0
        for plate, reading in enumerate(readings):
            judged = of_characters([reading]) if characters else of_plates([reading])
            odds += [log_odds(j.confidence) for j in judged]
            right += [float(j.right) for j in judged]
            weights += [weight] * len(judged)
            plates += [plate] * len(judged)
            first += [number == 0] * len(judged)
    return Scores(np.array(odds), np.array(right), np.array(weights), np.array(plates, np.intp), np.array(first, bool))


def fit(found: Scores) -> Line:
    """The line that makes the reads most likely (logistic regression by Newton's method).

    Raises ValueError when right reads do not score higher than wrong ones.
    """
    design = np.column_stack([found.odds, np.ones_like(found.odds)])
    line = start = np.array([1.0, 0.0])
    for _ in range(100):
        chances = 1 / (1 + np.exp(-np.clip(design @ line, -50, 50)))
        slope = design.T @ (found.weights * (chances - found.right)) + RIDGE * (line - start)
        curve = (design * (found.weights * chances * (1 - chances))[:, None]).T @ design + RIDGE * np.eye(2)
        step = np.clip(np.linalg.solve(curve, slope), -1, 1)
        line = line - step
        if np.abs(step).max() < 1e-9:
            break
    if line[0] <= 0.05:
        raise ValueError("right reads do not score higher than wrong ones: there is nothing to calibrate")
    return Line(scale=round(float(line[0]), 4), offset=round(float(line[1]), 4))


def held_out(found: Scores) -> Floats:
    """For each score what a line fitted without its plate makes of it: an honest look at the fit."""
    chances = np.zeros_like(found.odds)
    for fold in range(FOLDS):
        apart = found.plates % FOLDS == fold
        if apart.any():
            line = fit(found.part(~apart)) if (~apart).any() else Line()
            chances[apart] = [probability(line.scale * odds + line.offset) for odds in found.odds[apart]]
    return chances


def report(name: str, found: Scores, chances: Floats) -> str:
    """One line: calibration error before and after, and what a threshold shows."""
    before = reliability([Judged(probability(o), bool(r)) for o, r in zip(found.odds, found.right, strict=True)])
    after = reliability([Judged(float(c), bool(r)) for c, r in zip(chances, found.right, strict=True)])
    shown = chances >= THRESHOLD
    rate = f"{found.right[shown].mean():.1%} right" if shown.any() else "none"
    return (
        f"{name}: {len(found.odds)} reads, {found.right.mean():.1%} right; calibration error {before.error:.4f} -> "
        f"{after.error:.4f}; at {THRESHOLD} and above {shown.mean():.1%}, of these {rate}"
    )


def calibrate(rounds: Sequence[Sequence[PlateReading]]) -> Calibration:
    """The calibration for these reads; prints what it is worth on plates that it was not fitted on."""
    lines = {}
    for kind in ("plate", "character"):
        found = scores(rounds, characters=kind == "character")
        chances, as_it_is = held_out(found), found.as_it_is
        lines[kind] = fit(found)
        print(report(f"{kind}s as they are", found.part(as_it_is), chances[as_it_is]))
        if not as_it_is.all():
            print(report(f"{kind}s in worse pictures", found.part(~as_it_is), chances[~as_it_is]))
    return Calibration(plate=lines["plate"], character=lines["character"])


def main(argv: Sequence[str] | None = None) -> int:
    """Fit and write; returns the exit code."""
    description, _, rest = str(__doc__).partition("\n\n")
    parser = argparse.ArgumentParser(
        prog="python -m tools.training.crnn.calibrate", description=description.partition(": ")[2], epilog=rest
    )
    parser.add_argument("--models", type=Path, default=packaged_models(), help="folder of craft and crnn (the shipped)")
    parser.add_argument("--copies", type=int, default=COPIES, help="worse pictures of each plate (%(default)s)")
    parser.add_argument("--seed", type=int, default=1, help="seed of the worse pictures (%(default)s)")
    parser.add_argument("--dry-run", action="store_true", help="print what would be written, write nothing")
    arguments = parser.parse_args(argv)
    try:
        crops = load_crops(require_data_root(), "dev", full_size=True)
        settings = load_settings()
        crnn = settings.crnn.model_copy(update={"calibrated": False, "regions": []})
        reader = load_reader(arguments.models, settings.model_copy(update={"crnn": crnn}))
        rounds = read(reader, crops, arguments.copies, arguments.seed)
        calibration = calibrate(rounds)
    except (OSError, StartError, ValueError) as error:
        print(f"calibrate: error: {error}", file=sys.stderr)
        return 1
    fields = calibration.model_dump() | {
        "fitted_on": {"part": "dev", "plates": len(crops), "copies": arguments.copies, "seed": arguments.seed}
    }
    print(json.dumps(fields))
    for shown in coverage(rounds[0], (THRESHOLD,)):
        print(f"without calibration at {THRESHOLD} and above {shown.share_shown:.1%}, of these {shown.share_right:.1%}")
    if not arguments.dry_run:
        manifest = arguments.models / "crnn.json"
        content = json.loads(manifest.read_text(encoding="utf-8")) | {"calibration": fields}
        manifest.write_text(json.dumps(content, indent=2) + "\n", encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
