"""The photos and plate crops that models are compared on: labelled ones, or rendered where there are none."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final, TypeVar

import numpy as np
from numpy.typing import NDArray

from tools.data import data_root
from tools.evaluation.runs import cut
from tools.evaluation.sets import READ_SOURCES, Split, load_crops, load_pictures, read_picture
from tools.training.datasets.problems import Problems

T = TypeVar("T")
Image = NDArray[np.uint8]

RENDERED_SECONDS: Final = 20.0
RENDERED_SIZE_PX: Final = (1280, 720)
RENDERED_SEED: Final = 11
LEAST_PLATE_PX: Final = 60.0
CROP_MARGIN: Final = 0.1


@dataclass(frozen=True, slots=True, eq=False)
class Samples:
    """Photos, uint8 BGR, and crops of plates with what stands on them; `origin` says where they are from."""

    photos: tuple[Image, ...]
    crops: tuple[tuple[Image, str], ...]
    origin: str


def samples(split: Split, photos: int, crops: int) -> Samples:
    """So many labelled photos and crops, spread evenly over the sources; rendered ones without the data folder."""
    root = data_root()
    return rendered(photos, crops) if root is None else labelled(root, split, photos, crops)


def labelled(root: Path, split: Split, photos: int, crops: int) -> Samples:
    """Photos and transcribed crops of that split of the data folder."""
    problems = Problems()
    files = [p.file for source in READ_SOURCES for p in load_pictures(root, source, split, problems)]
    texts = load_crops(root, split, problems=problems)
    return Samples(
        tuple(read_picture(file) for file in spread(files, photos)),
        tuple((read_picture(crop.path), crop.text.replace("/", "")) for crop in spread(texts, crops)),
        f"labelled, split {split}",
    )


def rendered(photos: int, crops: int) -> Samples:
    """Frames of a drive rendered now, one a second, and the plates in them that are large enough to be read."""
    from tools.demo.render import Drive, DriveSettings

    drive = Drive(DriveSettings(RENDERED_SECONDS, 1.0, *RENDERED_SIZE_PX, RENDERED_SEED))
    frames = list(drive.frames())
    plates = [
        (cut(frames[number], np.array(box), CROP_MARGIN), plate.text)
        for plate in drive.truth().plates
        for number, box in plate.boxes.items()
        if box[2] - box[0] >= LEAST_PLATE_PX
    ]
    return Samples(tuple(spread(frames, photos)), tuple(spread(plates, crops)), "rendered, no data folder is there")


def spread(items: Sequence[T], count: int) -> list[T]:
    """So many of the items, evenly spaced, all when there are fewer."""
    if len(items) <= count:
        return list(items)
    return [items[i * len(items) // count] for i in range(count)]
