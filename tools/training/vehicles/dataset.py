"""Pictures with boxes of vehicles: the hand-made sets, and the machine-made boxes of the plates' photos."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray
from tqdm import tqdm

from tools.training.vehicles.network import LABELS

HAND_MADE = ("highway", "traffic_camera")
MACHINE_MADE = "attributes"
SOURCES = (*HAND_MADE, MACHINE_MADE)
LEAST_SCORE = 0.4
"""Machine-made boxes below it are neither vehicles nor background: they are painted out."""
LONGEST_SIDE_PX = 512
GREY = 127


@dataclass(frozen=True, slots=True, eq=False)
class Sample:
    """A picture RGB uint8 (H, W, 3) and its boxes float32 (n, 5): xmin, ymin, xmax, ymax in pixels, class."""

    name: str
    source: str
    image: NDArray[np.uint8]
    boxes: NDArray[np.float32]


def load(root: Path, sources: Iterable[str] = SOURCES, split: str = "train") -> list[Sample]:
    """Read ``root/vehicles/<source>_<split>.json``; raises OSError for what cannot be read."""
    return [sample for source in sources for sample in _load(root / "vehicles", source, split)]


def _load(folder: Path, source: str, split: str) -> list[Sample]:
    coco = json.loads((folder / f"{source}_{split}.json").read_text(encoding="utf-8"))
    number = {category["id"]: LABELS.index(category["name"]) for category in coco["categories"]}
    boxes: dict[int, list[list[float]]] = {}
    unsure: dict[int, list[list[float]]] = {}
    for annotation in coco["annotations"]:
        x, y, width, height = annotation["bbox"]
        into = boxes if annotation.get("machine_score", 1.0) >= LEAST_SCORE else unsure
        row = [x, y, x + width, y + height, float(number[annotation["category_id"]])]
        into.setdefault(annotation["image_id"], []).append(row)
    samples = []
    for record in tqdm(coco["images"], desc=f"{source} {split}", unit="photo", mininterval=2):
        image = cv2.imread(str(folder / record["file_name"]), cv2.IMREAD_COLOR)
        if image is None:
            raise OSError(f"cannot read {folder / record['file_name']}")
        rows = np.array(boxes.get(record["id"], []), np.float32).reshape(-1, 5)
        image = _painted(np.asarray(image, np.uint8), unsure.get(record["id"], []), rows)
        scale = LONGEST_SIDE_PX / max(image.shape[:2])
        if scale < 1:
            image = np.asarray(cv2.resize(image, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA), np.uint8)
            rows[:, :4] *= np.float32(scale)
        samples.append(Sample(record["file_name"], source, np.ascontiguousarray(image[:, :, ::-1]), rows))
    return samples


def _painted(
    image: NDArray[np.uint8], unsure: Sequence[Sequence[float]], sure: NDArray[np.float32]
) -> NDArray[np.uint8]:
    for x0, y0, x1, y1, _ in unsure:
        common = np.minimum(sure[:, 2:4], (x1, y1)) - np.maximum(sure[:, :2], (x0, y0))
        if not len(sure) or not (common > 0).all(1).any():
            image[int(y0) : int(y1) + 1, int(x0) : int(x1) + 1] = GREY
    return image
