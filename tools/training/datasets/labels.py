"""What every importer gives: a picture's file and its boxes, not yet looked at."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from tools.training.datasets.problems import DataError

Split = Literal["train", "val"]
Corners = tuple[float, float, float, float]
PICTURE_ENDINGS = (".jpg", ".jpeg", ".png", ".webp", ".bmp", ".tif", ".tiff", ".gif")
PICTURE_FOLDERS = ("images", "JPEGImages", "obj_train_data", "imgs", "crops", "data")
KEPT_ASIDE = {"val", "valid", "validation", "test", "testing"}
PLATE_NAME = re.compile(r"plate|licen[cs]e|matricula|kennzeichen|\blp\b|^lp|anpr|alpr", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Box:
    """One labelled object: corners xmin, ymin, xmax, ymax, the class's name, its transcription if there is one.

    Corners are pixels of the picture, or shares of its width and height where the picture's ``relative`` is set.
    """

    corners: Corners
    label: str
    text: str | None = None


@dataclass(frozen=True, slots=True)
class LabelledPicture:
    """A picture as its labels describe it.

    ``where`` names the label (file, and line if there is one), ``size_px`` is the width and height that the
    labels state, if they do; ``split`` is "val" for what is kept aside from training.
    """

    file: Path
    where: str
    boxes: tuple[Box, ...]
    size_px: tuple[int, int] | None = None
    relative: bool = False
    split: Split = "train"


def split_of(*folders: str, file: str = "") -> Split:
    """The split that names of folders (or lists, or a column) are; "train" where none is.

    Of a ``file`` the stem may speak of it in one of its words: ``plates_val.json``, ``instances_val2017.json``.
    """
    words = {name.lower() for name in folders} | set(re.split(r"[^a-z]+", file.lower()))
    return "val" if words & KEPT_ASIDE else "train"


def find_picture(folder: Path, name: str) -> Path:
    """Where a picture lies that labels in ``folder`` name; a path that does not exist if nowhere.

    Labels name pictures relative to themselves, to a folder of pictures beside them, or by a path of the machine
    where they were made, of which only the last part is of use.
    """
    name = name.replace("\\", "/").strip()
    last = name.rsplit("/", 1)[-1]
    near = [folder, *(folder / sub for sub in PICTURE_FOLDERS), *(folder.parent / sub for sub in PICTURE_FOLDERS)]
    for path in (*(base / name for base in near), *(base / last for base in (*near, folder.parent))):
        if last and is_file(path):
            return path
    return folder / name


def is_file(path: Path) -> bool:
    """Whether there is a file; False too for a name that no file can have, such as one of 300 letters."""
    try:
        return path.is_file()
    except (OSError, ValueError):
        return False


def plate_classes(names: Iterable[str], wanted: str | None, where: str) -> frozenset[str]:
    """Which classes are plates: the wanted one, the only one, or those that are called so.

    Raises DataError that names the classes when it cannot be told.
    """
    known = sorted(set(names))
    if wanted is not None:
        if known and wanted not in known:
            raise DataError(f"{where}: no class is called {wanted!r}; there are {', '.join(known)}")
        return frozenset({wanted})
    if len(known) <= 1:
        return frozenset(known)
    plates = frozenset(name for name in known if PLATE_NAME.search(name))
    if not plates:
        raise DataError(f"{where}: which class is the plate? There are {', '.join(known)}; name it with --label")
    return plates
