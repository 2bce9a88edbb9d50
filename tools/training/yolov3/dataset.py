"""The COCO detection sets in memory, as grey pictures with plate boxes."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from tqdm import tqdm

from tools.training.common.crops import read_grey, reduce
from tools.training.datasets.problems import Problems

SOURCES = ("ro_dashcam", "open_lpr", "openimages", "kaggle433", "roboflow_experiment_plates")
LONGEST_SIDE_PX = 960
DEV_PERCENT = 4


@dataclass(frozen=True, slots=True, eq=False)
class Sample:
    """A grey picture uint8 (H, W) and its boxes float32 (n, 4), corners xmin, ymin, xmax, ymax in pixels."""

    name: str
    source: str
    image: NDArray[np.uint8]
    boxes: NDArray[np.float32]


def in_dev(name: str) -> bool:
    """Whether a picture of the train split is held out for choosing checkpoints (by hash of its name)."""
    return hashlib.sha256(name.encode()).digest()[0] * 100 < DEV_PERCENT * 256


def load(root: Path, sources: Iterable[str], split: str = "train") -> list[Sample]:
    """Read the sets ``root/plates/<source>_<split>.json``; pictures over 960 px are reduced.

    Pictures that are missing or cannot be read are named and left out; raises FileNotFoundError where all are.
    """
    samples, problems = [], Problems()
    for source in sources:
        file = root / "plates" / f"{source}_{split}.json"
        if not file.exists():
            continue
        coco = json.loads(file.read_text())
        boxes_of: dict[int, list[list[float]]] = {}
        for annotation in coco["annotations"]:
            x, y, width, height = annotation["bbox"]
            boxes_of.setdefault(annotation["image_id"], []).append([x, y, x + width, y + height])
        for record in tqdm(coco["images"], desc=f"{source} {split}", unit="photo"):
            image = read_grey(root / "plates" / record["file_name"], problems)
            if image is None:
                continue
            boxes = np.array(boxes_of.get(record["id"], []), np.float32).reshape(-1, 4)
            reduced, scale = reduce(image, LONGEST_SIDE_PX, LONGEST_SIDE_PX)
            samples.append(Sample(record["file_name"], source, reduced, boxes * np.float32(scale)))
    if problems.counts and not samples:
        raise FileNotFoundError(f"none of the pictures in {root / 'plates'} can be read")
    problems.tell(str(root / "plates"))
    return samples
