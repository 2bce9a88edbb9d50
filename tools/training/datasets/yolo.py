"""Detection sets as YOLO text: beside each picture (or under labels/) lines of ``class x y width height``.

Names of classes come from data.yaml (https://docs.ultralytics.com/datasets/detect/), obj.names or classes.txt.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import yaml

from tools.training.datasets.labels import PICTURE_ENDINGS, Box, LabelledPicture, split_of
from tools.training.datasets.problems import DataError, Kind, Problems

NAMES_FILES = ("obj.names", "classes.txt", "_darknet.labels", "names.txt")
DESCRIPTIONS = ("data.yaml", "data.yml", "dataset.yaml")
MAX_CLASSES = 10_000
SKIPPED = {*NAMES_FILES, "train.txt", "val.txt", "valid.txt", "test.txt", "readme.txt"}


def looks_like(content: str) -> bool:
    """Whether the text of a file is YOLO's description of a set (data.yaml)."""
    return "names:" in content and ("train:" in content or "val:" in content or "path:" in content)


def is_label(content: str) -> bool:
    """Whether the text of a file holds boxes: its first line has five numbers (or more: a polygon)."""
    words = content.split("\n", 1)[0].split()
    return len(words) >= 5 and _numbers(words) is not None


def read(path: Path, problems: Problems) -> Iterator[LabelledPicture]:
    """The pictures of a folder and below by path, or of the folder that a data.yaml lies in.

    A picture counts where it has a label file; an empty one says that no plate is on it.
    """
    folder = path if path.is_dir() else path.parent
    names = class_names(path)
    for picture in sorted(p for p in folder.rglob("*") if p.suffix.lower() in PICTURE_ENDINGS):
        label = _label_of(picture)
        if label is None:
            continue
        split = split_of(*picture.relative_to(folder).parts[:-1])
        boxes = tuple(_boxes(label, names, problems))
        yield LabelledPicture(picture, str(label), boxes, relative=True, split=split)
    yield from _orphans(folder, problems)


def _orphans(folder: Path, problems: Problems) -> Iterator[LabelledPicture]:
    """Label files without a picture: named as such when the pictures are read."""
    for label in sorted(folder.rglob("*.txt")):
        if label.name.lower() in SKIPPED or not is_label(label.read_text(encoding="utf-8", errors="replace")):
            continue
        places = [label.parent, *_swapped(label.parent, "labels", "images")]
        if not any((place / f"{label.stem}{end}").is_file() for place in places for end in _endings()):
            yield LabelledPicture(places[-1] / f"{label.stem}.jpg", str(label), ())


def class_names(path: Path) -> list[str]:
    """The names that a folder (or its data.yaml) gives its classes; none if it does not.

    Raises DataError where the data.yaml is broken.
    """
    described = [path] if path.is_file() else [path / name for name in DESCRIPTIONS]
    for file in described:
        if file.is_file() and file.suffix in (".yaml", ".yml"):
            try:
                content: Any = yaml.safe_load(file.read_text(encoding="utf-8"))
            except (yaml.YAMLError, UnicodeDecodeError) as error:
                raise DataError(f"{file} is not valid YAML: {' '.join(str(error).split())}") from error
            names = content.get("names") if isinstance(content, dict) else None
            if isinstance(names, dict):
                last = max((key for key in names if isinstance(key, int)), default=-1)
                return [str(names.get(i, i)) for i in range(min(last, MAX_CLASSES) + 1)]
            return [str(name) for name in names] if isinstance(names, list) else []
    folder = path if path.is_dir() else path.parent
    for name in NAMES_FILES:
        for file in (folder / name, folder / "data" / name, folder / "train" / name):
            if file.is_file():
                lines = file.read_text(encoding="utf-8", errors="replace").splitlines()
                return [line.strip() for line in lines if line.strip()]
    return []


def _boxes(label: Path, names: list[str], problems: Problems) -> Iterator[Box]:
    for number, line in enumerate(label.read_text(encoding="utf-8", errors="replace").splitlines(), 1):
        words = line.split()
        if not words:
            continue
        where = f"{label}:{number}"
        values = _numbers(words)
        if values is None or len(values) < 5 or values[0] != int(values[0]) or values[0] < 0:
            problems.note(Kind.BROKEN_LABEL, where, f"not `class x y width height`: {line.strip()[:60]!r}")
            continue
        if max(abs(v) for v in values[1:]) > 4:
            problems.note(Kind.BROKEN_LABEL, where, "the numbers are to be shares of the picture's sides, 0..1")
            continue
        index = int(values[0])
        if len(values) in (5, 6):  # a sixth number is a confidence
            x, y, width, height = values[1:5]
            corners = (x - width / 2, y - height / 2, x + width / 2, y + height / 2)
        else:  # a polygon: its hull
            xs, ys = values[1::2], values[2::2]
            corners = (min(xs), min(ys), max(xs), max(ys))
        yield Box(corners, names[index] if index < len(names) else f"class {index}")


def _numbers(words: list[str]) -> list[float] | None:
    try:
        values = [float(word) for word in words]
    except ValueError:
        return None
    return values if all(math.isfinite(v) for v in values) else None


def _label_of(picture: Path) -> Path | None:
    for folder in (picture.parent, *_swapped(picture.parent, "images", "labels")):
        label = folder / f"{picture.stem}.txt"
        if label.is_file():
            return label
    return None


def _swapped(folder: Path, old: str, new: str) -> list[Path]:
    """The folder with its last part called ``old`` renamed to ``new``, if it has one."""
    parts = list(folder.parts)
    if old not in parts:
        return []
    at = len(parts) - 1 - parts[::-1].index(old)
    return [Path(*parts[:at], new, *parts[at + 1 :])]


def _endings() -> tuple[str, ...]:
    return (*PICTURE_ENDINGS, *(ending.upper() for ending in PICTURE_ENDINGS))
