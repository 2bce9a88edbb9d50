"""The real plate crops with transcriptions, split into train, dev (kept aside of train) and val."""

from __future__ import annotations

import csv
import hashlib
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import cv2
import numpy as np
from numpy.typing import NDArray

from tools.training.datasets.problems import Kind, Problems

Part = Literal["train", "dev", "val"]
DEV_PERCENT = 6
# Training keeps crops no larger than this: characters stay above the networks' own sampling.
MAX_WIDTH_PX, MAX_HEIGHT_PX = 288, 160


@dataclass(frozen=True)
class RealCrop:
    """One crop: file name as in texts.csv, text with ``/`` between lines, source, grey (H, W) uint8, its scale."""

    file_name: str
    text: str
    source: str
    image: NDArray[np.uint8]
    scale: float

    @property
    def lines(self) -> tuple[str, ...]:
        """The text line by line, top first."""
        return tuple(self.text.split("/"))


def part_of(text: str, split: str) -> Part:
    """Which part a row belongs to: a plate's text decides, so that one car is never in both train and dev."""
    if split == "val":
        return "val"
    digest = hashlib.sha256(text.encode()).digest()
    return "dev" if int.from_bytes(digest[:4], "big") % 100 < DEV_PERCENT else "train"


def load_crops(root: Path, part: Part, full_size: bool = False) -> list[RealCrop]:
    """Read one part of ``root/plates/texts.csv`` in grey.

    Crops that are missing or cannot be read are named and left out; raises FileNotFoundError where all are.
    """
    folder = root / "plates"
    with (folder / "texts.csv").open(newline="") as stream:
        rows = [row for row in csv.DictReader(stream) if part_of(row["text"], row["split"]) == part]
    crops, problems = [], Problems()
    for row in rows:
        image = read_grey(folder / row["file_name"], problems)
        if image is None:
            continue
        kept, scale = (image, 1.0) if full_size else reduce(image, MAX_WIDTH_PX, MAX_HEIGHT_PX)
        crops.append(RealCrop(row["file_name"], row["text"], row["source"], kept, scale))
    if rows and not crops:
        raise FileNotFoundError(f"none of the {len(rows)} crops in {folder} can be read")
    problems.tell(f"{folder / 'texts.csv'}, {part}")
    return crops


def read_grey(file: Path, problems: Problems) -> NDArray[np.uint8] | None:
    """A picture of the data folder in grey (H, W); None, with a note, where it is missing or cannot be read."""
    image = cv2.imread(str(file), cv2.IMREAD_GRAYSCALE)
    if image is None:
        missing = not file.is_file()
        kind = Kind.MISSING_PICTURE if missing else Kind.BROKEN_PICTURE
        problems.note(kind, str(file), "it does not exist" if missing else "it is no picture that can be read")
        return None
    return np.asarray(image, np.uint8)


def reduce(image: NDArray[np.uint8], width_px: int, height_px: int) -> tuple[NDArray[np.uint8], float]:
    """The picture no larger than that, its aspect kept, and the factor that it was reduced by (1: as it was)."""
    height, width = image.shape
    scale = min(1.0, width_px / width, height_px / height)
    if scale == 1.0:
        return image, scale
    size = (max(1, round(width * scale)), max(1, round(height * scale)))
    return np.asarray(cv2.resize(image, size, interpolation=cv2.INTER_AREA), np.uint8), scale
