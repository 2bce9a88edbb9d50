"""Data sets of one's own, in the forms that training takes: COCO, Pascal VOC or YOLO boxes, texts as CSV."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TypeVar

from tools.evaluation.sets import Split, TranscribedCrop, crop_of
from tools.training.common.crops import part_of
from tools.training.datasets import texts
from tools.training.datasets.find import IMPORTERS, Form, Found, find_sets
from tools.training.datasets.labels import LabelledPicture as Labels
from tools.training.datasets.problems import Problems
from tools.training.yolov3.dataset import in_dev

T = TypeVar("T")


def own_pictures(paths: Sequence[Path], split: Split, problems: Problems) -> dict[str, list[Labels]]:
    """The labels of the sets with boxes at these paths, by set; raises DataError where a path holds none at all.

    Training keeps pictures aside as `dev` by folder and name. A set that has nothing in the split `val` is taken
    whole for it: it was made for being judged on.
    """

    def part(one: Labels) -> Split:
        return "val" if one.split == "val" else "dev" if in_dev(f"{one.file.parent.name}/{one.file.name}") else "train"

    found = {}
    for one in _found(paths, boxes=True):
        labels = sorted(IMPORTERS[one.form](one.path, problems), key=lambda p: p.file)
        found[one.path.stem if one.path.is_file() else one.path.name] = _of_split(labels, part, split)
    return found


def own_crops(paths: Sequence[Path], split: Split, problems: Problems) -> tuple[TranscribedCrop, ...]:
    """The transcribed crops of the CSVs at these paths; the split as in `own_pictures`, `dev` by the text."""
    rows = [row for one in _found(paths, boxes=False) for row in texts.read(one.path, problems)]
    return tuple(crop_of(row) for row in _of_split(rows, lambda row: part_of(row.text, row.split), split))


def _found(paths: Sequence[Path], *, boxes: bool) -> list[Found]:
    return [one for path in paths for one in find_sets(path) if (one.form is not Form.TEXTS) == boxes]


def _of_split(items: Sequence[T], part: Callable[[T], Split], split: Split) -> list[T]:
    chosen = [item for item in items if part(item) == split]
    return chosen if chosen or split != "val" else list(items)
