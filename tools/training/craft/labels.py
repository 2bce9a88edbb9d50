"""Files of aligned lines, training crops from them, and the judge that reads what a network finds."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from cloud_apis.craft.finder import find_lines
from cloud_apis.crnn.postprocess import decode
from cloud_apis.crnn.preprocess import warp_word
from tools.training.common.crops import RealCrop
from tools.training.craft.align import Aligned, Read
from tools.training.craft.ctc import losses
from tools.training.craft.pseudo import Score
from tools.training.craft.train import Judge
from tools.training.synthetic.render import Line
from tools.training.synthetic.scene import Crop

ACCEPTED = 4.0
"""Highest loss of a line (nats) that trains."""
HARD = 0.4
"""Crops with a line of more loss are drawn twice as often."""
BATCH = 16


def to_json(crop: RealCrop, aligned: Aligned) -> dict[str, object]:
    """One crop's entry, in pixels of the crop at full size."""
    scale = np.float32(crop.scale)
    return {
        "quads": [np.round(quad / scale, 2).tolist() for quad in aligned.quads],
        "losses": [round(loss, 4) for loss in aligned.losses],
        "characters": [np.round(quads / scale, 2).tolist() for quads in aligned.characters],
    }


def load_aligned(file: Path) -> dict[str, Aligned]:
    """Read a file of entries, by crop."""
    return {
        name: Aligned(
            tuple(np.array(quad, np.float32) for quad in entry["quads"]),
            tuple(entry["losses"]),
            tuple(np.array(quads, np.float32) for quads in entry["characters"]),
        )
        for name, entry in json.loads(file.read_text()).items()
    }


def labelled_crops(crops: Sequence[RealCrop], aligned: Mapping[str, Aligned]) -> tuple[list[Crop], list[float]]:
    """Crops with character boxes, and how often to draw each: hard ones and ones of two lines more often."""
    found, weights = [], []
    for crop in crops:
        one = aligned.get(crop.file_name)
        if one is None or max(one.losses) > ACCEPTED:
            continue
        scale = np.float32(crop.scale)
        lines = [Line(text, quads * scale) for text, quads in zip(crop.lines, one.characters, strict=True)]
        found.append(Crop(crop.image, tuple(lines)))
        weights.append((4.0 if len(lines) > 1 else 1.0) * (2.0 if max(one.losses) > HARD else 1.0))
    return found, weights


def words_of(aligned: Mapping[str, Aligned]) -> dict[str, list[list[list[float]]]]:
    """Line quads per crop as the CRNN's training takes them, without lines whose text did not fit at all."""
    return {name: [quad.tolist() for quad in one.quads] for name, one in aligned.items() if max(one.losses) <= ACCEPTED}


def reading_judge(crops: Sequence[RealCrop], read: Read) -> Judge:
    """Share of crops that a recogniser reads exactly from the lines found, and the mean chance of the true text.

    Both are NaN without crops.
    """

    def judge(score: Score) -> dict[str, float]:
        if not crops:
            return {"exact": math.nan, "chance": math.nan}
        exact, chance = [], []
        for crop, quads in zip(crops, find_lines(score, [crop.image for crop in crops], BATCH), strict=True):
            logits = read(np.stack([warp_word(crop.image, quad) for quad in quads])) if quads else None
            exact.append(logits is not None and "".join(decode(one)[0] for one in logits) == "".join(crop.lines))
            chance.append(_chance(logits, crop.lines) if len(quads) == len(crop.lines) else 0.0)
        return {"exact": float(np.mean(exact)), "chance": float(np.mean(chance))}

    return judge


def _chance(logits: NDArray[np.float32] | None, texts: Sequence[str]) -> float:
    return 0.0 if logits is None else float(np.exp(-losses(logits, texts).sum()))
